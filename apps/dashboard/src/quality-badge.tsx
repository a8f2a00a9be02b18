import type { CandleResource } from '@tickertape/client'

type Quality = CandleResource['quality']

const meanings: Readonly<Record<Quality, string>> = {
  complete: 'Complete: every trade is in it',
  quiet: 'Quiet: no trades were made, and that is known',
  gap: 'Gap: trades are missing, or may be',
  backfilled: 'Backfilled: what was missing was fetched',
  partial: 'Partial: it began before the instrument was known',
}

/** How much is known of the trades; told by a word, and by color only besides. */
export function QualityBadge({ quality }: { readonly quality: Quality | null }) {
  if (quality === null) return null
  return (
    <span class={`quality quality-${quality}`} title={meanings[quality]}>
      {quality}
    </span>
  )
}
