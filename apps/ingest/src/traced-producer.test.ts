import type { OutgoingRecord } from '@tickertape/kafka-avro'
import { expect, it } from 'vitest'

import { newTraceparent, traced } from './traced-producer.ts'

function given(oneIn: number) {
  const records: OutgoingRecord[] = []
  const producer = traced(
    {
      inFlight: 3,
      produce: (record) => void records.push(record),
      acknowledged: async () => undefined,
      whenInFlightBelow: async () => undefined,
    },
    'market-events',
    oneIn,
  )
  const produce = (key: string | null, topic = 'market-events'): void =>
    producer.produce({ topic, partition: 0, key, value: null })
  const marked = () => records.map(({ headers }) => headers !== undefined)
  return { producer, records, produce, marked }
}

it('one record in so many says which trace it belongs to, each another one', () => {
  const { produce, records, marked } = given(3)
  for (let count = 0; count < 7; count += 1) produce('a')
  expect(marked()).toEqual([false, false, true, false, false, true, false])
  const ids = records.flatMap(({ headers }) => headers ?? []).map((header) => header['traceparent'])
  expect(new Set(ids).size).toBe(2)
})

it('heartbeats and other topics are never sampled, nor counted', () => {
  const { produce, marked } = given(2)
  produce(null)
  produce('a', 'rejected')
  produce('a')
  produce('a')
  expect(marked()).toEqual([false, false, false, true])
})

it('none is sampled where none shall be', () => {
  const { produce, marked, producer } = given(0)
  for (let count = 0; count < 5; count += 1) produce('a')
  expect(marked()).not.toContain(true)
  expect(producer.inFlight).toBe(3)
})

it('is written as W3C Trace Context has it', () => {
  expect(newTraceparent()).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/)
})
