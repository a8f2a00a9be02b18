import { testStack, uniquePrefix, waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import {
  EventProducer,
  LogTail,
  TransactionalProducer,
  ensureTopics,
  topicName,
} from '../src/index.ts'
import type { LogRecord } from '../src/index.ts'

const connection = { brokers: testStack().kafkaBrokers }
const partitions = 2

async function createTopic(): Promise<string> {
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions })
  return topicName('candles', prefix)
}

function record(topic: string, partition: number, text: string) {
  return { topic, partition, key: text, value: Buffer.from(text) }
}

function tailOf(topic: string, offset = 0): LogTail {
  return new LogTail({
    connection,
    clientId: topic,
    positions: [...Array(partitions).keys()].map((partition) => ({ topic, partition, offset })),
    onWarning: () => undefined,
  })
}

async function take(tail: LogTail, count: number): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = []
  await waitUntil(`${count} records`, async () => {
    all.push(...(await tail.next(3, 100, AbortSignal.timeout(10_000))))
    return all.length >= count
  })
  return all
}

function textsOf(records: readonly LogRecord[], partition: number): readonly string[] {
  return records.filter((each) => each.partition === partition).map(({ value }) => String(value))
}

describe('a tail of partitions', () => {
  it('gives what is there and what comes, in order, without what was aborted', async () => {
    const topic = await createTopic()
    await using tail = tailOf(topic)
    const produce = async (numbers: readonly number[], commit: boolean): Promise<void> => {
      await using transactions = await TransactionalProducer.open({
        connection,
        clientId: topic,
        transactionalId: topic,
      })
      await transactions.begin()
      for (const number of numbers) {
        for (const partition of [0, 1]) {
          await transactions.produce(record(topic, partition, `${commit} ${number}`))
        }
      }
      if (commit) await transactions.commit()
    }
    await produce([1, 2], true)
    const first = await take(tail, 4)
    await produce([3], false)
    await produce([4, 5, 6], true)
    const second = await take(tail, 6)
    for (const partition of [0, 1]) {
      expect(textsOf([...first, ...second], partition)).toEqual(
        [1, 2, 4, 5, 6].map((number) => `true ${number}`),
      )
    }
  })

  it('passes the markers of transactions, so that nothing is left to read at the end', async () => {
    const topic = await createTopic()
    await using tail = tailOf(topic)
    await using transactions = await TransactionalProducer.open({
      connection,
      clientId: topic,
      transactionalId: topic,
    })
    await transactions.begin()
    await transactions.produce(record(topic, 0, 'one'))
    await transactions.commit()
    await waitUntil('the end', async () => {
      await tail.next(10, 100, AbortSignal.timeout(10_000))
      const [progress] = tail.progress
      return progress?.end === 2 && progress.position === 2
    })
    expect(tail.progress.map(({ position }) => position)).toEqual([2, 0])
  })

  it('does not jump where an offset is not in the log', async () => {
    const topic = await createTopic()
    await using tail = tailOf(topic, 5)
    const failure = await waitUntil('the failure', async () => {
      try {
        await tail.next(1, 100, AbortSignal.timeout(10_000))
        return undefined
      } catch (error) {
        return error
      }
    })
    expect(failure).toMatchObject({ code: 'offset_out_of_range' })
  })

  it('keeps back what is paused, and goes on behind it', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic, lingerMs: 0 })
    await using tail = tailOf(topic)
    tail.setPaused(topic, true)
    for (const text of ['a', 'b', 'c']) producer.produce(record(topic, 1, text))
    await producer.acknowledged()
    await waitUntil('the end to be known', () => tail.progress[1]?.end === 3)
    expect(await tail.next(10, 0, AbortSignal.timeout(10_000))).toEqual([])
    tail.setPaused(topic, false)
    expect(textsOf(await take(tail, 3), 1)).toEqual(['a', 'b', 'c'])
  })
})
