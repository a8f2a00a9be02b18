import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

import { isLoopbackHost } from './client-address.ts'

/**
 * Whether a page may open a WebSocket. Browsers let any page do so, with everything that the browser can reach
 * (cross-site WebSocket hijacking), and only say in Origin which page asks. What is no browser sends none.
 *
 * @param allowed as GATEWAY_ALLOWED_ORIGINS.
 */
export function mayOpenStream(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin } = request.headers
  if (origin === undefined) return true
  return allowed.includes('*') || allowed.includes(origin) || isSameOrigin(request, origin)
}

/**
 * By host and port. A proxy in front that ends TLS hides the scheme, and one that changes Host as well needs its
 * address among the allowed origins. `null`, of a page without an origin, is nobody's.
 */
function isSameOrigin(request: IncomingMessage, origin: string): boolean {
  const { host } = request.headers
  if (host === undefined || !URL.canParse(origin)) return false
  const { protocol, host: originHost } = new URL(origin)
  if (protocol !== 'https:' && protocol !== 'http:') return false
  // A page that came without TLS is not ours where we serve nothing without.
  if (isEncrypted(request) && protocol !== 'https:') return false
  const own = `${protocol}//${host}`
  return URL.canParse(own) && new URL(own).host === originHost
}

function isEncrypted({ socket }: IncomingMessage): boolean {
  // Only a TLS socket has the property.
  return (socket as Partial<TLSSocket>).encrypted === true
}

/**
 * Whether the request names this machine. A page can have its own name point to 127.0.0.1 (DNS rebinding) and is
 * then of the same origin as what listens there; its name in Host tells it apart.
 */
export function namesThisMachine({ headers: { host = '' } }: IncomingMessage): boolean {
  const name = `http://${host}`
  if (!URL.canParse(name)) return false
  const { hostname } = new URL(name)
  return isLoopbackHost(hostname.replace(/^\[|\]$/g, '')) || hostname.endsWith('.localhost')
}
