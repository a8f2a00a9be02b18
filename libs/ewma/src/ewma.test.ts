import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EwmaSettings } from './ewma.ts'
import byObservation from '../golden/by-observation.json' with { type: 'json' }
import byTime from '../golden/by-time.json' with { type: 'json' }
import { emptyEwma, ewmaValue, observe } from './ewma.ts'

/** Means after each observation. */
function means(
  settings: EwmaSettings,
  series: readonly number[],
  times?: readonly number[],
): (number | null)[] {
  let state = emptyEwma
  return series.map((value, at) => {
    state = observe(settings, state, value, times?.[at])
    return ewmaValue(settings, state)
  })
}

function expectClose(actual: readonly (number | null)[], expected: readonly (number | null)[]) {
  expect(actual.map((mean) => mean === null)).toStrictEqual(expected.map((mean) => mean === null))
  for (const [at, mean] of expected.entries()) {
    const error = Math.abs((actual[at] ?? 0) - (mean ?? 0))
    expect(error, `mean ${at}: ${actual[at]}, pandas has ${mean}`).toBeLessThanOrEqual(
      1e-12 * Math.abs(mean ?? 0),
    )
  }
}

function at<Value>(values: Readonly<Record<string, Value>>, name: string): Value {
  const value = values[name]
  if (value === undefined) throw new Error(`No golden ${name}`)
  return value
}

/** JSON has no unions: each decay arrives with the other names undefined. */
function decayOf(decay: (typeof byObservation.cases)[number]['decay']): EwmaSettings['decay'] {
  if (decay.alpha !== undefined) return { alpha: decay.alpha }
  if (decay.span !== undefined) return { span: decay.span }
  if (decay.com !== undefined) return { com: decay.com }
  if (decay.halflife !== undefined) return { halflife: decay.halflife }
  throw new Error('No golden decay')
}

describe('pandas has the same means', () => {
  test('the vectors cover each decay, both adjustments and three min periods', () => {
    expect(byObservation.pandas).toBe('3.1.1')
    expect(byObservation.cases).toHaveLength(5 * 12 * 2 * 3)
    expect(byTime.cases).toHaveLength(4 * 4 * 2 * 2)
  })

  test.each(byObservation.cases)('$series, $decay, adjust $adjust, min $minPeriods', (golden) => {
    const { adjust, minPeriods } = golden
    const settings = { decay: decayOf(golden.decay), adjust, minPeriods }
    expectClose(means(settings, at(byObservation.series, golden.series)), golden.expected)
  })

  test.each(byTime.cases)(
    'times $times, half-life $halflifeMs ms, adjust $adjust, min $minPeriods',
    ({ series, times, halflifeMs, adjust, minPeriods, expected }) => {
      const settings = { decay: { halflifeMs }, adjust, minPeriods }
      expectClose(means(settings, at(byTime.series, series), at(byTime.times, times)), expected)
    },
  )
})

describe('a mean', () => {
  const span12 = { decay: { span: 12 }, adjust: true, minPeriods: 0 }

  test('has no value before the first observation, and is seeded with it', () => {
    expect(ewmaValue(span12, emptyEwma)).toBeNull()
    expect(ewmaValue(span12, observe(span12, emptyEwma, 97123.5))).toBe(97123.5)
  })

  test('of a constant series is exactly that constant', () => {
    const spans = fc.double({ min: 1, max: 100, noNaN: true })
    const values = fc.double({ min: 1e-9, max: 1e9, noNaN: true })
    fc.assert(
      fc.property(spans, values, fc.boolean(), (span, value, adjust) => {
        const series = Array<number>(20).fill(value)
        expect(means({ decay: { span }, adjust, minPeriods: 0 }, series)).toStrictEqual(series)
      }),
    )
  })

  test('has a value from the observation that min periods names', () => {
    expect(means({ ...span12, minPeriods: 3 }, [1, 1, 1, 1])).toStrictEqual([null, null, 1, 1])
  })

  test('leaves the state that it was given as it was', () => {
    const before = observe(span12, emptyEwma, 1)
    const copy = { ...before }
    observe(span12, before, 2)
    expect(before).toStrictEqual(copy)
  })

  test('continues from a state that went through JSON as if nothing had happened', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { maxLength: 30 })
    fc.assert(
      fc.property(values, fc.nat(), fc.boolean(), (series, cut, adjust) => {
        const settings = { decay: { halflifeMs: 700 }, adjust, minPeriods: 0 }
        let whole = emptyEwma
        let restored = emptyEwma
        for (const [step, value] of series.entries()) {
          if (step === cut % series.length) restored = JSON.parse(JSON.stringify(restored))
          whole = observe(settings, whole, value, step * 331)
          restored = observe(settings, restored, value, step * 331)
        }
        expect(restored).toStrictEqual(whole)
      }),
    )
  })

  test('stays within the range of what was observed', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 })
    const alphas = fc.double({ min: 0.001, max: 1, noNaN: true })
    fc.assert(
      fc.property(values, alphas, fc.boolean(), (series, alpha, adjust) => {
        const last = means({ decay: { alpha }, adjust, minPeriods: 0 }, series).at(-1) ?? NaN
        const slack = 1e-6
        expect(last).toBeGreaterThanOrEqual(Math.min(...series) - slack)
        expect(last).toBeLessThanOrEqual(Math.max(...series) + slack)
      }),
    )
  })
})

describe('what cannot be averaged', () => {
  const settings = { decay: { span: 12 }, adjust: true, minPeriods: 0 }

  test.each([NaN, Infinity, -Infinity])('the value %s is refused', (value) => {
    expect(() => observe(settings, emptyEwma, value)).toThrow(RangeError)
  })

  test.each([
    { alpha: 0 },
    { alpha: 1.1 },
    { alpha: NaN },
    { span: 0.9 },
    { com: -0.1 },
    { halflife: 0 },
    { halflifeMs: -1 },
    { halflifeMs: Infinity },
  ])('the decay %o is refused', (decay) => {
    expect(() => observe({ ...settings, decay }, emptyEwma, 1, 0)).toThrow(RangeError)
  })

  test('a decay by time without a time is refused', () => {
    const byTimeSettings = { ...settings, decay: { halflifeMs: 1_000 } }
    expect(() => observe(byTimeSettings, emptyEwma, 1)).toThrow('needs the time')
  })
})
