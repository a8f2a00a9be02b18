import type { AggregationSettings } from '@tickertape/candles'

/** Short enough for a market of some minutes to see windows forgotten and gaps given up. */
export const marketSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  horizonMs: 60_000,
  gapSpanMs: 180_000,
  intervals: ['1s', '1m', '5m', '15m'],
  indicators: ['close:span=12', 'price:halflife=30s'],
} as const satisfies AggregationSettings

/** The same for the service. */
export const marketEnvironment: Readonly<Record<string, string>> = {
  AGGREGATOR_GRACE_MS: String(marketSettings.graceMs),
  AGGREGATOR_FUTURE_TOLERANCE_MS: String(marketSettings.futureToleranceMs),
  AGGREGATOR_HORIZON_MS: String(marketSettings.horizonMs),
  AGGREGATOR_GAP_SPAN_MS: String(marketSettings.gapSpanMs),
  AGGREGATOR_INTERVALS: marketSettings.intervals.join(','),
  AGGREGATOR_INDICATORS: marketSettings.indicators.join(' '),
}

/** A window of 1s is forgotten when its minute has been over for the horizon. */
export const forgottenAfterMs = 60_000 + marketSettings.horizonMs
