import { setImmediate as nextTurn } from 'node:timers/promises'

import { intervals } from '@tickertape/market-model'
import type { Database, Transaction } from '@tickertape/market-store'

import type { StreamPosition } from '../market-view.ts'
import { backlogStart } from './backlog-start.ts'
import { dayMs } from './day-prices.ts'
import type { InstrumentDescription } from './instrument-memory.ts'
import { MarketMemory } from './market-memory.ts'
import type { MemoryLimits, MemoryStart } from './market-memory.ts'
import {
  candleColumns,
  candleOf,
  notHeld,
  tradeColumns,
  tradeIdentityColumns,
  tradeOf,
} from './snapshot-rows.ts'
import type { CandleRow, TradeIdentityRow, TradeRow } from './snapshot-rows.ts'

export interface SnapshotOptions {
  readonly database: Database
  readonly limits: MemoryLimits
  /** Names of the topics that offsets are of. */
  readonly topics: { readonly candles: string; readonly marketEvents: string }
  /** First offset that each partition keeps: what is read where the sink has written nothing yet. */
  readonly earliest: StreamPosition
  /** First offsets of the time that those who resume can go back to, by partition. */
  readonly remembered: {
    readonly candles: ReadonlyMap<number, number>
    readonly marketEvents: ReadonlyMap<number, number>
  }
  /** Ends it between two statements. */
  readonly signal: AbortSignal
}

/** Instruments in one statement: some 15,000 rows at most are in memory at a time. */
const instrumentsAtOnce = 4
const secondsSpanMs = 300_000
const minuteMs = 60_000

/**
 * Begins a memory with what the database holds, and the offsets that this reflects: read in one transaction,
 * whose statements all see the same moment.
 *
 * @throws what PostgreSQL or the connection says; the signal's reason.
 */
export async function readSnapshot(options: SnapshotOptions): Promise<MarketMemory> {
  return await options.database.transaction(
    async (transaction) => await new SnapshotReading(transaction, options).read(),
    'begin isolation level repeatable read read only',
  )
}

class SnapshotReading {
  readonly #transaction: Transaction
  readonly #options: SnapshotOptions

  constructor(transaction: Transaction, options: SnapshotOptions) {
    this.#transaction = transaction
    this.#options = options
  }

