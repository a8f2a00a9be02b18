/** `venue:instrument`, the name of one instrument over all venues and the key of its records. */
export function instrumentIdOf(trade: {
  readonly venue: string
  readonly instrument: string
}): string {
  return `${trade.venue}:${trade.instrument}`
}
