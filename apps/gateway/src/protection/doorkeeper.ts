import type { IncomingMessage } from 'node:http'

import type { Database } from '@tickertape/market-store'

import type { Admission, Caller, Doorkeeper, Refusal, Scope, Standing } from '../admission.ts'
import { ApiKeys } from './api-keys.ts'
import { addressKey, clientAddress } from './client-address.ts'
import { credentialOf } from './credentials.ts'
import type { Credential } from './credentials.ts'
import type { ProtectionEvents } from './events.ts'
import { mayOpenStream, namesThisMachine } from './origins.ts'
import { rateHeaders, wholeSeconds } from './rate-headers.ts'
import { RateWindows } from './rate-windows.ts'
import type { ProtectionConfig } from './settings.ts'
import { SharedRates } from './shared-rates.ts'
import { TokenVerifier } from './token-verifier.ts'

export interface DoorkeeperOptions {
  /** Should be its own: nobody is to wait behind what pages of the gateway ask of theirs. */
  readonly database: Database
  readonly events: ProtectionEvents
}

type Identity = Pick<Caller, 'name' | 'kind' | 'scopes' | 'expiresAt'>

/**
 * Decides who may ask: origin, key or token, then how often. Returns at once, whether or not the database and the
 * key set's server are there; both are read in the background.
 */
export async function openDoorkeeper(
  config: ProtectionConfig,
  { database, events }: DoorkeeperOptions,
): Promise<Doorkeeper> {
  await using parts = new AsyncDisposableStack()
  const keys = config.keys && parts.use(ApiKeys.open(database, config.keys, events))
  const tokens = config.tokens && parts.use(TokenVerifier.open(config.tokens, events))
  const { policy, syncMs } = config.rate
  const rates = policy && new RateWindows(policy)
  if (rates !== undefined && syncMs !== undefined) {
    parts.use(SharedRates.open(rates, database, syncMs, events))
  }
  return new Door(config, { keys, tokens, rates, events }, parts.move())
}

interface DoorParts {
  readonly keys: ApiKeys | undefined
  readonly tokens: TokenVerifier | undefined
  readonly rates: RateWindows | undefined
  readonly events: ProtectionEvents
}

class Door implements Doorkeeper {
  readonly #config: ProtectionConfig
  readonly #parts: DoorParts
  readonly #opened: AsyncDisposableStack
  /** Keys and tokens that were refused, by address: whoever tries many is not listened to for a while. */
  readonly #failures: RateWindows | undefined

  constructor(config: ProtectionConfig, parts: DoorParts, opened: AsyncDisposableStack) {
    this.#config = config
    this.#parts = parts
    this.#opened = opened
    this.#failures = config.rate.policy && new RateWindows(config.rate.policy)
  }

