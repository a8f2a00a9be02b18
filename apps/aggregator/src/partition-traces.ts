import type { EssentialMarketEvent, LogRecord } from '@tickertape/kafka-avro'
import { instrumentIdOf, windowStartOf } from '@tickertape/market-model'
import type { Candle, Interval } from '@tickertape/market-model'
import { contextOf, messagingAttributes } from '@tickertape/tracing'
import type { Span, SpanContext, Tracing } from '@tickertape/tracing'

/** What the traces of a partition add to a transaction. */
export interface OutputTraces {
  /** Sampled records that were applied. */
  readonly records: readonly TracedRecord[]
  /** Candles that a sampled trade is in. */
  readonly candles: ReadonlyMap<Candle, CandleTrace>
}

export interface TracedRecord {
  /** Begun; it ends when it is known what becomes of the transaction. */
  readonly span: Span
  /** Ms since the epoch. */
  readonly appliedAt: number
}

export interface CandleTrace {
  /** Of its last sampled trade. */
  readonly parent: SpanContext
  /** Of those before it, the oldest first. */
  readonly links: readonly SpanContext[]
  /** When its window closed, ms since the epoch. */
  readonly closedAt: number
}

export interface PartitionTracesOptions {
  readonly tracing: Tracing
  readonly groupId: string
  readonly intervals: readonly Interval[]
}

interface OpenWindow {
  /** Of sampled trades, the last one last. */
  readonly contexts: SpanContext[]
  /** Whether one of them is in no candle in progress yet. */
  isNews: boolean
}

/** Sampled trades of a window that its candle tells of. */
const maxContexts = 8
/** Windows of one generation, of which there are two. */
const generationWindows = 5_000

/**
 * The sampled traces that come through one partition: from a record's header to the candles that its trade is
 * in. They are in memory alone: a restart forgets those of open windows, and no candle depends on them.
 */
export class PartitionTraces {
  readonly #options: PartitionTracesOptions
  /**
   * Open windows with a sampled trade. When the newer ones are too many, they become the older ones, which are
   * forgotten: those without a sampled trade for long.
   */
  #newer = new Map<string, OpenWindow>()
  #older = new Map<string, OpenWindow>()
  #records: TracedRecord[] = []
  #candles = new Map<Candle, CandleTrace>()

  constructor(options: PartitionTracesOptions) {
    this.#options = options
  }

  /** A record that has headers was applied; `event` is undefined if it could not be decoded. */
  applied(record: LogRecord, event: EssentialMarketEvent | undefined, outcome: string): void {
    const parent = contextOf(record.headers)
    if (parent === undefined) return
    const { topic, partition, offset, key, timestamp } = record
    const { groupId, tracing } = this.#options
    const appliedAt = Date.now()
    const span = tracing.start('process market-events', {
      kind: 'consumer',
      // From Kafka's append on, so that the wait for being read shows.
      startTime: timestamp ?? appliedAt,
      parent,
      attributes: {
        ...messagingAttributes({ operation: 'process', topic, partition, offset, key, groupId }),
        'tickertape.outcome': outcome,
      },
    })
    this.#records.push({ span, appliedAt })
    if (event?.type !== 'Trade' || (outcome !== 'accepted' && outcome !== 'revised')) return
    const instrumentId = instrumentIdOf(event.value)
    for (const interval of this.#options.intervals) {
      const windowStart = windowStartOf(event.value.eventTime, interval)
      this.#remember(windowOf({ instrumentId, interval, windowStart }), span.context)
    }
  }

  /** Windows have closed, or are revised. */
  closed(candles: readonly Candle[]): void {
    if (this.#isEmpty) return
    for (const candle of candles) {
      const key = windowOf(candle)
      const contexts = this.#find(key)?.contexts
      const parent = contexts?.at(-1)
      if (contexts === undefined || parent === undefined) continue
      this.#newer.delete(key)
      this.#older.delete(key)
      this.#candles.set(candle, { parent, links: contexts.slice(0, -1), closedAt: Date.now() })
    }
  }

  /** The last sampled trade of an open window, if there is one that no candle in progress told of yet. */
  takeNews(candle: Candle): SpanContext | undefined {
    if (this.#isEmpty) return undefined
    const window = this.#find(windowOf(candle))
    if (window === undefined || !window.isNews) return undefined
    window.isNews = false
    return window.contexts.at(-1)
  }

  /** @returns undefined if there is nothing. */
  takeOutput(): OutputTraces | undefined {
    if (this.#records.length === 0 && this.#candles.size === 0) return undefined
    const output = { records: this.#records, candles: this.#candles }
    this.#records = []
    this.#candles = new Map()
    return output
  }

  #remember(key: string, context: SpanContext): void {
    const contexts = this.#find(key)?.contexts ?? []
    contexts.push(context)
    if (contexts.length > maxContexts) contexts.shift()
    this.#newer.set(key, { contexts, isNews: true })
    if (this.#newer.size < generationWindows) return
    this.#older = this.#newer
    this.#newer = new Map()
  }

  get #isEmpty(): boolean {
    return this.#newer.size === 0 && this.#older.size === 0
  }

  #find(key: string): OpenWindow | undefined {
    return this.#newer.get(key) ?? this.#older.get(key)
  }
}

function windowOf({
  instrumentId,
  interval,
  windowStart,
}: Pick<Candle, 'instrumentId' | 'interval' | 'windowStart'>): string {
  return `${instrumentId}|${interval}|${windowStart}`
}
