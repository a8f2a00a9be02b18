import type { IncomingMessage } from 'node:http'

export const scopes = ['read', 'admin'] as const

/** `admin` holds `read`. */
export type Scope = (typeof scopes)[number]

/** Who asks, once it is known. */
export interface Caller {
  /** Id of an API key, subject of a token, or the address where no authentication is configured. */
  readonly name: string
  readonly kind: 'key' | 'token' | 'address'
  readonly scopes: readonly Scope[]
  /** Address of the peer, or of the client that a trusted proxy names. */
  readonly address: string
  /** When the key or token ends, in ms since the epoch; null: it does not. */
  readonly expiresAt: number | null
}

export interface Refusal {
  /** Status of the HTTP answer. */
  readonly status: 401 | 403 | 429
  readonly code: 'unauthenticated' | 'forbidden' | 'too_many_requests'
  /** What happened and what to do. */
  readonly detail: string
  /** Headers of the answer: WWW-Authenticate, Retry-After, RateLimit. */
  readonly headers: Readonly<Record<string, string>>
}

export type Admission =
  | { readonly admitted: true; readonly caller: Caller }
  | { readonly admitted: false; readonly refusal: Refusal }

/** Decides who may ask: for a REST request and for the handshake of a WebSocket alike. */
export interface Doorkeeper extends AsyncDisposable {
  admit(request: IncomingMessage): Promise<Admission>
}
