import { describe, expect, it } from 'vitest'

import { logReaderKinds, rejectedHeaders } from '@tickertape/kafka-avro'
import type { MarketEvent } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'
import type { ServiceProcess } from '@tickertape/testing'

import { Batch } from '../src/batch.ts'
import { writeRows } from '../src/batch-rows.ts'
import { ask } from './admin-port.ts'
import { base, candle, createSinkLog, expectedTrades, storedTrades, trade } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'

const dayMs = 86_400_000

/** A sample of what the sink counts; 0 before there is one. */
async function counted(sink: ServiceProcess, name: string, labels = ''): Promise<number> {
  const line = (await ask(sink, '/metrics'))
    .split('\n')
    .find((each) => each.startsWith(name) && each.includes(labels))
  return Number(line?.split(' ').at(-1) ?? 0)
}

async function whenStored(log: SinkLog, count: number, sink: ServiceProcess): Promise<void> {
  await waitUntil('all trades', async () => {
    if (!sink.running) throw new Error(sink.output)
    return (await storedTrades(log.database)).length >= count
  })
}

/** Until an instance has counted so many records: it does so when it hears of a commit, which others see before. */
async function whenCounted(sink: ServiceProcess, records: number): Promise<void> {
  await waitUntil('everything to be counted', async () => {
    return (await counted(sink, 'pg_sink_batch_records_sum')) >= records
  })
}

/** Until everything in the log is in the database. */
async function whenRead(log: SinkLog, records: number): Promise<void> {
  await waitUntil('everything to be written', async () => {
    const { rows } = await log.database.query<{ read: string | null }>({
      text: 'select sum(next_offset) as read from sink_offsets where topic = $1',
      values: [log.topic('market-events')],
    })
    return Number(rows[0]?.read) >= records
  })
}

function manyTrades(from: number, to: number): MarketEvent[] {
  return Array.from({ length: to - from }, (_, index) => trade(from + index))
}

/** What a second replica of the feed sends: the same trades, received at another time. */
function copies(events: readonly MarketEvent[]): MarketEvent[] {
  return events.map((event) => {
    if (event.type !== 'Trade') return event
    return { type: 'Trade', value: { ...event.value, receivedAt: event.value.receivedAt + 7 } }
  })
}

describe('trades that come again', () => {
  it('from a second replica, in the same batch or later, never get to the database', async () => {
    await using log = await createSinkLog()
    const first = manyTrades(0, 3_000)
    const second = copies(first)
    const events = first.flatMap((event, index) => [event, second[index] ?? event])
    await log.appendEvents(events)
    await using sink = log.startSink({ PG_SINK_BATCH_SIZE: '500' })
    await whenCounted(sink, events.length)
    expect(await storedTrades(log.database)).toEqual(expectedTrades(events, () => Infinity))
    expect(await counted(sink, 'pg_sink_duplicates_total', 'memory')).toBe(3_000)
    expect(await counted(sink, 'pg_sink_fallbacks_total')).toBe(0)
  })

  it('to another instance are left out by the database, which takes new ones by the quick way again', async () => {
    await using log = await createSinkLog()
    const settings = { PG_SINK_BATCH_SIZE: '500' }
    const events = manyTrades(0, 1_500)
    await log.appendEvents(events)
    await using before = log.startSink(settings)
    await whenRead(log, events.length)
    await before.stop('SIGTERM')
    const again = [...copies(events), ...manyTrades(1_500, 4_500)]
    await log.appendEvents(again)
    await using sink = log.startSink(settings)
    await whenCounted(sink, again.length)
    const expected = expectedTrades([...events, ...again], () => Infinity)
    expect(await storedTrades(log.database)).toEqual(expected)
    expect(await counted(sink, 'pg_sink_duplicates_total', 'database')).toBe(1_500)
    // One COPY failed; the batches behind it were not tried that way before one had nothing left out.
    expect(await counted(sink, 'pg_sink_fallbacks_total', 'staged')).toBe(1)
    expect(await counted(sink, 'pg_sink_batches_total', 'direct')).toBeGreaterThan(0)
  })

  it('with another event time are rows of their own: a conflict that the aggregator rejects', async () => {
    await using log = await createSinkLog()
    const eventTime = base + dayMs
    await log.appendEvents([
      trade(1),
      trade(1, { eventTime }),
      trade(1, { price: { mantissa: 1, exponent: 0 } }),
    ])
    await using _sink = log.startSink()
    await whenRead(log, 3)
    const { rows } = await log.database.query(
      'select source_offset, event_time from trades order by source_offset',
    )
    expect(rows).toEqual([
      { source_offset: '0', event_time: new Date(base + 10) },
      { source_offset: '1', event_time: new Date(eventTime) },
    ])
  })
})

