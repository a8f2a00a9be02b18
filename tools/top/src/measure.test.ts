import { describe, expect, it } from 'vitest'

import { quantile, rate } from './measure.ts'
import { Metrics } from './metrics.ts'

function span(before: string | undefined, now: string, seconds = 2) {
  return {
    before: before === undefined ? undefined : new Metrics(before),
    now: new Metrics(now),
    seconds,
  }
}

describe('a rate', () => {
  it('is over all series of the counter', () => {
    const before = 'trades_total{source="stream"} 10\ntrades_total{source="history"} 5'
    const now =
      'trades_total{source="stream"} 30\ntrades_total{source="history"} 9\ntrades_total_2 7'
    expect(rate(span(before, now), 'trades_total')).toBe(12)
    expect(rate(span(before, now), 'trades_total', 'source="history"')).toBe(2)
  })

  it('counts a series that appears from 0', () => {
    expect(rate(span('', 'rejected_total{reason="late"} 4'), 'rejected_total')).toBe(2)
  })

  it('is not known at first, nor of what nobody tells', () => {
    expect(rate(span(undefined, 'trades_total 4'), 'trades_total')).toBeUndefined()
    expect(rate(span('', ''), 'trades_total')).toBeUndefined()
  })
})

describe('a quantile', () => {
  const histogram = (low: number, middle: number, all: number) =>
    `took_bucket{le="0.1"} ${low}\ntook_bucket{le="0.5"} ${middle}\ntook_bucket{le="+Inf"} ${all}`

  it('is interpolated in its bucket, of what was observed within the span', () => {
    expect(
      quantile(span(histogram(100, 100, 100), histogram(102, 104, 104)), 'took', 0.75),
    ).toBeCloseTo(0.3)
  })

  it('beyond the last bound is that bound', () => {
    expect(quantile(span(histogram(0, 0, 0), histogram(0, 0, 8)), 'took', 0.5)).toBe(0.5)
  })

  it('adds the series of all labels up', () => {
    const of = (topic: string, low: number, all: number) =>
      `took_bucket{topic="${topic}",le="1"} ${low}\ntook_bucket{topic="${topic}",le="+Inf"} ${all}`
    const before = `${of('a', 0, 0)}\n${of('b', 0, 0)}`
    const now = `${of('a', 2, 2)}\n${of('b', 2, 2)}`
    expect(quantile(span(before, now), 'took', 0.5)).toBe(0.5)
    expect(quantile(span(before, now), 'took', 0.5, 'topic="c"')).toBeUndefined()
  })

  it('of nothing observed is not known', () => {
    expect(quantile(span(histogram(1, 2, 3), histogram(1, 2, 3)), 'took', 0.5)).toBeUndefined()
    expect(quantile(span(undefined, histogram(1, 2, 3)), 'took', 0.5)).toBeUndefined()
  })
})
