import { z } from 'zod'

import { cursorText, readCursor } from './page-cursor.ts'

const cursorFacts = z.tuple([z.string(), z.string()])

/**
 * A page of a list that is sorted by name.
 *
 * @param list names the list: a cursor of another one is refused.
 * @throws ProblemError `invalid_request`.
 */
export function namedPage<T>(
  list: string,
  sorted: readonly T[],
  nameOf: (entry: T) => string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): { readonly entries: readonly T[]; readonly next: string | null } {
  const behind = cursor === undefined ? undefined : readCursor(cursor, factsOf(list))[1]
  const begin =
    behind === undefined ? 0 : sorted.findIndex((entry) => compareNames(nameOf(entry), behind) > 0)
  if (begin === -1) return { entries: [], next: null }
  const entries = sorted.slice(begin, begin + limit)
  const last = entries.at(-1)
  const hasMore = begin + limit < sorted.length && last !== undefined
  return { entries, next: hasMore ? cursorText([list, nameOf(last)]) : null }
}

function factsOf(list: string) {
  return cursorFacts.refine(([name]) => name === list)
}

/** By UTF-16 code units, which every process agrees on. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
