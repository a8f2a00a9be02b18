import type { Interval, PartitionState } from '@tickertape/market-model'
import type { Indicator } from '@tickertape/ewma'
import { intervalMs, intervals as intervalTree } from '@tickertape/market-model'
import { parseIndicator } from '@tickertape/ewma'

/** What candles are made with. All but `maxCandlesPerStep` are part of the result. */
export interface AggregationSettings {
  /** How far the watermark must pass a window's end before it closes, in ms. */
  readonly graceMs: number
  /** How far a time may be ahead of its record's receivedAt, in ms. */
  readonly futureToleranceMs: number
  /** `1s` and as many of the intervals above it as are wanted, from the shortest up. */
  readonly intervals: readonly Interval[]
  /** Means of the closes of each interval, as `parseIndicator` reads them: `close:span=12`. */
  readonly indicators: readonly string[]
  /** Flat candles end this long after an instrument's last trade, in ms; a day unless given. */
  readonly quietSpanMs?: number
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
}

/** Settings after their check, in the form that the aggregation uses. */
export interface AggregationPlan {
  readonly graceMs: number
  readonly futureToleranceMs: number
  readonly quietSpanMs: number
  readonly maxCandlesPerStep: number
  readonly levels: readonly IntervalPlan[]
  readonly indicators: readonly Indicator[]
}

/** @throws AggregationSettingsError naming the first setting that cannot be used. */
export function planAggregation(settings: AggregationSettings): AggregationPlan {
  const { graceMs, futureToleranceMs, quietSpanMs = 86_400_000 } = settings
  const { maxCandlesPerStep = 20_000 } = settings
  for (const [name, value] of Object.entries({ graceMs, futureToleranceMs, quietSpanMs })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new AggregationSettingsError(
        'duration',
        `${name} must be a non-negative integer of milliseconds, got ${value}`,
      )
    }
  }
  if (!Number.isSafeInteger(maxCandlesPerStep) || maxCandlesPerStep < 1) {
    throw new AggregationSettingsError(
      'step',
      `maxCandlesPerStep must be a positive integer, got ${maxCandlesPerStep}`,
    )
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
  return {
    graceMs,
    futureToleranceMs,
    quietSpanMs,
    maxCandlesPerStep,
    levels: expected.map((interval) => ({ interval, lengthMs: intervalMs(interval) })),
    indicators: settings.indicators.map(readIndicator),
  }
}

/** @throws AggregationSettingsError unless the state was written with the same settings. */
export function requireSameSettings(plan: AggregationPlan, state: PartitionState): void {
  const names = (list: readonly string[]) => list.join() || 'none'
  const differences = [
    ['graceMs', plan.graceMs, state.graceMs],
    ['futureToleranceMs', plan.futureToleranceMs, state.futureToleranceMs],
    ['quietSpanMs', plan.quietSpanMs, state.quietSpanMs],
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
  if (indicator.source === 'price') {
    throw new AggregationSettingsError(
      'indicator',
      `Indicator "${text}": means of trade prices are not supported on candles; use close:…`,
    )
  }
  return indicator
}
