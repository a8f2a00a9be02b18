import { describe, expect, it } from 'vitest'

import { partitionOf, rejectedHeaders } from '@tickertape/kafka-avro'
import type { MarketEvent, SequenceGap } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'

import { base, candle, createSinkLog, heartbeat, partitions, trade } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'

/** @param partitions those that must all get there; any one suffices unless given. */
async function whenRead(
  log: SinkLog,
  topic: 'market-events' | 'candles',
  offset: number,
  partitions?: readonly number[],
) {
  await waitUntil(`offset ${offset} of ${topic}`, async () => {
    const { count } = await log.database.query({
      text: 'select from sink_offsets where topic = $1 and next_offset >= $2',
      values: [log.topic(topic), offset],
    })
    return count >= (partitions?.length ?? 1)
  })
}

describe('candles', () => {
  it('a higher revision replaces a lower one, whenever it comes, and never the other way', async () => {
    await using log = await createSinkLog()
    await using sink = log.startSink({ PG_SINK_BATCH_WAIT_MS: '0' })
    const close = (mantissa: number) => ({ close: { mantissa, exponent: 0 } })
    await log.appendCandles([
      candle({ revision: 1, ...close(1) }),
      candle({ revision: 0, ...close(2) }),
    ])
    await whenRead(log, 'candles', 2)
    await log.appendCandles([candle({ revision: 0, ...close(3) })])
    // Behind the marker of the transaction before.
    await whenRead(log, 'candles', 4)
    const closes = async () =>
      (await log.database.query('select close, revision, rebuild_id from candles')).rows
    expect(await closes(), sink.output).toEqual([{ close: '1', revision: 1, rebuild_id: null }])
    await log.appendCandles([candle({ revision: 2, ...close(4) })])
    await whenRead(log, 'candles', 6)
    expect(await closes()).toEqual([{ close: '4', revision: 2, rebuild_id: null }])
    await log.appendCandles([candle({ revision: 0, rebuildId: 9, ...close(5) })])
    await whenRead(log, 'candles', 8)
    expect(await closes()).toEqual([{ close: '5', revision: 0, rebuild_id: '9' }])
  })

  it('every column arrives, to the last digit', async () => {
    await using log = await createSinkLog()
    await using sink = log.startSink()
    await log.appendCandles([candle({})])
    await whenRead(log, 'candles', 1)
    const { rows } = await log.database.query('select * from candles')
    expect(rows, sink.output).toEqual([
      {
        instrument_id: 'deribit:BTC-PERPETUAL',
        interval: '1s',
        window_start: new Date(base),
        window_end: new Date(base + 1_000),
        open: '1',
        high: '1',
        low: '1',
        close: '1',
        volume: '1',
        buy_volume: '1',
        quote_volume: '1',
        notional_usd: null,
        vwap: '0.123456789012345678',
        trade_count: '1',
        indicators: { 'close:span=12': 0.1 },
        quality: 'complete',
        revision: 0,
        final: true,
        first_sequence: '1',
        last_sequence: null,
        rebuild_id: null,
      },
    ])
  })
})

