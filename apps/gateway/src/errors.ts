/** What keeps the gateway from serving, for code that must react to it. */
export type GatewayErrorCode = 'database_older'

export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: GatewayErrorCode

  constructor(code: GatewayErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
