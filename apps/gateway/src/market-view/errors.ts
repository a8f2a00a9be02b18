/** Why rows and topics cannot be joined. */
export type MarketViewErrorCode = 'rows_before_topic' | 'rows_after_topic'

export class MarketViewError extends Error {
  override readonly name = 'MarketViewError'
  readonly code: MarketViewErrorCode

  constructor(code: MarketViewErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