describe('trades of any day', () => {
  it('find a partition: today’s and the next two are there ahead, others are made', async () => {
    await using log = await createSinkLog()
    const days = [Date.UTC(2009, 0, 1), Date.UTC(2017, 11, 17), base, Date.UTC(2099, 11, 31)]
    const events = days.map((eventTime, number) => trade(number, { eventTime }))
    const impossible = [Date.UTC(2008, 11, 31), Date.UTC(2100, 0, 1)]
    events.push(...impossible.map((eventTime, number) => trade(10 + number, { eventTime })))
    await log.appendEvents(events)
    const startedAt = Date.now()
    await using sink = log.startSink()
    await whenStored(log, days.length, sink)
    const { rows } = await waitUntil('the days ahead', async () => {
      const partitionsMade = await log.database.query<{ name: string }>(
        `select relid::regclass::text as name from pg_partition_tree('trades') where isleaf order by 1`,
      )
      return partitionsMade.count >= days.length + 3 && partitionsMade
    })
    await waitUntil('the others to be rejected', async () => {
      const { rows: reasons } = await log.database.query('select reason from rejected')
      return reasons.length >= impossible.length && reasons
    })
    const { rows: rejected } = await log.database.query('select reason from rejected')
    expect(rejected).toEqual(impossible.map(() => ({ reason: 'not_storable' })))
    // A day may have begun since the sink was started.
    const expected = [startedAt, Date.now()].map((now) => {
      const ahead = [0, 1, 2].map((day) => now + day * dayMs)
      const times = [...days, ...ahead].map((time) => new Date(time).toISOString().slice(0, 10))
      return times.map((day) => `trades_${day.replaceAll('-', '')}`).toSorted()
    })
    expect(expected).toContainEqual(rows.map(({ name }) => name))
  })

  it('are dropped with their day, by PG_SINK_TRADES_RETENTION_DAYS', async () => {
    await using log = await createSinkLog()
    const now = Date.now()
    const events = [now, now - 2 * dayMs, now - 9 * dayMs].map((eventTime, number) =>
      trade(number, { eventTime }),
    )
    await log.appendEvents(events)
    await using keeping = log.startSink()
    await whenStored(log, 3, keeping)
    await keeping.stop('SIGTERM')
    await using sink = log.startSink({ PG_SINK_TRADES_RETENTION_DAYS: '7' })
    await waitUntil('the drop', async () => (await storedTrades(log.database)).length === 2)
    const dropped = await waitUntil('it to be counted', async () => {
      const count = await counted(sink, 'pg_sink_trade_partitions_dropped_total')
      return count > 0 && count
    })
    expect(dropped).toBe(1)
  })
})

describe('instruments', () => {
  it('stand as they were last described', async () => {
    await using log = await createSinkLog()
    const status = (changes: object): MarketEvent => ({
      type: 'InstrumentStatus',
      value: {
        instrumentId: 'deribit:BTC-PERPETUAL',
        feedId: 'deribit',
        status: 'listed',
        eventTime: base,
        receivedAt: base,
        base: 'BTC',
        quote: 'USD',
        kind: 'perpetual',
        quantityUnit: 'quote',
        ...changes,
      },
    })
    await log.appendEvents([status({}), status({ status: 'expired', eventTime: base + 5 })])
    await using sink = log.startSink()
    await whenRead(log, 2)
    const { rows: stored } = await log.database.query('select * from instruments')
    expect(stored, sink.output).toMatchObject([
      {
        instrument_id: 'deribit:BTC-PERPETUAL',
        venue: 'deribit',
        instrument: 'BTC-PERPETUAL',
        status: 'expired',
        kind: 'perpetual',
        quantity_unit: 'quote',
        event_time: new Date(base + 5),
      },
    ])
  })
})

