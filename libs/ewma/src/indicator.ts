import type { Decay, EwmaSettings } from './ewma.ts'
import { decayFault } from './ewma.ts'

/** A configured mean: of the closes of an interval's candles, or of the prices of its trades. */
export interface Indicator {
  /** As configured: the indicator's name on a candle. */
  readonly text: string
  readonly source: 'close' | 'price'
  readonly settings: EwmaSettings
}

const sources = ['close', 'price'] as const
const decays = ['alpha', 'span', 'com', 'halflife'] as const
const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Reads `source:decay=value[,adjust=true|false][,min=n]`: `close:span=12`,
 * `close:alpha=0.5,adjust=false,min=3`, `price:halflife=30s`.
 *
 * A half-life with a unit (ms, s, m, h, d) decays by time, one without by observation. `adjust`
 * is true and `min` is 0 unless given, as in pandas.
 */
export function parseIndicator(text: string): Indicator | { readonly error: string } {
  const fail = (why: string) => ({ error: `Indicator "${text}": ${why}` })
  const [sourceText, rest, ...extra] = text.split(':')
  const source = sources.find((known) => known === sourceText)
  if (source === undefined) return fail(`the source must be one of ${sources.join(', ')}`)
  if (rest === undefined || extra.length > 0) return fail('write source:decay=value')

  let decay: Decay | undefined
  let adjust: boolean | undefined
  let minPeriods: number | undefined
  for (const part of rest.split(',')) {
    const [name, value, ...more] = part.split('=')
    if (name === undefined || value === undefined || more.length > 0) {
      return fail(`"${part}" is not name=value`)
    }
    if (name === 'adjust') {
      if (adjust !== undefined) return fail('adjust is given twice')
      if (value !== 'true' && value !== 'false') return fail('adjust must be true or false')
      adjust = value === 'true'
    } else if (name === 'min') {
      if (minPeriods !== undefined) return fail('min is given twice')
      if (!/^\d{1,9}$/.test(value)) return fail('min must be a non-negative integer')
      minPeriods = Number(value)
    } else if (decays.some((known) => known === name)) {
      if (decay !== undefined) return fail(`give exactly one of ${decays.join(', ')}`)
      const read = parseDecay(name, value)
      if (typeof read === 'string') return fail(read)
      decay = read
    } else {
      return fail(`"${name}" is not known; use ${decays.join(', ')}, adjust, min`)
    }
  }
  if (decay === undefined) return fail(`give exactly one of ${decays.join(', ')}`)
  return { text, source, settings: { decay, adjust: adjust ?? true, minPeriods: minPeriods ?? 0 } }
}

/** The decay, or what is wrong with it. */
function parseDecay(name: string, value: string): Decay | string {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value)
  const amount = Number(match?.[1])
  const unitMs = match?.[2] === undefined ? undefined : unitsMs[match[2]]
  if (match === null || (unitMs !== undefined && name !== 'halflife')) {
    return `${name} must be a plain positive number${name === 'halflife' ? ', or one with ms, s, m, h or d' : ''}, got "${value}"`
  }
  const decay = decayOf(name, amount, unitMs)
  return decayFault(decay) ?? decay
}

function decayOf(name: string, amount: number, unitMs: number | undefined): Decay {
  if (unitMs !== undefined) return { halflifeMs: amount * unitMs }
  if (name === 'alpha') return { alpha: amount }
  if (name === 'span') return { span: amount }
  if (name === 'com') return { com: amount }
  return { halflife: amount }
}
