/** Why the sink has to stop. */
export type PgSinkErrorCode = 'stale_owner'

export class PgSinkError extends Error {
  override readonly name = 'PgSinkError'
  readonly code: PgSinkErrorCode

  constructor(code: PgSinkErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
