import type { z } from 'zod'

import { invalidRequest } from './request-reading.ts'

/** The form of the text; another form gets another number. */
const form = 1

/** Where a page ends, as the opaque text that `readCursor` reads. */
export function cursorText(facts: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify([form, ...facts])).toString('base64url')
}

/**
 * @param facts what the text must hold.
 * @throws ProblemError `invalid_request` for a text that this version did not write for this resource.
 */
export function readCursor<T>(text: string, facts: z.ZodType<T>): T {
  const read = facts.safeParse(unpacked(text))
  if (read.success) return read.data
  throw invalidRequest([
    { at: 'cursor', message: 'is none that this resource gave: take it from a page as it is' },
  ])
}

function unpacked(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return Array.isArray(parsed) && parsed[0] === form ? parsed.slice(1) : undefined
  } catch {
    return undefined
  }
}