  async admit(request: IncomingMessage): Promise<Admission> {
    const address = clientAddress(request, this.#config.trustedProxies)
    const verdict = this.#foreign(request) ?? (await this.#identify(request, address))
    const admission = 'status' in verdict ? refused(verdict) : this.#count(verdict, address)
    this.#parts.events.admissionDecided(admission, address)
    return admission
  }

  stands({ kind, name, expiresAt }: Caller): Standing {
    const now = Date.now()
    if (expiresAt !== null && expiresAt <= now) return 'ended'
    return kind === 'key' ? (this.#parts.keys?.stands(name, now) ?? 'ended') : 'stands'
  }

  /** undefined: the request comes from where it may. */
  #foreign(request: IncomingMessage): Refusal | undefined {
    if (this.#config.requiresLoopbackName && !namesThisMachine(request)) {
      return forbidden(
        `This gateway asks for no key and answers only requests to localhost or 127.0.0.1, not to "${request.headers.host ?? ''}": use that address, or set GATEWAY_AUTHENTICATION or GATEWAY_ANONYMOUS`,
      )
    }
    const isHandshake = request.headers.upgrade?.toLowerCase() === 'websocket'
    if (isHandshake && !mayOpenStream(request, this.#config.allowedOrigins)) {
      return forbidden(
        `Pages of ${request.headers.origin ?? ''} may not open this stream: add the origin to GATEWAY_ALLOWED_ORIGINS if they should`,
      )
    }
    return undefined
  }

  async #identify(request: IncomingMessage, address: string): Promise<Identity | Refusal> {
    const { anonymousScopes } = this.#config
    const credential = credentialOf(request.headers)
    if (credential.kind === 'none') {
      if (anonymousScopes.length === 0) return unauthenticated(this.#howToAuthenticate())
      const scopes = anonymousScopes
      return { name: addressKey(address), kind: 'address', scopes, expiresAt: null }
    }
    const { keys, tokens } = this.#parts
    if (keys === undefined && tokens === undefined) {
      // Nothing here knows keys; a client that sends its key everywhere is as good as any other.
      return {
        name: addressKey(address),
        kind: 'address',
        scopes: anonymousScopes,
        expiresAt: null,
      }
    }
    const identity = await this.#verifyWithin(credential, addressKey(address))
    if ('status' in identity || identity.scopes.length > 0) return identity
    return forbidden(`The ${identity.kind} has neither the scope read nor admin`, 'read')
  }

  /** Verifies unless too many from the address have failed. */
  async #verifyWithin(
    credential: Exclude<Credential, { kind: 'none' }>,
    source: string,
  ): Promise<Identity | Refusal> {
    const isKnown =
      credential.kind === 'key'
        ? this.#parts.keys?.stands(credential.keyId, Date.now()) === 'stands'
        : credential.kind === 'token' && this.#parts.tokens?.remembers(credential.token) === true
    const failures = this.#failures?.look(source, performance.now())
    if (!isKnown && failures?.allowed === false) {
      return tooMany('Too many keys or tokens from this address were refused', failures.resetMs, {})
    }
    const identity = await this.#verify(credential)
    if ('status' in identity && identity.status === 401) {
      this.#failures?.take(source, performance.now())
    }
    return identity
  }

  async #verify(credential: Exclude<Credential, { kind: 'none' }>): Promise<Identity | Refusal> {
    const { keys, tokens } = this.#parts
    if (credential.kind === 'unreadable') return unauthenticated(credential.reason, true)
    if (credential.kind === 'key') {
      if (keys === undefined)
        return unauthenticated('This gateway takes tokens, not API keys', true)
      const key = await keys.verify(credential.keyId, credential.secret, Date.now())
      if (key === 'unknowable') return unknowable('API keys', 'the database')
      if (key === 'invalid') {
        return unauthenticated('The API key is not known, has expired or was revoked', true)
      }
      const { keyId: name, expiresAt } = key
      return { name, kind: 'key', scopes: withImplied(key.scopes), expiresAt }
    }
    if (tokens === undefined)
      return unauthenticated('This gateway takes API keys, not tokens', true)
    const token = await tokens.verify(credential.token, Date.now())
    if (token === 'unknowable') return unknowable('Tokens', 'the server of their key set')
    if ('refused' in token) return unauthenticated(`The token is refused: ${token.refused}`, true)
    const { subject: name, expiresAt } = token
    return { name, kind: 'token', scopes: withImplied(token.scopes), expiresAt }
  }

  #count(identity: Identity, address: string): Admission {
    const { rates } = this.#parts
    const caller: Caller = { ...identity, address }
    if (rates === undefined) return { admitted: true, caller, headers: {} }
    const verdict = rates.take(`${identity.kind}:${identity.name}`, performance.now())
    const headers = rateHeaders(rates.policy, verdict)
    if (verdict.allowed) return { admitted: true, caller, headers }
    const { requests, windowMs } = rates.policy
    const detail = `More than ${requests} requests in ${windowMs / 1_000} s by this ${identity.kind}`
    return refused(tooMany(detail, verdict.resetMs, headers))
  }

  #howToAuthenticate(): string {
    const { keys, tokens } = this.#parts
    const kinds = [...(keys ? ['an API key'] : []), ...(tokens ? ['a token'] : [])].join(' or ')
    return `Send ${kinds} in the header Authorization: Bearer …`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync()
  }
}

function withImplied(scopes: readonly Scope[]): readonly Scope[] {
  return scopes.includes('admin') ? ['read', 'admin'] : scopes
}

function refused(refusal: Refusal): Admission {
  return { admitted: false, refusal }
}

/** @param wasGiven a key or token, which is no good (RFC 6750, 3.1: no error code without one). */
function unauthenticated(detail: string, wasGiven = false): Refusal {
  const error = wasGiven ? ', error="invalid_token"' : ''
  return {
    status: 401,
    code: 'unauthenticated',
    detail,
    headers: { 'www-authenticate': `Bearer realm="tickertape"${error}` },
  }
}

/** @param scope that is lacking; undefined: no scope would help. */
export function forbidden(detail: string, scope?: Scope): Refusal {
  const challenge = `Bearer realm="tickertape", error="insufficient_scope", scope="${scope}"`
  const headers = scope === undefined ? {} : { 'www-authenticate': challenge }
  return { status: 403, code: 'forbidden', detail, headers }
}

function tooMany(
  what: string,
  resetMs: number,
  headers: Readonly<Record<string, string>>,
): Refusal {
  const seconds = wholeSeconds(resetMs)
  return {
    status: 429,
    code: 'too_many_requests',
    detail: `${what}: try again in ${seconds} s`,
    headers: { ...headers, 'retry-after': String(seconds) },
  }
}

function unknowable(what: string, whoKnows: string): Refusal {
  return {
    status: 503,
    code: 'not_ready',
    detail: `${what} cannot be checked now, for ${whoKnows} does not answer: try again in a few seconds`,
    headers: { 'retry-after': '5' },
  }
}
