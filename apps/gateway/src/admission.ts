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
  readonly status: 401 | 403 | 429 | 503
  /** `not_ready`: whether the key or token is good cannot be told now, for what knows it is away. */
  readonly code: 'unauthenticated' | 'forbidden' | 'too_many_requests' | 'not_ready'
  /** What happened and what to do. */
  readonly detail: string
  /** Headers of the answer: WWW-Authenticate, Retry-After, RateLimit. */
  readonly headers: Readonly<Record<string, string>>
}

export type Admission =
  | {
      readonly admitted: true
      readonly caller: Caller
      /** Headers of the answer, whatever it is: RateLimit, RateLimit-Policy. */
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly admitted: false; readonly refusal: Refusal }

/**
 * What has become of one that was admitted. `ended`: the key was revoked, or the key or token has expired.
 * `unknowable`: what knows it has been away for too long.
 */
export type Standing = 'stands' | 'ended' | 'unknowable'

/** Decides who may ask: for a REST request and for the handshake of a WebSocket alike. */
export interface Doorkeeper extends AsyncDisposable {
  /** Never rejects. */
  admit(request: IncomingMessage): Promise<Admission>

  /**
   * Whether one that was admitted still would be. Costs nothing; whoever holds a connection open asks now and
   * then.
   */
  stands(caller: Caller): Standing
}
