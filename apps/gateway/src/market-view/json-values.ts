import { formatDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'

/** A decimal as JSON: text in plain notation, or null. */
export function nullableDecimal(value: Decimal | null): string {
  return value === null ? 'null' : `"${formatDecimal(value)}"`
}

export function nullableText(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value)
}
