import type { InstrumentKind, QuantityUnit } from '@tickertape/market-model'

/** What a venue tells of an instrument that trades now. */
export interface InstrumentFacts {
  /** The venue's own symbol, as its trades carry it. */
  readonly instrument: string
  /** What is traded. */
  readonly base: string
  /** What prices are in. */
  readonly quote: string
  readonly kind: InstrumentKind
  /** What the quantities of its trades count; quote on a contract: it is inverse. */
  readonly quantityUnit: QuantityUnit
}
