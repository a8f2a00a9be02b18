import { randomBytes } from 'node:crypto'

import { testStack, uniquePrefix, waitUntil } from '@tickertape/testing'
import { describe, expect, it, vi } from 'vitest'

import {
  EventProducer,
  TransactionalProducer,
  createLogReader,
  ensureTopics,
  logReaderKinds,
  topicName,
} from '../src/index.ts'
import type {
  LogReader,
  LogReaderKind,
  LogReaderOptions,
  LogRecord,
  TopicPartition,
} from '../src/index.ts'

const connection = { brokers: testStack().kafkaBrokers }
const partitionCount = 4

async function createTopic(): Promise<string> {
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions: partitionCount })
  return topicName('market-events', prefix)
}

function record(topic: string, text: string, partition = 0) {
  return { topic, partition, key: `key of ${text}`, value: Buffer.from(text) }
}

const byNumber = (a: number, b: number) => a - b

interface Member extends AsyncDisposable {
  readonly reader: LogReader
  readonly owned: () => readonly number[]
  /** What the handlers were called for, in order. */
  readonly calls: readonly string[]
  readonly ended: Promise<void>
}

interface MemberOptions {
  readonly kind: LogReaderKind
  readonly topic: string
  /** Next offsets; shared by the members of a test, as a store of offsets is. */
  readonly positions?: Map<number, number>
  readonly onRecords?: (records: readonly LogRecord[], reader: LogReader) => Promise<void> | void
  readonly options?: Partial<LogReaderOptions>
}

/** A member of the topic's group that keeps its positions as it goes. */
function join({
  kind,
  topic,
  positions = new Map(),
  onRecords,
  options = {},
}: MemberOptions): Member {
  const reader = createLogReader(kind, {
    connection,
    clientId: topic,
    groupId: topic,
    topics: [topic],
    onWarning: () => undefined,
    ...options,
  })
  const stopping = new AbortController()
  const calls: string[] = []
  const owned = new Set<number>()
  let running = 0
  const alone = async (name: string, run: () => Promise<void> | void): Promise<void> => {
    running += 1
    calls.push(running > 1 ? `${name} while another handler ran` : name)
    await run()
    running -= 1
  }
  const ended = reader.run(
    {
      async assigned(partitions) {
        await alone('assigned', () => {
          for (const { partition } of partitions) owned.add(partition)
        })
        return partitions.map((assigned) => ({
          ...assigned,
          offset: positions.get(assigned.partition) ?? 0,
        }))
      },
      async revoked(partitions: readonly TopicPartition[]) {
        await alone('revoked', () => {
          for (const { partition } of partitions) owned.delete(partition)
        })
      },
      async process(records) {
        await alone(records.length === 0 ? 'empty' : 'records', async () => {
          for (const { partition } of records) {
            if (!owned.has(partition)) calls.push(`records of ${partition}, which was revoked`)
          }
          await onRecords?.(records, reader)
          for (const { partition, offset } of records) positions.set(partition, offset + 1)
        })
      },
    },
    stopping.signal,
  )
  ended.catch(() => undefined)
  return {
    reader,
    owned: () => [...owned].toSorted(byNumber),
    calls,
    ended,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await ended.catch(() => undefined)
    },
  }
}

