import { quantile, sumRate } from '../promql.ts'
import type { Query } from './panels.ts'

/** Median and tail of a histogram, over all that has it. */
export function spread(histogram: string, match?: string): readonly Query[] {
  const selection = match === undefined ? {} : { match }
  return [0.5, 0.95, 0.99].map((q) => ({
    expr: quantile(q, histogram, selection),
    legend: `p${q * 100}`,
  }))
}

/** 95 of 100, for each value of a label. */
export function tailBy(label: string, histogram: string, match?: string): Query {
  const selection = { by: [label], ...(match === undefined ? {} : { match }) }
  return { expr: quantile(0.95, histogram, selection), legend: `{{${label}}}` }
}

/** Rate of a counter for each value of its labels. */
export function rateBy(labels: readonly string[], metric: string): Query {
  return {
    expr: sumRate(metric, { by: labels }),
    legend: labels.map((label) => `{{${label}}}`).join(' '),
  }
}

export function rateOf(metric: string, legend: string): Query {
  return { expr: sumRate(metric), legend }
}

export function levelOf(metric: string, legend: string): Query {
  return { expr: `sum(${metric})`, legend }
}

/** The level for each value of its labels. */
export function levelBy(labels: readonly string[], metric: string): Query {
  const by = labels.join(', ')
  return {
    expr: `sum by (${by}) (${metric})`,
    legend: labels.map((label) => `{{${label}}}`).join(' '),
  }
}
