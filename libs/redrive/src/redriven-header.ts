import type { OutgoingRecord } from '@tickertape/kafka-avro'

import type { RejectPosition } from './rejected-records.ts'

type Headers = NonNullable<OutgoingRecord['headers']>

/** Names the reject that a record of market-events was put back from: `rejected[0]@17`. */
const name = 'tickertape.redriven-from'

export function redrivenHeader({ topic, partition, offset }: RejectPosition): Headers[number] {
  return { [name]: `${topic}[${partition}]@${offset}` }
}

/** The other way; undefined for a record that was not put back, or by somebody else's header. */
export function redrivenFrom(headers: Headers | undefined): RejectPosition | undefined {
  for (const header of headers ?? []) {
    const value = header[name]
    if (value === undefined) continue
    const match = /^(.+)\[(\d+)\]@(\d+)$/.exec(String(value))
    if (match === null) continue
    const [, topic = '', partition, offset] = match
    return { topic, partition: Number(partition), offset: Number(offset) }
  }
  return undefined
}