describe('market events', () => {
  it('heartbeats move the watermark of their feed, but not those from the future, nor backwards', async () => {
    await using log = await createSinkLog()
    await using sink = log.startSink()
    await log.appendEvents([
      heartbeat(base + 2_000),
      heartbeat(base + 1_000),
      heartbeat(base + 99_000, base + 90_000),
    ])
    await whenRead(log, 'market-events', 3, [0, 1])
    const { rows } = await log.database.query('select * from feed_watermarks order by partition')
    expect(rows, sink.output).toEqual(
      [0, 1].map((partition) => ({
        partition,
        feed_id: 'deribit',
        up_to: new Date(base + 2_000),
        heartbeat_offset: '1',
      })),
    )
  })

  it('a gap is stored as each partition, and each instrument in it, last told of it', async () => {
    await using log = await createSinkLog()
    await using sink = log.startSink()
    const gap = (state: SequenceGap['state'], instrumentId: string | null): MarketEvent => ({
      type: 'SequenceGap',
      value: {
        gapId: 'deribit|disconnect|7',
        feedId: 'deribit',
        replicaId: 'a',
        instrumentId,
        fromTime: base,
        toTime: base + 500,
        fromSequence: 4,
        toSequence: 9,
        state,
      },
    })
    const instrumentId = 'deribit:BTC-PERPETUAL'
    await log.appendEvents([
      gap('open', null),
      gap('open', instrumentId),
      gap('unrecoverable', null),
      gap('backfilled', instrumentId),
    ])
    const own = partitionOf(instrumentId, partitions)
    await whenRead(log, 'market-events', 4, [own])
    await whenRead(log, 'market-events', 2, [0, 1])
    const { rows } = await log.database.query(
      `select gap_id, source_partition, instrument_id, from_sequence, to_time, state
        from sequence_gaps order by source_partition, state`,
    )
    const row = {
      gap_id: 'deribit|disconnect|7',
      from_sequence: '4',
      to_time: new Date(base + 500),
    }
    const ofInstrument = { ...row, instrument_id: instrumentId, state: 'backfilled' }
    const ofFeed = { ...row, instrument_id: null, state: 'unrecoverable' }
    expect(rows, sink.output).toEqual(
      [0, 1].flatMap((partition) =>
        [...(partition === own ? [ofInstrument] : []), ofFeed].map((expected) => ({
          ...expected,
          source_partition: partition,
        })),
      ),
    )
  })
})

describe('records that cannot be used', () => {
  it('are kept in rejected with their bytes and reason, and stop nothing', async () => {
    await using log = await createSinkLog()
    await using sink = log.startSink()
    const topic = log.topic('market-events')
    await log.append({ topic, partition: 0, key: 'k', value: Buffer.from('no Avro') })
    await log.append({ topic, partition: 0, key: null, value: null })
    await log.append({
      topic,
      partition: 0,
      key: null,
      value: Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]),
    })
    await log.append({
      topic: log.topic('candles'),
      partition: 1,
      key: null,
      value: Buffer.from([1]),
    })
    const origin = {
      stage: 'aggregator',
      reason: 'late',
      message: 'behind the watermark',
      topic,
      partition: 1,
      offset: 42,
    } as const
    await log.append({
      topic: log.topic('rejected'),
      partition: 0,
      key: 'deribit:BTC-PERPETUAL',
      value: Buffer.from('as it came'),
      headers: rejectedHeaders(origin),
    })
    await log.appendEvents([trade(1, { tradeId: 'a\0b' }), trade(2)])
    const stored = await waitUntil('all rejects', async () => {
      const { rows } = await log.database.query<{ value: Buffer | null }>(
        `select topic, partition, "offset", stage, reason, source_topic, source_partition,
          source_offset, key, value from rejected order by stage, topic, partition, "offset"`,
      )
      return rows.length >= 6 && rows
    })
    const own = (name: string, partition: number, offset: number, reason: string) => ({
      topic: name,
      partition,
      offset: String(offset),
      stage: 'pg-sink',
      reason,
      source_topic: name,
      source_partition: partition,
      source_offset: String(offset),
    })
    expect(stored, sink.output).toMatchObject([
      {
        topic: log.topic('rejected'),
        partition: 0,
        offset: '0',
        stage: 'aggregator',
        reason: 'late',
        source_topic: topic,
        source_partition: 1,
        source_offset: '42',
        key: Buffer.from('deribit:BTC-PERPETUAL'),
        value: Buffer.from('as it came'),
      },
      own(log.topic('candles'), 1, 0, 'undecodable'),
      { ...own(topic, 0, 0, 'undecodable'), key: Buffer.from('k'), value: Buffer.from('no Avro') },
      { ...own(topic, 0, 1, 'undecodable'), key: null, value: null },
      own(topic, 0, 2, 'unknown_schema_id'),
      { reason: 'not_storable' },
    ])
    const trades = await waitUntil('the trade behind them', async () => {
      const { rows } = await log.database.query('select trade_id from trades')
      return rows.length > 0 && rows
    })
    expect(trades).toEqual([{ trade_id: 't2' }])
  })
})
