import type { Venue } from './venue-name.ts'

export type { Venue } from './venue-name.ts'

/** What the simulator knows of one market. Prices and quantities are counted in whole units. */
export interface Instrument {
  readonly venue: Venue
  /** The venue's own symbol. */
  readonly name: string
  readonly base: string
  readonly quote: string
  readonly kind: 'perpetual' | 'future' | 'spot' | 'option' | 'future_combo'
  /** An inverse contract's quantity is an amount of the quote currency. */
  readonly inverse: boolean
  /** The tick is tickUnits * 10^-priceDecimals. */
  readonly tickUnits: number
  readonly priceDecimals: number
  /** The smallest quantity is lotUnits * 10^-quantityDecimals. */
  readonly lotUnits: number
  readonly quantityDecimals: number
  /** The price that the seeded market moves around. */
  readonly basePrice: number
  /** Taken off every price, in its last digit: prices of a spread may be below zero. */
  readonly priceShift?: number
  readonly tradesPerMinute: number
  /** Milliseconds since the epoch; absent where the contract never ends. */
  readonly expiresAt?: number
  /** The venue's id of the trade with this sequence; absent where the sequence itself is the id. */
  readonly tradeId?: (sequence: number) => string
}
