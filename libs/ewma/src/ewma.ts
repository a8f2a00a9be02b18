import type { EwmaState } from '@tickertape/market-model'

/**
 * How fast the past loses weight, in one of pandas' terms. By observation: `alpha` in (0, 1],
 * `span` >= 1, `com` >= 0 or `halflife` > 0 observations. By time: `halflifeMs` > 0 milliseconds.
 */
export type Decay =
  | { readonly alpha: number }
  | { readonly span: number }
  | { readonly com: number }
  | { readonly halflife: number }
  | { readonly halflifeMs: number }

export interface EwmaSettings {
  readonly decay: Decay
  /** Divide by the sum of the weights so far (true, pandas' default), or recurse (false). */
  readonly adjust: boolean
  /** Observations before there is a value; 0 counts as 1. */
  readonly minPeriods: number
}

/** Before the first observation. The weight is that of pandas' first value. */
export const emptyEwma: EwmaState = { mean: null, weight: 1, observations: 0, lastTime: null }

/**
 * The state after one more observation. Pure; the first value is the first mean.
 *
 * pandas' recursion (`pandas/_libs/window/aggregations.pyx`, `ewm`). Its `ignore_na` has no
 * counterpart: there are no missing values between observations. With a decay by time a delay of
 * one half-life halves the weight of the past; times may be equal or fall back, as in pandas.
 *
 * @param time of the observation in ms; required with `halflifeMs`, otherwise only remembered.
 * @throws RangeError if the value is not finite, the decay is out of range, or the time is missing.
 */
export function observe(
  settings: EwmaSettings,
  state: EwmaState,
  value: number,
  time?: number,
): EwmaState {
  if (!Number.isFinite(value)) throw new RangeError(`Cannot average ${value}: not finite`)
  const { decay, adjust } = settings
  const fault = decayFault(decay)
  if (fault !== undefined) throw new RangeError(`Cannot average: ${fault}`)
  if ('halflifeMs' in decay && time === undefined) {
    throw new RangeError('A mean that decays by time needs the time of each observation')
  }
  const lastTime = time ?? state.lastTime
  const observations = state.observations + 1
  if (state.mean === null) return { mean: value, weight: 1, observations, lastTime }

  const elapsed = time !== undefined && state.lastTime !== null ? time - state.lastTime : 0
  const kept = keptWeight(decay, elapsed)
  const oldWeight = state.weight * kept
  const newWeight = adjust ? 1 : 1 - kept
  // As pandas does: a constant series stays exactly constant.
  const mean =
    state.mean === value
      ? value
      : (oldWeight * state.mean + newWeight * value) / (oldWeight + newWeight)
  return { mean, weight: adjust ? oldWeight + newWeight : 1, observations, lastTime }
}

/** The mean, or null before `minPeriods` observations. */
export function ewmaValue(settings: EwmaSettings, state: EwmaState): number | null {
  return state.observations >= settings.minPeriods ? state.mean : null
}

/** What is wrong with a decay; undefined if nothing is. */
export function decayFault(decay: Decay): string | undefined {
  if ('alpha' in decay) return faultUnless(decay.alpha > 0 && decay.alpha <= 1, '0 < alpha <= 1')
  if ('span' in decay) return faultUnless(isFrom(1, decay.span), 'span >= 1')
  if ('com' in decay) return faultUnless(isFrom(0, decay.com), 'com >= 0')
  const halflife = 'halflife' in decay ? decay.halflife : decay.halflifeMs
  return faultUnless(isFrom(Number.MIN_VALUE, halflife), 'halflife > 0')
}

function isFrom(least: number, value: number): boolean {
  return value >= least && value < Infinity
}

function faultUnless(holds: boolean, rule: string): string | undefined {
  return holds ? undefined : `it must be that ${rule}`
}

/** What one step leaves of a weight: 1 - alpha, or 2^-(elapsed / half-life). */
function keptWeight(decay: Decay, elapsedMs: number): number {
  if ('alpha' in decay) return 1 - decay.alpha
  if ('span' in decay) return 1 - 2 / (decay.span + 1)
  if ('com' in decay) return 1 - 1 / (1 + decay.com)
  if ('halflife' in decay) return Math.pow(0.5, 1 / decay.halflife)
  return Math.pow(0.5, elapsedMs / decay.halflifeMs)
}
