import type { Interval, PartitionState } from '@tickertape/market-model'
import type { Indicator } from '@tickertape/ewma'
import { intervalMs, intervals as intervalTree } from '@tickertape/market-model'
import { parseIndicator } from '@tickertape/ewma'

/** What candles are made with. All but `maxCandlesPerStep` and `maxReplayedRecords` are part of the result. */
export interface AggregationSettings {
  /** How far the watermark must pass a window's end before it closes, in ms. */
  readonly graceMs: number
  /** How far a time may be ahead of its record's receivedAt, in ms. */
  readonly futureToleranceMs: number
  /** How long after its parent's end a closed window takes late trades, in ms. */
  readonly horizonMs: number
  /** `1s` and as many of the intervals above it as are wanted, from the shortest up. */
  readonly intervals: readonly Interval[]
  /** Means of closes or of trade prices, as `parseIndicator` reads them: `close:span=12`. */
  readonly indicators: readonly string[]
  /** Flat candles end this long after an instrument's last trade, in ms; a day unless given. */
  readonly quietSpanMs?: number
  /** An open gap holds its windows until event time has passed its end by this, in ms; a day unless given. */
  readonly gapSpanMs?: number
  /**
   * A window that stays open while this many records come is set aside in the changelog, which bounds
   * what a restore reads again; 250,000 unless given. Changes no candle.
   */
  readonly maxReplayedRecords?: number
  /**
   * A heartbeat that closes more candles than this is applied in several steps, each of which ends
   * with a window end; 20,000 unless given.
   */
  readonly maxCandlesPerStep?: number
}

export type AggregationSettingsErrorCode =
  | 'interval-tree'
  | 'duration'
  | 'step'
  | 'indicator'
  /** The changelog was written with other settings: candles would disagree with those before. */
  | 'settings-changed'

export class AggregationSettingsError extends Error {
  override readonly name = 'AggregationSettingsError'
  readonly code: AggregationSettingsErrorCode

  constructor(code: AggregationSettingsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** One level of the interval tree. */
export interface IntervalPlan {
  readonly interval: Interval
  readonly lengthMs: number
  /** Length of the interval above; its own where there is none. */
  readonly parentMs: number
}

/** Settings after their check, in the form that the aggregation uses. */
export interface AggregationPlan {
  readonly graceMs: number
  readonly futureToleranceMs: number
  readonly quietSpanMs: number
  readonly horizonMs: number
  readonly gapSpanMs: number
  readonly maxCandlesPerStep: number
  readonly maxReplayedRecords: number
  readonly levels: readonly IntervalPlan[]
  readonly indicators: readonly Indicator[]
  /** Some indicator is a mean of trade prices: it needs a window's trades, not only its sums. */
  readonly hasPriceMeans: boolean
}

/** @throws AggregationSettingsError naming the first setting that cannot be used. */
export function planAggregation(settings: AggregationSettings): AggregationPlan {
  const { graceMs, futureToleranceMs, horizonMs } = settings
  const { quietSpanMs = 86_400_000, gapSpanMs = 86_400_000 } = settings
  const { maxCandlesPerStep = 20_000, maxReplayedRecords = 250_000 } = settings
  const durations = { graceMs, futureToleranceMs, horizonMs, quietSpanMs, gapSpanMs }
  for (const [name, value] of Object.entries(durations)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new AggregationSettingsError(
        'duration',
        `${name} must be a non-negative integer of milliseconds, got ${value}`,
      )
    }
  }
  for (const [name, value] of Object.entries({ maxCandlesPerStep, maxReplayedRecords })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new AggregationSettingsError('step', `${name} must be a positive integer, got ${value}`)
    }
  }
  const expected = intervalTree.slice(0, settings.intervals.length)
  if (settings.intervals.length === 0 || expected.join() !== settings.intervals.join()) {
    throw new AggregationSettingsError(
      'interval-tree',
      `intervals must be the beginning of ${intervalTree.join(', ')}, for each is made of the one below it; got ${settings.intervals.join(', ') || 'none'}`,
    )
  }
  const repeated = settings.indicators.find((text, at) => settings.indicators.indexOf(text) !== at)
  if (repeated !== undefined) {
    throw new AggregationSettingsError('indicator', `Indicator "${repeated}" is given twice`)
  }
  const indicators = settings.indicators.map(readIndicator)
  return {
    ...durations,
    maxCandlesPerStep,
    maxReplayedRecords,
    levels: expected.map((interval, index) => ({
      interval,
      lengthMs: intervalMs(interval),
      parentMs: intervalMs(expected[index + 1] ?? interval),
    })),
    indicators,
    hasPriceMeans: indicators.some(({ source }) => source === 'price'),
  }
}

/** @throws AggregationSettingsError unless the state was written with the same settings. */
export function requireSameSettings(plan: AggregationPlan, state: PartitionState): void {
  const names = (list: readonly string[]) => list.join() || 'none'
  const differences = [
    ['graceMs', plan.graceMs, state.graceMs],
    ['futureToleranceMs', plan.futureToleranceMs, state.futureToleranceMs],
    ['quietSpanMs', plan.quietSpanMs, state.quietSpanMs],
    ['horizonMs', plan.horizonMs, state.horizonMs],
    ['gapSpanMs', plan.gapSpanMs, state.gapSpanMs],
    ['intervals', names(plan.levels.map(({ interval }) => interval)), names(state.intervals)],
    ['indicators', names(plan.indicators.map(({ text }) => text)), names(state.indicators)],
  ].filter(([, configured, recorded]) => configured !== recorded)
  if (differences.length === 0) return
  const list = differences.map(
    ([name, configured, recorded]) => `${name} is ${configured}, was ${recorded}`,
  )
  throw new AggregationSettingsError(
    'settings-changed',
    `The partition's candles were made with other settings (${list.join('; ')}): start with the recorded ones, or rebuild the candles`,
  )
}

function readIndicator(text: string): Indicator {
  const indicator = parseIndicator(text)
  if ('error' in indicator) throw new AggregationSettingsError('indicator', indicator.error)
  return indicator
}
