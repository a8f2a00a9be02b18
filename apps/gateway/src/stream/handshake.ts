import { STATUS_CODES } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

import type { Problem } from '@tickertape/market-api'

import type { Admission, Doorkeeper, Refusal } from '../admission.ts'

export const streamPath = '/v1/stream'

/** Path of a request, without its query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/**
 * Asks the doorkeeper, and takes its silence for a refusal.
 *
 * @throws whatever the doorkeeper does.
 */
export async function admitInTime(
  doorkeeper: Doorkeeper,
  request: IncomingMessage,
  withinMs: number,
): Promise<Admission> {
  const late = Promise.withResolvers<Admission>()
  const timer = setTimeout(() => {
    const detail = `Whether the connection is allowed could not be told within ${withinMs} ms: try again`
    late.resolve({ admitted: false, refusal: refusal(503, detail) })
  }, withinMs)
  try {
    return await Promise.race([doorkeeper.admit(request), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Of a gateway that cannot take the connection now. */
export function refusal(status: 503, detail: string): Refusal {
  return { status, code: 'not_ready', detail, headers: { 'Retry-After': '1' } }
}

/** Answers an upgrade that is not made by a problem document, and ends the connection. */
export function refuseUpgrade(
  socket: Duplex,
  {
    status,
    code,
    detail,
    headers,
  }: Omit<Refusal, 'status' | 'code'> & {
    readonly status: number
    readonly code: Problem['code']
  },
): void {
  const title = STATUS_CODES[status] ?? 'Refused'
  const body = JSON.stringify({ type: `/problems/${code}`, title, status, detail, code })
  const lines = [
    `HTTP/1.1 ${status} ${title}`,
    'Connection: close',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.once('finish', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
