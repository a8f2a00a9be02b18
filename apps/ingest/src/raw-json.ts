/** A JSON number whose digits are kept: the number itself, or its source text. */
export type ExactNumber = number | string

/**
 * Matches text in which one of these fields holds a number that a double may not give back: 16 or more
 * characters of digits and point (a double keeps any 15 digits), or an exponent of three digits (where
 * doubles become subnormal).
 */
export function wideNumberIn(fields: readonly string[]): RegExp {
  return new RegExp(`"(?:${fields.join('|')})"\\s*:\\s*-?(?:[\\d.]{16}|[\\d.]+[eE][+-]?\\d{3})`)
}

/**
 * Parses JSON so that `String(value)` of a number in one of the fields behind `wideNumber` has the
 * value that the venue wrote, digit for digit: as a number where a double can hold it, else as the
 * source text. In the second case every number of the document is a text.
 *
 * Measured on Deribit's trades frames (Node 24, one core): 650 k trades/s this way, 970 k/s for a
 * JSON.parse that rounds, 500 k/s with numbers quoted by a regular expression that trusts strings to
 * look like none, 235 k/s with one that does not, 170 k/s with a reviver for every frame.
 *
 * @throws SyntaxError
 */
export function parseExact(text: string, wideNumber: RegExp): unknown {
  return wideNumber.test(text) ? JSON.parse(text, keepSource) : JSON.parse(text)
}

// TypeScript's library does not know the third argument yet.
const keepSource = ((_key: string, value: unknown, context: { readonly source?: string }) =>
  typeof value === 'number' ? context.source : value) as (key: string, value: unknown) => unknown

/** A whole number that a double holds exactly; undefined for anything else. */
export function exactInteger(value: unknown): number | undefined {
  if (typeof value === 'string' && !/^-?\d+$/.test(value)) return undefined
  const number = typeof value === 'string' ? Number(value) : value
  return Number.isSafeInteger(number) ? Number(number) : undefined
}

/**
 * The text of the n-th element of the first array that is the value of this field, as it was written.
 *
 * @returns undefined if there is no such element.
 */
export function elementText(text: string, field: string | null, index: number): string | undefined {
  const start = arrayStart(text, field)
  if (start === undefined) return undefined
  let from = start
  let element = 0
  let depth = 0
  let quoted = false
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (quoted) {
      if (character === '\\') at += 1
      else if (character === '"') quoted = false
    } else if (character === '"') {
      quoted = true
    } else if (character === '{' || character === '[') {
      depth += 1
    } else if ((character === ',' || character === ']') && depth === 0) {
      if (element === index) return text.slice(from, at).trim() || undefined
      if (character === ']') return undefined
      element += 1
      from = at + 1
    } else if (character === '}' || character === ']') {
      depth -= 1
    }
  }
  return undefined
}

/** @param field null if the document is the array */
function arrayStart(text: string, field: string | null): number | undefined {
  const opening = field === null ? /^\s*\[/ : new RegExp(`"${field}"\\s*:\\s*\\[`)
  const match = opening.exec(text)
  return match === null ? undefined : match.index + match[0].length
}