describe.each(logReaderKinds)('the log reader by %s', (kind) => {
  it('gives every record once and in order, while members come and go', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    const positions = new Map<number, number>()
    const seen: string[][] = Array.from({ length: partitionCount }, () => [])
    const onRecords = (records: readonly LogRecord[]) => {
      for (const { partition, value } of records) seen[partition]?.push(String(value))
    }
    const total = () => seen.reduce((sum, texts) => sum + texts.length, 0)
    let produced = 0
    const produce = async (count: number) => {
      for (let number = 0; number < count; number += 1) {
        producer.produce(record(topic, String(produced), produced % partitionCount))
        produced += 1
      }
      await producer.acknowledged()
    }
    await produce(40_000)
    const first = join({ kind, topic, positions, onRecords })
    await waitUntil('the first member reads', () => total() > 5_000)
    await produce(40_000)
    {
      await using second = join({ kind, topic, positions, onRecords })
      await waitUntil('both own partitions', () => second.owned().length === 2)
      await produce(40_000)
      await waitUntil('both have read', () => total() === produced)
      expect([...first.owned(), ...second.owned()].toSorted(byNumber)).toEqual([0, 1, 2, 3])
      expect(second.calls.filter((call) => / while | which was /.test(call))).toEqual([])
    }
    await produce(40_000)
    await waitUntil('the first reads on alone', () => total() === produced)
    await first[Symbol.asyncDispose]()
    expect(first.calls.filter((call) => / while | which was /.test(call))).toEqual([])
    expect(first.calls.at(-1)).toBe('revoked')
    for (const [partition, texts] of seen.entries()) {
      const expected = Array.from(
        { length: produced / partitionCount },
        (_, number) => number * partitionCount + partition,
      )
      expect(texts).toEqual(expected.map(String))
    }
  })

  it('begins in the middle of a batch when it is told to', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic, lingerMs: 50 })
    for (let number = 0; number < 100; number += 1) producer.produce(record(topic, `${number}`))
    await producer.acknowledged()
    const records: LogRecord[] = []
    await using member = join({
      kind,
      topic,
      positions: new Map([[0, 42]]),
      onRecords: (more) => void records.push(...more),
    })
    await waitUntil('all are read', () => records.length >= 58)
    expect(records[0]).toMatchObject({ topic, partition: 0, offset: 42 })
    expect(String(records[0]?.key)).toBe('key of 42')
    expect(records[0]?.timestamp).toBeGreaterThan(Date.now() - 60_000)
    expect(records.map(({ value }) => String(value))).toEqual(
      Array.from({ length: 58 }, (_, number) => String(number + 42)),
    )
    expect(member.reader.lastKnownEnd(topic, 0)).toBe(100)
    expect(member.reader.lastKnownEnd(topic, 9)).toBeUndefined()
  })

  it('keeps records without key and without value apart from empty ones', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    producer.produce({ topic, partition: 0, key: null, value: null })
    producer.produce({ topic, partition: 0, key: '', value: Buffer.alloc(0) })
    await producer.acknowledged()
    const records: LogRecord[] = []
    await using _member = join({
      kind,
      topic,
      onRecords: (more) => void records.push(...more),
    })
    await waitUntil('both are read', () => records.length === 2)
    expect(records.map(({ value }) => value?.length)).toEqual([undefined, 0])
    expect(records[0]?.key ?? null).toBeNull()
  })

  it('gives headers in their order, with names that repeat and values of any bytes', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    const values = ['', 'text of “letters”', Buffer.from([0, 255, 128]), 'x'.repeat(300)]
    const headers = values.map((value) => ({ 'a name': value }))
    producer.produce(record(topic, 'without'))
    producer.produce({ ...record(topic, 'with'), headers: [{ other: '1' }, ...headers] })
    producer.produce({ topic, partition: 0, key: null, value: null, headers: [{ last: '2' }] })
    await producer.acknowledged()
    const records: LogRecord[] = []
    await using _member = join({ kind, topic, onRecords: (more) => void records.push(...more) })
    await waitUntil('all are read', () => records.length === 3)
    const read = records.map((each) =>
      (each.headers ?? []).flatMap((header) =>
        Object.entries(header).map(([name, value]) => [name, Buffer.from(value)] as const),
      ),
    )
    expect(read).toEqual([
      [],
      [
        ['other', Buffer.from('1')],
        ...values.map((value) => ['a name', Buffer.from(value)] as const),
      ],
      [['last', Buffer.from('2')]],
    ])
  })

  it('delivers nothing of a paused partition, and goes on where it was when resumed', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    const seen: string[][] = [[], []]
    const paused = { topic, partition: 0 }
    let resume = false
    let resumed = false
    await using member = join({
      kind,
      topic,
      options: { maxBatch: 10, maxWaitMs: 5 },
      onRecords: (records, reader) => {
        for (const { partition, value } of records) seen[partition]?.push(String(value))
        if ((seen[0]?.length ?? 0) > 0 && !resumed) reader.pause([paused])
        if (!resume || resumed) return
        reader.resume([paused])
        resumed = true
      },
    })
    await waitUntil('it has joined', () => member.owned().length === partitionCount)
    for (let number = 0; number < 1_000; number += 1) {
      producer.produce(record(topic, String(number), 0))
      producer.produce(record(topic, String(number), 1))
    }
    await producer.acknowledged()
    await waitUntil('the other partition is read', () => seen[1]?.length === 1_000)
    expect(seen[0]?.length).toBeLessThanOrEqual(10)
    resume = true
    await waitUntil('the rest is read', () => seen[0]?.length === 1_000)
    const expected = Array.from({ length: 1_000 }, (_, number) => String(number))
    expect(seen).toEqual([expected, expected])
  })

  // A reset policy that the client ignored let readers jump to the log's end.
  it.each([1_000, 3])('halts at offset %i, which the log does not have', async (offset) => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    producer.produce(record(topic, 'only'))
    await producer.acknowledged()
    await using member = join({ kind, topic, positions: new Map([[0, offset]]) })
    await expect(member.ended).rejects.toMatchObject({ code: 'offset_out_of_range' })
    expect(member.calls).not.toContain('records')
  })

  // The failure was read only after the handler, which never ended: a hang without a message.
  it.runIf(kind === 'fetch').each(['assigned', 'process'] as const)(
    'ends with a warning when %s hangs for 300 s',
    async (hanging) => {
      const topic = await createTopic()
      const warnings: string[] = []
      const reader = createLogReader(kind, {
        connection,
        clientId: topic,
        groupId: topic,
        topics: [topic],
        onWarning: (message) => void warnings.push(message),
      })
      const { promise: never } = Promise.withResolvers<never>()
      let hangs = false
      const hang = (): Promise<never> => {
        hangs = true
        return never
      }
      const ended = reader.run(
        {
          assigned: async (partitions) =>
            hanging === 'assigned'
              ? await hang()
              : partitions.map((assigned) => ({ ...assigned, offset: 0 })),
          revoked: () => Promise.resolve(),
          process: hang,
        },
        new AbortController().signal,
      )
      ended.catch(() => undefined)
      await waitUntil('a handler hangs', () => hangs)
      const now = performance.now.bind(performance)
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 301_000)
      try {
        await expect(ended).rejects.toMatchObject({ code: 'reading_failed' })
      } finally {
        clock.mockRestore()
      }
      expect(warnings).toContainEqual(expect.stringContaining('for 300 s'))
    },
  )

  it('says that nothing came, again and again, and delivers a single record at once', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic, lingerMs: 0 })
    const seen: string[] = []
    await using member = join({
      kind,
      topic,
      options: { maxWaitMs: 10 },
      onRecords: (records) => void seen.push(...records.map(({ value }) => String(value))),
    })
    const empty = () => member.calls.filter((call) => call === 'empty').length
    await waitUntil('nothing came three times', () => empty() >= 3)
    producer.produce(record(topic, 'single', 2))
    await waitUntil('it comes', () => seen.length === 1, { everyMs: 1 })
    expect(seen).toEqual(['single'])
  })

  it('reads records of 1 MB', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    // Random bytes do not shrink; the topic takes 1 MiB with the batch around it.
    const values = Array.from({ length: 12 }, () => randomBytes(1_000_000))
    for (const value of values) producer.produce({ topic, partition: 1, key: null, value })
    await producer.acknowledged()
    const seen: LogRecord[] = []
    await using _member = join({ kind, topic, onRecords: (records) => void seen.push(...records) })
    await waitUntil('all are read', () => seen.length === values.length)
    for (const [at, value] of values.entries()) {
      expect(seen[at]?.value?.equals(value)).toBe(true)
    }
  })

  it('lets go of its partitions between two batches, however much is waiting', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    const produced = 100_000
    for (let number = 0; number < produced; number += 1) {
      producer.produce(record(topic, String(number), number % partitionCount))
    }
    await producer.acknowledged()
    let seen = 0
    await using first = join({
      kind,
      topic,
      options: { maxBatch: 100 },
      // Work that takes its time: all of it would last a minute.
      onRecords: async (records) => {
        seen += records.length
        await new Promise((resolve) => setTimeout(resolve, 50))
      },
    })
    await waitUntil('the first is at work', () => first.calls.includes('records'))
    await using second = join({ kind, topic })
    await waitUntil('the second owns its share', () => second.owned().length === 2)
    expect(first.calls).toContain('revoked')
    expect(seen).toBeLessThan(produced)
  })

  it('ends with what a handler threw, and leaves the group', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    producer.produce(record(topic, 'a'))
    await producer.acknowledged()
    await using failing = join({
      kind,
      topic,
      onRecords: (records) => {
        if (records.length > 0) throw new Error('the handler failed')
      },
    })
    await expect(failing.ended).rejects.toThrow('the handler failed')
    await using next = join({ kind, topic })
    await waitUntil('another member owns everything', () => next.owned().length === partitionCount)
  })

  it('gives of transactions what was committed', async () => {
    const topic = await createTopic()
    const identity = { connection, clientId: topic, transactionalId: topic }
    {
      // Its disposal aborts.
      await using aborting = await TransactionalProducer.open(identity)
      await aborting.begin()
      await aborting.produce(record(topic, 'aborted'))
    }
    await using producer = await TransactionalProducer.open(identity)
    await producer.begin()
    await producer.produce(record(topic, 'committed'))
    await producer.commit()
    await producer.begin()
    await producer.produce(record(topic, 'committed later'))
    const seen: string[] = []
    await using _member = join({
      kind,
      topic,
      onRecords: (records) => void seen.push(...records.map(({ value }) => String(value))),
    })
    await waitUntil('the first is read', () => seen.length > 0)
    expect(seen).toEqual(['committed'])
    await producer.commit()
    await waitUntil('the second is read', () => seen.length > 1)
    expect(seen).toEqual(['committed', 'committed later'])
  })

  it('reads several topics in one group, those written in transactions read committed', async () => {
    const prefix = uniquePrefix()
    await ensureTopics({ connection, prefix, partitions: partitionCount })
    const topics = (['market-events', 'candles', 'rejected'] as const).map((topic) =>
      topicName(topic, prefix),
    )
    const [plain = '', transactional = '', rejected = ''] = topics
    await using producer = await EventProducer.open({ connection, clientId: prefix })
    await using committing = await TransactionalProducer.open({
      connection,
      clientId: prefix,
      transactionalId: prefix,
    })
    await committing.begin()
    const seen = new Map<string, string[]>()
    const stopping = new AbortController()
    const reader = createLogReader(kind, {
      connection,
      clientId: prefix,
      groupId: prefix,
      topics,
      onWarning: () => undefined,
    })
    const ended = reader.run(
      {
        assigned: (partitions) =>
          Promise.resolve(partitions.map((assigned) => ({ ...assigned, offset: 0 }))),
        revoked: () => Promise.resolve(),
        process: async (records) => {
          for (const { topic, partition, value } of records) {
            const key = `${topic} ${partition}`
            seen.set(key, [...(seen.get(key) ?? []), String(value)])
          }
        },
      },
      stopping.signal,
    )
    for (let number = 0; number < 100; number += 1) {
      producer.produce(record(plain, `${number}`, number % partitionCount))
      producer.produce(record(rejected, `${number}`, number % partitionCount))
      await committing.produce(record(transactional, `${number}`, number % partitionCount))
    }
    await producer.acknowledged()
    const count = (topic: string) =>
      [...seen].reduce((sum, [key, texts]) => sum + (key.startsWith(topic) ? texts.length : 0), 0)
    await waitUntil('the plain ones are read', () => count(plain) + count(rejected) === 200)
    expect(count(transactional)).toBe(0)
    await committing.commit()
    await waitUntil('the committed ones too', () => count(transactional) === 100)
    for (const topic of topics) {
      for (let partition = 0; partition < partitionCount; partition += 1) {
        const expected = Array.from({ length: 25 }, (_, at) => String(at * 4 + partition))
        expect(seen.get(`${topic} ${partition}`)).toEqual(expected)
      }
    }
    expect(reader.assignment).toHaveLength(3 * partitionCount)
    stopping.abort()
    await ended
  })
})
