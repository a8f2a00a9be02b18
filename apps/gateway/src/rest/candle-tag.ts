import { hash } from 'node:crypto'

import type { CandlePageContent } from './candle-page.ts'

interface Standing {
  readonly windowStart: number
  readonly revision: number
  readonly rebuildId: number | null
}

/**
 * Names what a page says, its position aside, without a look at all of its bytes. Candles of closed windows are
 * told by how many they are, where they begin and end, and two sums: of a window (rebuildId, revision) only ever
 * rises, so that neither sum stays the same when one of them changes. Open windows, of which there
 * may be several, and the gaps have no such order: of those the text is hashed.
 *
 * @param rest what else the document holds.
 */
export function candleTag(
  { stored, held, hasEarlier, hasLater }: CandlePageContent,
  rest: string,
): string {
  let revisions = 0
  let rebuilds = 0
  const add = ({ revision, rebuildId }: Standing): void => {
    revisions += revision
    rebuilds += rebuildId === null ? 0 : rebuildId + 1
  }
  stored.forEach(add)
  held.forEach(add)
  const open = held.flatMap(({ final, json }) => (final ? [] : [json])).join('')
  const begin = (stored[0] ?? held[0])?.windowStart ?? 0
  const end = (held.at(-1) ?? stored.at(-1))?.windowStart ?? 0
  const others = hash('sha1', `${rest}${open}`, 'base64url').slice(0, 12)
  const sides = (hasEarlier ? 1 : 0) + (hasLater ? 2 : 0)
  return [stored.length + held.length, begin, end, revisions, rebuilds, sides]
    .map((number) => number.toString(36))
    .concat(others)
    .join('.')
}
