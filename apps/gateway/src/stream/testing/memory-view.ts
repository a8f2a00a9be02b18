import type { InstrumentSummary, StatsSpan, StatsSubject } from '@tickertape/market-api'
import { intervalMs } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'

import type {
  EncodedCandle,
  EncodedStats,
  EncodedTrade,
  FeedView,
  MarketUpdate,
  MarketView,
  StreamPosition,
  UpdatesListener,
} from '../../market-view.ts'

/** What a test tells of a candle; the rest of the resource is made up. */
export interface ToldCandle {
  readonly instrumentId: string
  readonly interval?: Interval
  readonly windowStart: number
  readonly close: number
  readonly final: boolean
  readonly revision?: number
  /** Any text, to make the candle longer. */
  readonly indicator?: string
}

/**
 * A MarketView of two partitions that a test feeds: candles of an instrument go to the partition that the
 * length of its name chooses.
 */
export class MemoryView implements MarketView {
  readonly #candles = new Map<string, Map<number, EncodedCandle>>()
  readonly #trades = new Map<string, EncodedTrade[]>()
  readonly #stats = new Map<string, Map<string, EncodedStats>>()
  readonly #listeners = new Set<UpdatesListener>()
  readonly #resets = new Set<() => void>()
  readonly #log: MarketUpdate[] = []
  readonly #next = { candles: [0, 0], marketEvents: [0, 0] }
  /** Offsets below it are not remembered. */
  readonly #first = { candles: [0, 0], marketEvents: [0, 0] }

