import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import { z } from 'zod'

import { scopes } from '../admission.ts'
import type { Scope } from '../admission.ts'
import { KeptCopy } from './kept-copy.ts'
import type { TokenConfig } from './settings.ts'

export interface VerifiedToken {
  readonly subject: string
  readonly scopes: readonly Scope[]
  /** ms since the epoch, the tolerance of clocks included. */
  readonly expiresAt: number
}

export type TokenVerdict =
  | VerifiedToken
  | { readonly refused: string }
  /** The key set could not be read, so that a token of a key that is not in it may be good. */
  | 'unknowable'

export interface TokenEvents {
  keySetRead(keys: number): void
  keySetNotRead(error: unknown): void
}

type KeyResolver = ReturnType<typeof createLocalJWKSet>

const requestTimeoutMs = 4_000

/** Verified tokens that are remembered: a signature takes some 100 us to check, and clients send one again and again. */
const mostRemembered = 5_000

/** jose checks what each key needs. */
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

/**
 * Checks JWTs: signature by a key of the set, algorithm by the list of allowed ones (never by what the token says of
 * itself alone), issuer, audience, and times.
 */
export class TokenVerifier implements AsyncDisposable {
  readonly #config: TokenConfig
  readonly #copy: KeptCopy<KeyResolver>
  /** Emptied whenever the key set is read: a key that was withdrawn must not count on. */
  readonly #remembered = new Map<string, VerifiedToken>()

  private constructor(config: TokenConfig, events: TokenEvents) {
    this.#config = config
    this.#copy = KeptCopy.open({
      read: () => readKeySet(config.jwksUrl),
      everyMs: config.reloadMs,
      outageMs: config.outageMs,
      onRead: (resolver) => {
        this.#remembered.clear()
        events.keySetRead(resolver.jwks().keys.length)
      },
      onFailure: (error) => events.keySetNotRead(error),
    })
  }

  static open(config: TokenConfig, events: TokenEvents): TokenVerifier {
    return new TokenVerifier(config, events)
  }

  /** Whether the token is known to be good, so that `verify` costs next to nothing. */
  remembers(token: string): boolean {
    return this.#remembered.has(token)
  }

  async verify(token: string, now: number): Promise<TokenVerdict> {
    const known = this.#copy.value === undefined ? undefined : this.#remembered.get(token)
    if (known !== undefined && known.expiresAt > now) return known
    const verdict = await this.#verifyOnce(token, now)
    if (verdict !== 'no_key') return verdict
    // Keys rotate: one that is not in the set may be there by now.
    if (!(await this.#copy.refresh())) return 'unknowable'
    const again = await this.#verifyOnce(token, now)
    return again === 'no_key' ? { refused: 'the key that signed it is not in the key set' } : again
  }

  async #verifyOnce(token: string, now: number): Promise<TokenVerdict | 'no_key'> {
    const resolver = this.#copy.value
    if (resolver === undefined) return 'no_key'
    const { issuer, audience, algorithms, clockToleranceMs } = this.#config
    try {
      const { payload } = await jwtVerify(token, resolver, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: clockToleranceMs / 1_000,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'sub'],
      })
      const verified = this.#toVerified(payload)
      this.#remember(token, verified)
      return verified
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return 'no_key'
      if (error instanceof errors.JOSEError) return { refused: error.message }
      // What a key of the set itself is wrong in, told by the platform's cryptography.
      return { refused: 'it cannot be checked' }
    }
  }

  #toVerified(payload: JWTPayload): VerifiedToken {
    const { scopeClaim, scopePrefix, clockToleranceMs } = this.#config
    const claim = payload[scopeClaim]
    const listed = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
    return {
      subject: String(payload.sub),
      scopes: scopes.filter((scope) => listed.includes(`${scopePrefix}${scope}`)),
      expiresAt: Number(payload.exp) * 1_000 + clockToleranceMs,
    }
  }

  #remember(token: string, verified: VerifiedToken): void {
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear()
    this.#remembered.set(token, verified)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copy[Symbol.asyncDispose]()
  }
}

async function readKeySet(url: string): Promise<KeyResolver> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // Where a redirect leads to has not been said to be trusted.
    redirect: 'error',
    signal: AbortSignal.timeout(requestTimeoutMs),
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  // Of a shape that jose asks for and checks again, key by key.
  const set = keySet.parse(await response.json()) as JSONWebKeySet
  return createLocalJWKSet(set)
}
