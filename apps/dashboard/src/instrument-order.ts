import type { InstrumentResource } from '@tickertape/client'

export const orders = ['notional', 'change', 'name'] as const
export type Order = (typeof orders)[number]

/** Every word of the search must be found somewhere in what names an instrument. */
export function arrange(
  instruments: readonly InstrumentResource[],
  search: string,
  order: Order,
): readonly InstrumentResource[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const found = instruments.filter((instrument) => {
    const { instrumentId, base, quote, kind } = instrument
    const text = `${instrumentId} ${base ?? ''}/${quote ?? ''} ${kind ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const byName = (a: InstrumentResource, b: InstrumentResource): number =>
    a.instrumentId < b.instrumentId ? -1 : 1
  if (order === 'name') return found.sort(byName)
  return found.sort((a, b) => weightOf(b, order) - weightOf(a, order) || byName(a, b))
}

/** What is not known stands last. */
function weightOf({ summary }: InstrumentResource, order: Order): number {
  if (summary === null) return -2
  if (order === 'change') return Math.abs(summary.change24h ?? -1)
  return summary.notionalUsd24h === null ? -1 : Number(summary.notionalUsd24h)
}
