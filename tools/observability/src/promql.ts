/** Labels to match, as PromQL writes them inside of braces: `service="ingest"`. */
export type Match = string

export interface Selection {
  readonly by?: readonly string[]
  readonly match?: Match
  /** Of the rate; Grafana's own variable where nothing is said. */
  readonly over?: string
}

/** What Grafana puts in for it is never shorter than four scrapes. */
export const grafanaRange = '$__rate_interval'

/** Sum of a counter's rates a second. */
export function sumRate(metric: string, selection: Selection = {}): string {
  return `${aggregated('sum', selection.by)}(rate(${selector(metric, selection.match)}[${selection.over ?? grafanaRange}]))`
}

/** Quantile of a histogram over all that is not named in `by`. */
export function quantile(q: number, histogram: string, selection: Selection = {}): string {
  const by = ['le', ...(selection.by ?? [])]
  return `histogram_quantile(${q}, ${sumRate(`${histogram}_bucket`, { ...selection, by })})`
}

/** Mean of what a histogram or summary observed. */
export function mean(metric: string, selection: Selection = {}): string {
  return `${sumRate(`${metric}_sum`, selection)} / ${sumRate(`${metric}_count`, selection)}`
}

export function sumOf(metric: string, selection: Omit<Selection, 'over'> = {}): string {
  return `${aggregated('sum', selection.by)}(${selector(metric, selection.match)})`
}

export function maxOf(metric: string, selection: Omit<Selection, 'over'> = {}): string {
  return `${aggregated('max', selection.by)}(${selector(metric, selection.match)})`
}

/**
 * How far a counter rose within a span, as series above 0. `increase` alone does not see the first value of a series
 * that appears with it, and counters with labels appear with their first count.
 */
export function risen(metric: string, over: string): string {
  return `(increase(${metric}[${over}]) > 0 or (${metric} unless ${metric} offset ${over}) > 0)`
}

function aggregated(operator: 'sum' | 'max', by: readonly string[] | undefined): string {
  return by === undefined || by.length === 0 ? operator : `${operator} by (${by.join(', ')}) `
}

function selector(metric: string, match: Match | undefined): string {
  return match === undefined ? metric : `${metric}{${match}}`
}
