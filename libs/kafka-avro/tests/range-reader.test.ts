import { testStack, uniquePrefix } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import { EventProducer, RangeReader, ensureTopics, topicName } from '../src/index.ts'
import type { LogRecord, RangeReaderOptions } from '../src/index.ts'

const connection = { brokers: testStack().kafkaBrokers }

/** A topic whose records say their offset. */
async function filledTopic(count: number): Promise<string> {
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions: 2 })
  const topic = topicName('market-events', prefix)
  await using producer = await EventProducer.open({ connection, clientId: topic })
  for (let number = 0; number < count; number += 1) {
    producer.produce({ topic, partition: 0, key: `${number}`, value: Buffer.from(text(number)) })
  }
  await producer.acknowledged()
  return topic
}

/** Long enough that the records are in many batches and many fetches. */
function text(number: number): string {
  return `${number} ${Math.imul(number, 0x9e3779b1).toString(36).repeat(30)}`
}

function open(options: Partial<RangeReaderOptions> = {}): RangeReader {
  return new RangeReader({
    connection,
    clientId: 'test',
    onWarning: () => undefined,
    ...options,
  })
}

const texts = (records: readonly LogRecord[]) => records.map(({ value }) => String(value))
const between = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, number) => text(from + number))

describe('reading stretches again', () => {
  it('gives the records of each range, both ends included, in the order of the ranges', async () => {
    const topic = await filledTopic(50_000)
    await using reader = open()
    const ranges = [
      { from: 40_000, to: 40_001 },
      { from: 17, to: 17 },
      { from: 100, to: 20_000 },
      { from: 49_999, to: 49_999 },
    ]
    const expected = ranges.flatMap(({ from, to }) => between(from, to))
    expect(texts(await reader.read(topic, 0, ranges))).toEqual(expected)
    expect(texts(await reader.read(topic, 0, ranges))).toEqual(expected)
    expect(await reader.read(topic, 0, [])).toEqual([])
  })

  it('gives the same with a cache that is too small for anything', async () => {
    const topic = await filledTopic(5_000)
    await using reader = open({ cacheBytes: 1 })
    for (const from of [4_000, 0, 4_000, 2_500]) {
      const range = { from, to: from + 300 }
      expect(texts(await reader.read(topic, 0, [range]))).toEqual(between(from, from + 300))
    }
  })

  it('serves reads that are asked for at the same time', async () => {
    const topic = await filledTopic(5_000)
    await using reader = open()
    const starts = [0, 4_000, 10, 4_500, 2_000]
    const answers = await Promise.all(
      starts.map((from) => reader.read(topic, 0, [{ from, to: from + 99 }])),
    )
    expect(answers.map(texts)).toEqual(starts.map((from) => between(from, from + 99)))
  })

  it('says which offsets the log does not have, and goes on', async () => {
    const topic = await filledTopic(10)
    await using reader = open()
    const beyond = reader.read(topic, 0, [{ from: 1_000, to: 1_001 }])
    await expect(beyond).rejects.toMatchObject({ code: 'offset_out_of_range' })
    expect(texts(await reader.read(topic, 0, [{ from: 8, to: 9 }]))).toEqual(between(8, 9))
  })

  // An empty answer counted as lost records: a new leader, whose high watermark lags, gives one too.
  it('waits for records that the broker does not give yet', async () => {
    const topic = await filledTopic(10)
    const { promise: warned, resolve: onWarning } = Promise.withResolvers<string>()
    await using reader = open({ onWarning })
    const reading = reader.read(topic, 0, [{ from: 5, to: 10 }])
    expect(await warned).toContain('its log ends at 10')
    await using producer = await EventProducer.open({ connection, clientId: topic })
    producer.produce({ topic, partition: 0, key: '10', value: Buffer.from(text(10)) })
    await producer.acknowledged()
    expect(texts(await reading)).toEqual(between(5, 10))
  })

  it('ends what is under way when it is disposed of', async () => {
    const reader = open({ connection: { brokers: '127.0.0.1:1' } })
    const reading = reader.read('nowhere', 0, [{ from: 0, to: 1 }])
    const [ended] = await Promise.allSettled([reading, reader[Symbol.asyncDispose]()])
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'reading_failed' } })
  })
})
