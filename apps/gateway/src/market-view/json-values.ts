import { formatDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'

/** A decimal as JSON: text in plain notation, or null. */
export function nullableDecimal(value: Decimal | null): string {
  return value === null ? 'null' : `"${formatDecimal(value)}"`
}

export function nullableText(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value)
}

/**
 * The same text in one piece. What `+` puts together is a tree of its parts, some five times as large, until a
 * letter of it is read; and the letter must be used, or the read is optimised away.
 */
export function inOnePiece(json: string): string {
  return json.charCodeAt(json.length - 1) === closingBrace ? json : ''
}

const closingBrace = 125