  position(): StreamPosition {
    return { candles: [...this.#next.candles], marketEvents: [...this.#next.marketEvents] }
  }

  instrumentIds(): Iterable<string> {
    const ofCandles = [...this.#candles.keys()].map((key) => key.split(' ')[0] ?? '')
    return new Set([...ofCandles, ...this.#trades.keys()])
  }

  candles(instrumentId: string, interval: Interval, count: number): readonly EncodedCandle[] {
    const held = [...(this.#candles.get(`${instrumentId} ${interval}`)?.values() ?? [])]
    return held.toSorted((a, b) => a.windowStart - b.windowStart).slice(-count)
  }

  heldFrom(instrumentId: string, interval: Interval): number | undefined {
    return this.candles(instrumentId, interval, Infinity)[0]?.windowStart
  }

  releasedTo(): number {
    return 0
  }

  trades(instrumentId: string, count: number): readonly EncodedTrade[] {
    return (this.#trades.get(instrumentId) ?? []).slice(-count)
  }

  stats(of: StatsSubject, span: StatsSpan): ReadonlyMap<string, EncodedStats> {
    return this.#stats.get(`${of} ${span}`) ?? new Map()
  }

  summary(): InstrumentSummary | null {
    return null
  }

  feeds(): readonly FeedView[] {
    return []
  }

  since(position: StreamPosition): readonly MarketUpdate[] | 'too_old' | 'unknown' {
    const topics = ['candles', 'marketEvents'] as const
    const partitions = [0, 1]
    for (const topic of topics) {
      if (position[topic].length !== partitions.length) return 'unknown'
      for (const partition of partitions) {
        const at = position[topic][partition] ?? 0
        if (at > (this.#next[topic][partition] ?? 0)) return 'unknown'
        if (at < (this.#first[topic][partition] ?? 0)) return 'too_old'
      }
    }
    return this.#log.filter((update) => {
      if (update.type === 'stats' || update.place === undefined) return false
      const { topic, partition, offset } = update.place
      const from = topic === 'candles' ? position.candles : position.marketEvents
      return offset >= (from[partition] ?? 0)
    })
  }

  listen(listener: UpdatesListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  onReset(listener: () => void): Disposable {
    this.#resets.add(listener)
    return { [Symbol.dispose]: () => this.#resets.delete(listener) }
  }

  /** One batch of candles. */
  tellCandles(...told: readonly ToldCandle[]): void {
    this.#tell(
      told.map((one) => {
        const candle = encodedCandle(one)
        const key = `${candle.instrumentId} ${candle.interval}`
        const windows = this.#candles.get(key) ?? new Map<number, EncodedCandle>()
        this.#candles.set(key, windows)
        windows.set(candle.windowStart, candle)
        const place = candle.final ? this.#place('candles', candle.instrumentId) : undefined
        return { type: 'candle', candle, place }
      }),
    )
  }

  tellTrade(instrumentId: string, tradeId: string): void {
    const trade = encodedTrade(instrumentId, tradeId)
    this.#trades.set(instrumentId, [...(this.#trades.get(instrumentId) ?? []), trade])
    this.#tell([{ type: 'trade', trade, place: this.#place('marketEvents', instrumentId) }])
  }

  tellTokenStats(token: string, span: StatsSpan, tradeCount: number): void {
    const stats = encodedTokenStats(token, span, tradeCount)
    const named = this.#stats.get(`tokens ${span}`) ?? new Map<string, EncodedStats>()
    this.#stats.set(`tokens ${span}`, named.set(token, stats))
    this.#tell([{ type: 'stats', stats }])
  }

  /** What is asked for from before now is not remembered any more. */
  forget(): void {
    this.#first.candles = [...this.#next.candles]
    this.#first.marketEvents = [...this.#next.marketEvents]
    this.#log.length = 0
  }

  /** As after it had to be made anew. */
  reset(): void {
    for (const listener of this.#resets) listener()
  }

  #tell(updates: readonly MarketUpdate[]): void {
    this.#log.push(...updates)
    for (const listener of this.#listeners) listener(updates, Date.now())
  }

  #place(topic: 'candles' | 'marketEvents', instrumentId: string) {
    const partition = instrumentId.length % 2
    const offset = this.#next[topic][partition] ?? 0
    this.#next[topic][partition] = offset + 1
    return { topic: topic === 'candles' ? topic : 'market-events', partition, offset } as const
  }
}

function encodedCandle(told: ToldCandle): EncodedCandle {
  const { instrumentId, interval = '1m', windowStart, close, final, revision = 0 } = told
  const text = String(close)
  const resource = {
    instrumentId,
    interval,
    windowStart,
    windowEnd: windowStart + intervalMs(interval),
    open: text,
    high: text,
    low: text,
    close: text,
    volume: '1',
    buyVolume: '0.5',
    quoteVolume: text,
    notionalUsd: null,
    vwap: text,
    tradeCount: 1,
    indicators: told.indicator === undefined ? {} : { [told.indicator]: 1 },
    quality: 'complete',
    revision,
    final,
    firstSequence: null,
    lastSequence: null,
    rebuildId: null,
  }
  const json = JSON.stringify(resource)
  return { instrumentId, interval, windowStart, revision, rebuildId: null, final, json }
}

function encodedTrade(instrumentId: string, tradeId: string): EncodedTrade {
  const unknown = {
    notionalUsd: null,
    impliedVolatility: null,
    liquidation: null,
    counterparty: null,
    book: null,
    maturesAt: null,
    txHash: null,
    baseToken: null,
    quoteToken: null,
  }
  const resource = {
    instrumentId,
    tradeId,
    version: 0,
    status: 'confirmed',
    sequence: null,
    price: '1.5',
    quantity: '2',
    takerSide: 'buy',
    eventTime: 1_000,
    receivedAt: 1_001,
    expired: false,
    ...unknown,
  }
  return { instrumentId, tradeId, version: 0, eventTime: 1_000, json: JSON.stringify(resource) }
}

function encodedTokenStats(token: string, span: StatsSpan, tradeCount: number): EncodedStats {
  const resource = {
    token,
    span,
    from: 0,
    to: 300_000,
    tradeCount,
    notionalUsd: null,
    quality: 'complete',
    isComplete: true,
    minutes: { complete: 5, quiet: 0, backfilled: 0, partial: 0, gap: 0, missing: 0 },
    instruments: 1,
    volume: '1',
    volumeAsBase: '1',
    volumeAsQuote: null,
    buyVolume: '0.5',
  }
  return { of: 'tokens', span, name: token, json: JSON.stringify(resource) }
}
