import type { IncomingHttpHeaders } from 'node:http'

import { bearerSubprotocolPrefix } from '@tickertape/market-api'

export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly keyId: string; readonly secret: string }
  | { readonly kind: 'token'; readonly token: string }
  /** It can be no key and no token. */
  | { readonly kind: 'unreadable'; readonly reason: string }

const apiKey = /^tt_([a-z0-9]{1,32})_([A-Za-z0-9_-]{43})$/
const compactJws = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/**
 * The key or token of a request: in Authorization (`Bearer …`) or X-API-Key, or, on the handshake of a WebSocket,
 * in a subprotocol, for a browser can set no header there. Never in the address, which proxies, histories and logs
 * keep.
 */
export function credentialOf(headers: IncomingHttpHeaders): Credential {
  const given: string[] = []
  if (headers.authorization !== undefined) {
    const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1]
    if (bearer === undefined) return unreadable('Authorization must be `Bearer <key or token>`')
    given.push(bearer)
  }
  given.push(...[headers['x-api-key'] ?? []].flat())
  given.push(...offeredBearers(headers))
  const [text] = given
  if (text === undefined) return { kind: 'none' }
  if (given.some((other) => other !== text)) {
    return unreadable('The request has several keys or tokens: send one')
  }
  const [, keyId, secret] = apiKey.exec(text) ?? []
  if (keyId !== undefined && secret !== undefined) return { kind: 'key', keyId, secret }
  if (compactJws.test(text)) return { kind: 'token', token: text }
  return unreadable('What the request has is neither a key (tt_<id>_<secret>) nor a JWT')
}

function offeredBearers(headers: IncomingHttpHeaders): readonly string[] {
  // Only a handshake has subprotocols, whatever else has the header.
  if (headers.upgrade?.toLowerCase() !== 'websocket') return []
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  return offered
    .filter((name) => name.startsWith(bearerSubprotocolPrefix))
    .map((name) => name.slice(bearerSubprotocolPrefix.length))
}

function unreadable(reason: string): Credential {
  return { kind: 'unreadable', reason }
}
