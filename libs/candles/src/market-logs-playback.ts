/** An aggregation that reads a log, in one go or with commits and crashes. */
import type {
  Candle,
  InstrumentState,
  MarketEvent,
  OffsetRange,
  PartitionState,
} from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import type { LoggedTrade } from './counted-trade.ts'
import type { AppliedEvent, EventOutcome } from './partition-aggregation.ts'
import type { StoredWindowRecord } from './restoring.ts'
import type { StoredWindowCodec } from './packed-windows.ts'
import { PartitionAggregation } from './partition-aggregation.ts'

export interface Run {
  /** One for each record. */
  readonly outcomes: readonly EventOutcome[]
  readonly candles: readonly Candle[]
}

/** A partition's changelog after compaction. */
export interface Changelog {
  partition: PartitionState | undefined
  readonly instruments: Map<string, InstrumentState>
  readonly windows: Map<string, StoredWindowRecord>
}

/** What befalls the reader after a step. */
export type Fate = 'go on' | 'commit' | 'crash'

/** The whole log in one go, one record after the other. */
export function run(
  settings: AggregationSettings,
  codec: StoredWindowCodec,
  events: readonly MarketEvent[],
): Run {
  const { outcomes, candles } = runWithFates(settings, codec, events, ['go on'])
  return { outcomes, candles }
}

/**
 * The log in transactions, with crashes: what was not committed is thrown away, and a new
 * aggregation is restored from the changelog and the log. A commit comes at the end.
 */
export function runWithFates(
  settings: AggregationSettings,
  codec: StoredWindowCodec,
  events: readonly MarketEvent[],
  fates: readonly Fate[],
): Run & { readonly changelog: Changelog } {
  const changelog: Changelog = {
    partition: undefined,
    instruments: new Map(),
    windows: new Map(),
  }
  const outcomes: EventOutcome[] = []
  const committed: Candle[] = []
  let pending: Candle[] = []
  let aggregation = new PartitionAggregation(settings, codec)
  let steps = 0
  let offset = 0

  function commit(): void {
    record(changelog, aggregation, offset)
    committed.push(...pending)
    pending = []
  }

  for (let event = events[0]; event !== undefined; event = events[offset]) {
    const { outcome, candles, unfinished } = step(aggregation, events, event, offset)
    const before = (outcomes[offset] ??= outcome)
    if (before !== outcome) throw new Error(`Offset ${offset} was ${before}, now is ${outcome}`)
    pending.push(...candles)
    if (!unfinished) offset += 1
    // A crash at each step of a long log would never come to its end.
    const fate = steps < 3_000 ? fates[steps % fates.length] : 'go on'
    steps += 1
    if (fate === 'commit') commit()
    if (fate !== 'crash') continue
    pending = []
    aggregation = restored(settings, codec, changelog, events)
    offset = changelog.partition?.committedOffset ?? 0
  }
  commit()
  return { outcomes, candles: committed, changelog }
}

/** One record, or as much of a heartbeat as fits into a step. */
function step(
  aggregation: PartitionAggregation,
  events: readonly MarketEvent[],
  event: MarketEvent,
  offset: number,
): AppliedEvent {
  const first = aggregation.apply(event, offset)
  if (first.needs === null) return first
  const applied = aggregation.apply(event, offset, logged(events, first.needs))
  if (applied.needs !== null) throw new Error('What was asked for was given')
  return applied
}

function restored(
  settings: AggregationSettings,
  codec: StoredWindowCodec,
  changelog: Changelog,
  events: readonly MarketEvent[],
): PartitionAggregation {
  const { partition, instruments, windows } = structuredClone(changelog)
  const aggregation = PartitionAggregation.restore(settings, codec, {
    partition,
    instruments: instruments.values(),
    windows: windows.values(),
  })
  const from = partition?.restoreOffset ?? 0
  for (const [at, event] of events.slice(from, partition?.committedOffset ?? 0).entries()) {
    aggregation.replay(event, from + at)
  }
  return aggregation
}

function record(changelog: Changelog, aggregation: PartitionAggregation, offset: number): void {
  const changes = structuredClone(aggregation.takeChanges(offset))
  changelog.partition = changes.partition
  for (const state of changes.instruments) changelog.instruments.set(state.instrumentId, state)
  for (const { value, ...name } of changes.windows) {
    const key = `${name.instrumentId}|${name.interval}|${name.windowStart}`
    if (value === null) changelog.windows.delete(key)
    else changelog.windows.set(key, { ...name, value })
  }
}

function logged(events: readonly MarketEvent[], ranges: readonly OffsetRange[]): LoggedTrade[] {
  return events.flatMap((event, offset) =>
    event.type === 'Trade' && ranges.some(({ from, to }) => offset >= from && offset <= to)
      ? [{ offset, trade: event.value }]
      : [],
  )
}

/** The last of each window's candles, by `windowOf`. */
export function latestCandles(candles: readonly Candle[]): Map<string, Candle> {
  return new Map(candles.map((candle) => [windowOf(candle), candle]))
}

/** Names a candle's window. */
export function windowOf({ instrumentId, interval, windowStart }: Candle): string {
  return `${instrumentId} ${interval} ${windowStart}`
}

/**
 * The first outcome or candle in which two runs differ, in words; undefined where they agree. A test that
 * shrinks a log compares hundreds of runs: a whole diff of each would take minutes.
 */
export function firstDifference(actual: Compared, expected: Compared): string | undefined {
  for (const part of ['outcomes', 'candles'] as const) {
    const length = Math.max(actual[part].length, expected[part].length)
    for (let at = 0; at < length; at += 1) {
      const [got, wanted] = [asText(actual[part][at]), asText(expected[part][at])]
      if (got !== wanted) return `${part}[${at}]\nexpected ${wanted}\nactual   ${got}`
    }
  }
  return undefined
}

interface Compared {
  readonly outcomes: readonly string[]
  readonly candles: readonly Candle[]
}

/** Equal for equal values, whatever the order of their fields. */
function asText(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