  async read(): Promise<MarketMemory> {
    const memory = new MarketMemory(await this.#start(), this.#options.limits)
    const descriptions = await this.#descriptions()
    const lastWindowEnds = await this.#lastWindowEnds()
    // Without a heartbeat there is no event time that an instrument could be dormant at.
    const dormantBefore = memory.asOf === 0 ? -Infinity : memory.asOf - dayMs
    const ids = new Set([...descriptions.keys(), ...lastWindowEnds.keys()])
    const active: string[] = []
    for (const instrumentId of ids) {
      const lastWindowEnd = lastWindowEnds.get(instrumentId)
      const isDormant = lastWindowEnd !== undefined && lastWindowEnd <= dormantBefore
      memory.restoreInstrument(instrumentId, descriptions.get(instrumentId), isDormant)
      if (lastWindowEnd !== undefined && !isDormant) active.push(instrumentId)
    }
    for (let at = 0; at < active.length; at += instrumentsAtOnce) {
      this.#options.signal.throwIfAborted()
      await this.#restore(memory, active.slice(at, at + instrumentsAtOnce))
      await nextTurn()
    }
    return memory
  }

  async #start(): Promise<MemoryStart> {
    const { topics, earliest } = this.#options
    const { rows: offsets } = await this.#transaction.query<{
      topic: string
      partition: number
      next_offset: number
    }>({
      text: `select topic, partition, next_offset::float8 as next_offset from sink_offsets
        where topic = any($1)`,
      values: [[topics.candles, topics.marketEvents]],
    })
    const from = (topic: string, partition: number, otherwise: number): number =>
      offsets.find((row) => row.topic === topic && row.partition === partition)?.next_offset ??
      otherwise
    const { rows: watermarks } = await this.#transaction.query<{
      partition: number
      feed_id: string
      up_to: number
    }>(
      'select partition, feed_id, extract(epoch from up_to)::float8 * 1000 as up_to from feed_watermarks',
    )
    const position = {
      candles: earliest.candles.map((low, partition) => from(topics.candles, partition, low)),
      marketEvents: earliest.marketEvents.map((low, partition) =>
        from(topics.marketEvents, partition, low),
      ),
    }
    return {
      position,
      backlogFrom: this.#backlogFrom(position),
      watermarks: watermarks.map(({ partition, feed_id: feedId, up_to: upTo }) => ({
        partition,
        feedId,
        upTo: Math.round(upTo),
      })),
    }
  }

  #backlogFrom(position: StreamPosition): StreamPosition {
    const { limits, earliest, remembered } = this.#options
    const records = limits.backlog.updates
    const of = (topic: keyof StreamPosition): readonly number[] =>
      backlogStart(position[topic], { low: earliest[topic], atTime: remembered[topic], records })
    return { candles: of('candles'), marketEvents: of('marketEvents') }
  }

  async #descriptions(): Promise<ReadonlyMap<string, InstrumentDescription>> {
    const { rows } = await this.#transaction.query<{
      instrument_id: string
      feed_id: string
      base: string | null
      quote: string | null
      quantity_unit: InstrumentDescription['quantityUnit']
    }>('select instrument_id, feed_id, base, quote, quantity_unit from instruments')
    return new Map(
      rows.map(({ instrument_id: id, feed_id: feedId, base, quote, quantity_unit: unit }) => [
        id,
        { feedId, base, quote, quantityUnit: unit },
      ]),
    )
  }

  /** By instrument, when its last candle of any interval ends. */
  async #lastWindowEnds(): Promise<ReadonlyMap<string, number>> {
    // One step through the key for each instrument, where `distinct` would read every candle.
    const { rows } = await this.#transaction.query<{ id: string; last_window_end: number }>({
      text: `with recursive ids(id) as (
          (select instrument_id from candles order by instrument_id limit 1)
          union all
          select (select c.instrument_id from candles c where c.instrument_id > ids.id
            order by c.instrument_id limit 1)
          from ids where ids.id is not null
        )
        select ids.id, extract(epoch from max(c.window_end))::float8 * 1000 as last_window_end
        from ids, unnest($1::text[]) of(interval), lateral (
          select window_end from candles
          where instrument_id = ids.id and candles.interval = of.interval
          order by window_start desc limit 1
        ) c
        group by ids.id`,
      values: [intervals],
    })
    return new Map(rows.map(({ id, last_window_end: end }) => [id, Math.round(end)]))
  }

  async #restore(memory: MarketMemory, instrumentIds: readonly string[]): Promise<void> {
    const { limits } = this.#options
    const latest = await this.#transaction.query<CandleRow>({
      text: `select ${candleColumns}
        from unnest($1::text[]) ids(id), unnest($2::text[]) of(interval), lateral (
          select * from candles
          where candles.instrument_id = ids.id and candles.interval = of.interval
          order by window_start desc limit $3
        ) c`,
      values: [instrumentIds, intervals, limits.candles],
    })
    for (const row of latest.rows) memory.restoreCandle(candleOf(row))
    await this.#restoreStats(memory, instrumentIds, '1m', dayMs + minuteMs)
    await this.#restoreStats(memory, instrumentIds, '1s', secondsSpanMs)
    await this.#restoreTrades(memory, instrumentIds)
  }

  async #restoreTrades(memory: MarketMemory, instrumentIds: readonly string[]): Promise<void> {
    const { limits } = this.#options
    const since = timeText(memory.asOf - dayMs)
    const trades = await this.#transaction.query<TradeRow>({
      text: `select ${tradeColumns} from unnest($1::text[]) ids(id), lateral (
          select * from trades where trades.instrument_id = ids.id and event_time >= $2::timestamptz
          order by event_time desc limit $3
        ) t
        order by t.source_offset`,
      values: [instrumentIds, since, limits.trades],
    })
    if (limits.tradeIdentities > limits.trades) {
      const identities = await this.#transaction.query<TradeIdentityRow>({
        text: `select ${tradeIdentityColumns} from unnest($1::text[]) ids(id), lateral (
            select * from trades where trades.instrument_id = ids.id and event_time >= $2::timestamptz
            order by event_time desc limit $3
          ) t
          order by t.source_offset`,
        values: [instrumentIds, since, limits.tradeIdentities],
      })
      for (const { instrument_id: id, trade_id: tradeId, version } of notHeld(
        identities.rows,
        trades.rows,
      )) {
        memory.restoreTradeIdentity(id, tradeId, version)
      }
    }
    // In the order of the log: of equal identities the first counts.
    for (const row of trades.rows) memory.restoreTrade(tradeOf(row), Date.now())
  }

  async #restoreStats(
    memory: MarketMemory,
    instrumentIds: readonly string[],
    interval: '1s' | '1m',
    spanMs: number,
  ): Promise<void> {
    const { rows } = await this.#transaction.query<CandleRow>({
      text: `select ${candleColumns} from unnest($1::text[]) ids(id), lateral (
          select * from candles where candles.instrument_id = ids.id and candles.interval = $2
          and window_start >= $3::timestamptz
        ) c`,
      values: [instrumentIds, interval, timeText(memory.asOf - spanMs)],
    })
    for (const row of rows) memory.restoreForStats(candleOf(row))
  }
}

/** Without a heartbeat event time is 0: from the beginning on then. */
function timeText(ms: number): string {
  return new Date(Math.max(0, ms)).toISOString()
}
