export type StackProblemCode =
  | 'java'
  | 'maven'
  | 'disk'
  | 'port-taken'
  | 'download'
  | 'checksum'
  | 'postgres-user'
  | 'platform'
  | 'part-stopped'
  | 'part-silent'
  | 'in-use'
  | 'cancelled'

/**
 * Something that a person can mend: the message alone says what happened, where, and what to do, so
 * that it is shown without a stack trace.
 */
export class StackProblem extends Error {
  override readonly name = 'StackProblem'
  readonly code: StackProblemCode

  constructor(code: StackProblemCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
