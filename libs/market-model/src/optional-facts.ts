import type { Trade } from './records.generated.ts'

/** What a venue may tell of a trade besides what every venue does. */
export type OptionalFacts = Pick<
  Trade,
  | 'indexPrice'
  | 'markPrice'
  | 'impliedVolatility'
  | 'liquidation'
  | 'tickDirection'
  | 'counterparty'
  | 'book'
  | 'maturesAt'
  | 'txHash'
  | 'baseToken'
  | 'quoteToken'
>

/** Of a venue that tells none of them. */
export const noOptionalFacts = Object.freeze({
  indexPrice: null,
  markPrice: null,
  impliedVolatility: null,
  liquidation: null,
  tickDirection: null,
  counterparty: null,
  book: null,
  maturesAt: null,
  txHash: null,
  baseToken: null,
  quoteToken: null,
}) satisfies OptionalFacts