describe('what is put back after a while', () => {
  it('does not replace what the log has told of an instrument, a gap or a feed since', async () => {
    await using log = await createSinkLog()
    const write = async (offset: number, name: string) => {
      const batch = new Batch()
      const position = { topic: '', partition: 0, offset }
      const feed = { feedId: name, replicaId: 'a', receivedAt: base }
      const status = { instrumentId: 'deribit:BTC', status: 'listed', eventTime: base } as const
      const facts = { base: null, quote: null, kind: null, quantityUnit: null }
      batch.addInstrument({ ...feed, ...status, ...facts }, position)
      const gap = { gapId: 'g', instrumentId: null, fromSequence: null, toSequence: null } as const
      const span = { fromTime: base, toTime: base + offset, state: 'open' } as const
      batch.addGap({ ...feed, ...gap, ...span }, position)
      batch.addHeartbeat({ ...feed, feedId: 'deribit', upTo: base + offset }, position)
      await log.database.transaction((transaction) => writeRows(transaction, batch, 'direct'))
    }
    await write(7, 'later')
    await write(3, 'earlier')
    const offsets = async (sql: string) => (await log.database.query<{ at: string }>(sql)).rows
    expect(await offsets('select feed_id as at from instruments')).toEqual([{ at: 'later' }])
    expect(await offsets('select feed_id as at from sequence_gaps')).toEqual([{ at: 'later' }])
    expect(await offsets('select heartbeat_offset as at from feed_watermarks')).toEqual([
      { at: '7' },
    ])
  })
})

describe('what is read', () => {
  it.each(logReaderKinds)('comes whole by %s, headers of rejects included', async (reader) => {
    await using log = await createSinkLog()
    const events = manyTrades(0, 500)
    await log.appendEvents(events)
    await log.appendCandles([candle({})])
    const origin = {
      reason: 'late',
      message: 'too late',
      topic: log.topic('market-events'),
      partition: 0,
      offset: 3,
    } as const
    for (const stage of ['aggregator', 'pg-sink'] as const) {
      const headers = rejectedHeaders({ stage, ...origin })
      await log.append({
        topic: log.topic('rejected'),
        partition: 0,
        key: null,
        value: Buffer.from(stage),
        headers,
      })
    }
    await using sink = log.startSink({ PG_SINK_READER: reader })
    await whenStored(log, events.length, sink)
    await waitUntil('the rejects to be read', async () => {
      const { count } = await log.database.query({
        text: 'select from sink_offsets where topic = $1 and next_offset = 2',
        values: [log.topic('rejected')],
      })
      return count === 1
    })
    // What the sink itself has put there is in the table from when it did so.
    const { rows } = await log.database.query('select stage, reason, source_offset from rejected')
    expect(rows, sink.output).toEqual([{ stage: 'aggregator', reason: 'late', source_offset: '3' }])
    await waitUntil('the candle', async () => {
      return (await log.database.query('select from candles')).count === 1
    })
  })

  it('is what PG_SINK_TOPICS names, and goes where DATABASE_SCHEMA says', async () => {
    await using log = await createSinkLog()
    await log.appendEvents(manyTrades(0, 10))
    await log.appendCandles([candle({})])
    await using sink = log.startSink({
      PG_SINK_TOPICS: 'candles',
      DATABASE_SCHEMA: 'market',
    })
    await waitUntil('the candle', async () => {
      if (!sink.running) throw new Error(sink.output)
      const { rows } = await log.database.query<{ found: string | null }>(
        `select to_regclass('market.candles') as found`,
      )
      if (rows[0]?.found === null) return false
      return (await log.database.query('select from market.candles')).count === 1
    })
    const { rows } = await log.database.query('select distinct topic from market.sink_offsets')
    expect(rows).toEqual([{ topic: log.topic('candles') }])
    expect((await log.database.query('select from candles')).count).toBe(0)
  })
})
