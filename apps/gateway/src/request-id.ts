import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Names one request in its answer and in the log. */
export const requestIdHeader = 'x-request-id'

const usable = /^[\w.:-]{1,100}$/

/** The id that a proxy in front of us has given, if it can stand in a log as it is; otherwise a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers[requestIdHeader]
  return typeof given === 'string' && usable.test(given) ? given : randomUUID()
}
