import type {
  AggregationEvent,
  LoggedTrade,
  PartitionAggregation,
  StateChanges,
} from '@tickertape/candles'
import { DecodeFailure } from '@tickertape/kafka-avro'
import type { LogRecord, MarketEventReader } from '@tickertape/kafka-avro'
import type { Candle, OffsetRange, Rebuild, RebuildProgress } from '@tickertape/market-model'

import type { OutputTraces, PartitionTraces } from './partition-traces.ts'
import { rejectionOf } from './rejections.ts'
import type { Rejection } from './rejections.ts'

/** Why a partition's records were not applied on. */
export type Stop =
  /** All that were delivered are applied. */
  | { readonly kind: 'drained' }
  /** The turn is over. */
  | { readonly kind: 'out-of-time' }
  /** There is enough for one transaction; go on behind it. */
  | { readonly kind: 'full' }
  /** The record in hand needs these records of the log: `supply` their trades. */
  | {
      readonly kind: 'needs'
      readonly event: AggregationEvent
      readonly ranges: readonly OffsetRange[]
    }
  /** Candles are to be computed again: `finishRebuild` goes on. */
  | { readonly kind: 'rebuild'; readonly offset: number; readonly rebuild: Rebuild }

/** What one partition adds to a transaction. */
export interface PartitionOutput {
  readonly partition: number
  /** Next offset of market-events. */
  readonly position: number
  readonly candles: readonly Candle[]
  readonly rejected: readonly Rejection[]
  readonly outcomes: ReadonlyMap<string, number>
  readonly changes: StateChanges
  /** When Kafka took the last record before the position, ms since the epoch; undefined if none was applied. */
  readonly appendedAt: number | undefined
  /** Undefined where nothing is sampled. */
  readonly traces: OutputTraces | undefined
}

export interface TurnLimits {
  /** By performance.now(). */
  readonly until: number
  readonly maxRecords: number
}

/** Candles that make a transaction full, however few records they came from. */
const maxCandles = 20_000
/** Records between two looks at the clock. */
const recordsBetweenLooks = 128
/** Rereads that one record can ask for: each asks for what the ones before it did not have. */
const maxRereads = 10

/**
 * One partition that this instance owns: its aggregation, the records that were delivered and are not
 * applied yet, and what is to be committed.
 */
export class OwnedPartition {
  readonly partition: number
  /** Undefined if no traces are wanted: then no header is looked for. */
  readonly traces: PartitionTraces | undefined
  readonly #marketEvents: Pick<MarketEventReader, 'read'>
  #aggregation: PartitionAggregation | undefined
  #waiting: LogRecord[] = []
  #next = 0
  #logged: readonly LoggedTrade[] | undefined
  #rereads = 0
  #position: number
  /** Of the last record applied; kept at each, which costs nothing that can be measured. */
  #appendedAt: number | undefined
  #appliedSince: number | undefined
  #isDirty = false
  #uncommitted = 0
  #candles: Candle[] = []
  #rejected: Rejection[] = []
  #outcomes = new Map<string, number>()
  #rebuild: RebuildProgress | null = null
  #isRebuilding = false

  /** @param position where reading goes on, which is where the restored state will stand. */
  constructor(
    partition: number,
    position: number,
    marketEvents: Pick<MarketEventReader, 'read'>,
    traces?: PartitionTraces,
  ) {
    this.partition = partition
    this.traces = traces
    this.#position = position
    this.#marketEvents = marketEvents
  }

  /** Its state is here: records can be applied. */
  restored(aggregation: PartitionAggregation, rebuild: RebuildProgress | null): void {
    this.#aggregation = aggregation
    this.#rebuild = rebuild
  }

  /** Undefined until it is restored. */
  get aggregation(): PartitionAggregation | undefined {
    return this.#aggregation
  }

  /** Next offset to be applied. */
  get position(): number {
    return this.#position
  }

  get waitingRecords(): number {
    return this.#waiting.length - this.#next
  }

  get isRebuilding(): boolean {
    return this.#isRebuilding
  }

  /** How far a rebuild has come that began before a restart, and then of the one in hand. */
  get rebuildProgress(): RebuildProgress | null {
    return this.#rebuild
  }

  /** Records applied since the last `takeOutput`. */
  get uncommitted(): number {
    return this.#uncommitted
  }

  /** Whether a transaction would have anything of this partition. */
  get isDirty(): boolean {
    return this.#isDirty
  }

  get hasCandles(): boolean {
    return this.#candles.length > 0
  }

  /** Whether somebody waits for what is to be committed. */
  get hasResults(): boolean {
    return this.#candles.length > 0 || this.#rejected.length > 0
  }

  /** When Kafka took the last record that was applied since the last call, ms since the epoch. */
  takeAppliedSince(): number | undefined {
    const appendedAt = this.#appliedSince
    this.#appliedSince = undefined
    return appendedAt
  }

