/** What can be wrong with a database, for code that must react to it. */
export type MarketStoreErrorCode = 'database_newer' | 'migration_changed' | 'not_storable'

export class MarketStoreError extends Error {
  override readonly name = 'MarketStoreError'
  readonly code: MarketStoreErrorCode

  constructor(code: MarketStoreErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
