import { randomBytes } from 'node:crypto'

export function uniqueName(stem: string): string {
  return `${stem}-${randomBytes(5).toString('hex')}`
}

/** A topic prefix of the test's own, so that tests share one broker without seeing each other. */
export function uniquePrefix(): string {
  return `${uniqueName('t')}.`
}
