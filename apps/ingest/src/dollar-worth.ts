import { multiplyDecimals, normalizeDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'

/**
 * What a trade of a spot pair is worth in US dollars: known where the pair is quoted in them. Coins that
 * stand for the dollar are not the dollar.
 */
export function worthInDollars(quote: string, price: Decimal, quantity: Decimal): Decimal | null {
  return quote === 'USD' ? normalizeDecimal(multiplyDecimals(price, quantity)) : null
}
