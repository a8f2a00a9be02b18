export type VerifyErrorCode = 'not_arrived'

/** Nothing can be said of the candles. */
export class VerifyError extends Error {
  override readonly name = 'VerifyError'
  readonly code: VerifyErrorCode

  constructor(code: VerifyErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