  deliver(record: LogRecord): void {
    this.#waiting.push(record)
  }

  /** Trades that were read again for the record in hand. */
  supply(logged: readonly LoggedTrade[]): void {
    this.#rereads += 1
    if (this.#rereads > maxRereads) {
      throw new Error(
        `The record at offset ${this.#position} of partition ${this.partition} asks for records again and again: a defect`,
      )
    }
    this.#logged = [...(this.#logged ?? []), ...logged].toSorted((a, b) => a.offset - b.offset)
  }

  /** Applies what was delivered, in order, until something stops it. */
  advance(limits: TurnLimits): Stop {
    const aggregation = this.#aggregation
    if (aggregation === undefined || this.#isRebuilding) return { kind: 'drained' }
    try {
      return this.#applyWaiting(aggregation, limits)
    } catch (error) {
      const record = this.#waiting[this.#next]
      throw new Error(
        `The record at offset ${record?.offset} of ${record?.topic} [${this.partition}] cannot be applied (${error instanceof Error ? error.message : String(error)}): a defect, or a changelog that is damaged`,
        { cause: error },
      )
    }
  }

  #applyWaiting(aggregation: PartitionAggregation, { until, maxRecords }: TurnLimits): Stop {
    const { traces } = this
    for (let count = 0; ; count += 1) {
      const record = this.#waiting[this.#next]
      if (record === undefined) break
      if (count >= maxRecords || this.#candles.length >= maxCandles) return { kind: 'full' }
      if (count % recordsBetweenLooks === 0 && performance.now() > until) {
        return { kind: 'out-of-time' }
      }
      const event = this.#marketEvents.read(record.value)
      if (event instanceof DecodeFailure) {
        this.#reject({ record, reason: event.reason, message: event.message })
        this.#count(event.reason)
        if (traces !== undefined && record.headers !== undefined) {
          traces.applied(record, undefined, event.reason)
        }
        this.#passed(record)
        continue
      }
      const applied = aggregation.apply(event, record.offset, this.#logged)
      if (applied.needs !== null) return { kind: 'needs', event, ranges: applied.needs }
      this.#isDirty = true
      for (const candle of applied.candles) this.#candles.push(candle)
      if (traces !== undefined && applied.candles.length > 0) traces.closed(applied.candles)
      if (applied.unfinished) {
        // A long catch-up goes out over several transactions, each of which stands before the heartbeat
        // that it is part of: whoever restores it applies the heartbeat again.
        this.#position = record.offset
        return { kind: 'full' }
      }
      if (event.type === 'Rebuild' && applied.outcome === 'rebuild') {
        this.#position = record.offset
        this.#isRebuilding = true
        return { kind: 'rebuild', offset: record.offset, rebuild: event.value }
      }
      this.#count(applied.outcome)
      const rejection = rejectionOf(applied.outcome)
      if (rejection !== undefined) this.#reject({ record, ...rejection })
      if (traces !== undefined && record.headers !== undefined) {
        traces.applied(record, event, applied.outcome)
      }
      this.#passed(record)
    }
    this.#waiting = []
    this.#next = 0
    return { kind: 'drained' }
  }

  /** Candles of a rebuild, in their order; they count as written with the next output. */
  addRebuilt(candles: readonly Candle[], progress: RebuildProgress): void {
    this.#candles.push(...candles)
    this.#rebuild = progress
    this.#isDirty = true
  }

  /** Goes on behind the record that asked for the rebuild. */
  finishRebuild(outcome: 'rebuild' | 'rebuild_refused'): void {
    const record = this.#waiting[this.#next]
    this.#isRebuilding = false
    this.#rebuild = null
    this.#count(outcome)
    if (record !== undefined) this.#passed(record)
  }

  /** What is to be committed; it counts as done from here on. */
  takeOutput(): PartitionOutput {
    const aggregation = this.#aggregation
    if (aggregation === undefined) throw new Error('A partition without state has no output')
    const output = {
      partition: this.partition,
      position: this.#position,
      candles: this.#candles,
      rejected: this.#rejected,
      outcomes: this.#outcomes,
      changes: aggregation.takeChanges(this.#position, this.#rebuild),
      appendedAt: this.#appendedAt,
      traces: this.traces?.takeOutput(),
    }
    this.#candles = []
    this.#rejected = []
    this.#outcomes = new Map()
    this.#uncommitted = 0
    this.#isDirty = false
    return output
  }

  #passed(record: LogRecord): void {
    this.#position = record.offset + 1
    this.#appendedAt = record.timestamp
    this.#appliedSince = record.timestamp
    this.#next += 1
    this.#uncommitted += 1
    this.#isDirty = true
    if (this.#rereads > 0) {
      this.#rereads = 0
      this.#logged = undefined
    }
  }

  #reject(rejection: Rejection): void {
    this.#rejected.push(rejection)
  }

  #count(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
  }
}
