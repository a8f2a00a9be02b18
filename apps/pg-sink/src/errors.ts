/**
 * Why the sink has to stop:
 * - `stale_owner`: another instance owns a partition now. The session ends; the next one is a new member.
 * - `offsets_changed`: the stored offsets are not where this instance has left them.
 * - `record_rejected`: a record cannot be stored, and the setting allows none such.
 * - `write_refused`: the database takes nothing of what is written. It is tried again first.
 */
export type PgSinkErrorCode =
  | 'stale_owner'
  | 'offsets_changed'
  | 'record_rejected'
  | 'write_refused'

export class PgSinkError extends Error {
  override readonly name = 'PgSinkError'
  readonly code: PgSinkErrorCode

  constructor(code: PgSinkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
