import type { BlockList } from 'node:net'

import {
  SettingsError,
  choiceSetting,
  integerSetting,
  listSetting,
  maskSecrets,
  textSetting,
  urlSetting,
} from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

import { scopes } from '../admission.ts'
import type { Scope } from '../admission.ts'
import { addressList, isLoopbackHost } from './client-address.ts'

/** What a token may be signed with. Only asymmetric: with a shared secret whoever checks could sign as well. */
const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
]

export const protectionSettings = {
  GATEWAY_AUTHENTICATION: listSetting({
    default: '',
    about:
      'What the gateway lets in: keys (made by `npm run keys`), tokens (JWT), or both; empty: whoever reaches it, which only a loopback GATEWAY_HOST may',
  }),
  GATEWAY_ANONYMOUS: choiceSetting(['', 'none', 'read', 'admin'], {
    default: '',
    about:
      'What requests without a key or token may do; empty: nothing where there is authentication, everything where there is none. read or admin also allows any GATEWAY_HOST',
  }),
  GATEWAY_KEYS_RELOAD_MS: integerSetting({
    default: '5000',
    min: 1_000,
    about: 'Time between two readings of the API keys: how long a revoked one may still count',
  }),
  GATEWAY_KEYS_OUTAGE_MS: integerSetting({
    default: '600000',
    about:
      'How long the keys last read stay valid while the database is away; then nobody is let in',
  }),
  GATEWAY_JWKS_URL: urlSetting(['https', 'http'], {
    default: '',
    optional: true,
    about: 'Key set that tokens are checked against; http only on the same machine',
  }),
  GATEWAY_JWKS_RELOAD_MS: integerSetting({
    default: '300000',
    min: 1_000,
    about:
      'Time between two readings of the key set; a token of a key that is not in it asks for one at once',
  }),
  GATEWAY_JWKS_OUTAGE_MS: integerSetting({
    default: '3600000',
    about: 'How long the key set last read counts while its server is away',
  }),
  GATEWAY_JWT_ISSUER: textSetting({
    default: '',
    about: 'The `iss` that a token must have',
  }),
  GATEWAY_JWT_AUDIENCE: textSetting({
    default: '',
    about: 'The `aud` that a token must have',
  }),
  GATEWAY_JWT_ALGORITHMS: listSetting({
    default: 'RS256,PS256,ES256,EdDSA',
    about: 'What a token may be signed with; asymmetric ones only',
  }),
  GATEWAY_JWT_SCOPE_CLAIM: textSetting({
    default: 'scope',
    about: 'Claim that lists what a token allows: a text with spaces, or an array',
  }),
  GATEWAY_JWT_SCOPE_PREFIX: textSetting({
    default: '',
    about: 'What stands before `read` and `admin` in that claim, for example `tickertape:`',
  }),
  GATEWAY_JWT_CLOCK_TOLERANCE_MS: integerSetting({
    default: '30000',
    max: 600_000,
    about: 'How far the clock of the one who makes tokens may be off',
  }),
  GATEWAY_RATE_LIMIT: integerSetting({
    default: '6000',
    about:
      'Requests that one key, token or address may make in GATEWAY_RATE_WINDOW_MS; 0: no limit',
  }),
  GATEWAY_RATE_WINDOW_MS: integerSetting({
    default: '60000',
    min: 1_000,
    max: 86_400_000,
    about: 'Window that requests are counted in; it begins with the first one',
  }),
  GATEWAY_RATE_SHARED: choiceSetting(['on', 'off'], {
    default: 'off',
    about: 'Whether all instances count together, through PostgreSQL; off: each for itself',
  }),
  GATEWAY_RATE_SYNC_MS: integerSetting({
    default: '1000',
    min: 50,
    about: 'How often an instance tells the others what it counted',
  }),
  GATEWAY_TRUSTED_PROXIES: listSetting({
    default: '',
    about:
      'Addresses and networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed; empty: nobody’s',
  }),
  GATEWAY_ALLOWED_ORIGINS: listSetting({
    default: '',
    about:
      'Origins of web pages (https://example.com) that may read besides those that the gateway serves itself; *: all',
  }),
  GATEWAY_TLS_CERT_FILE: textSetting({
    default: '',
    about: 'Certificate chain (PEM) to serve HTTPS with; read again when it changes; empty: HTTP',
  }),
  GATEWAY_TLS_KEY_FILE: textSetting({
    default: '',
    about: 'Private key (PEM) of that certificate',
  }),
} as const

export interface TokenConfig {
  readonly jwksUrl: string
  readonly reloadMs: number
  readonly outageMs: number
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly string[]
  readonly scopeClaim: string
  readonly scopePrefix: string
  readonly clockToleranceMs: number
}

export interface RatePolicy {
  readonly requests: number
  readonly windowMs: number
}

export interface ProtectionConfig {
  /** undefined: keys are not asked for. */
  readonly keys: { readonly reloadMs: number; readonly outageMs: number } | undefined
  readonly tokens: TokenConfig | undefined
  /** Of requests without a key or token; empty: they are refused. */
  readonly anonymousScopes: readonly Scope[]
  /** Only requests that name this machine: a page whose name was made to point here is turned away. */
  readonly requiresLoopbackName: boolean
  readonly rate: {
    /** undefined: no limit. */
    readonly policy: RatePolicy | undefined
    /** undefined: each instance counts for itself. */
    readonly syncMs: number | undefined
  }
  readonly trustedProxies: BlockList
  /** `*` alone, or origins as browsers write them. */
  readonly allowedOrigins: readonly string[]
  readonly tls: TlsFileNames | undefined
}

export interface TlsFileNames {
  readonly certFile: string
  readonly keyFile: string
}

type Values = SettingValues<typeof protectionSettings>

/**
 * @param host the interface that is listened on.
 * @throws SettingsError with every problem at once.
 */
export function readProtectionConfig(values: Values, host: string): ProtectionConfig {
  const problems: string[] = []
  const kinds = values.GATEWAY_AUTHENTICATION
  for (const kind of kinds) {
    if (kind === 'keys' || kind === 'tokens') continue
    problems.push(`GATEWAY_AUTHENTICATION must list some of keys, tokens, got "${kind}"`)
  }
  const isOpen = kinds.length === 0 && values.GATEWAY_ANONYMOUS === ''
  if (kinds.length === 0 && values.GATEWAY_ANONYMOUS === 'none') {
    problems.push(
      'GATEWAY_ANONYMOUS=none without GATEWAY_AUTHENTICATION lets nobody in: set the latter to keys, tokens or both',
    )
  }
  if (isOpen && !isLoopbackHost(host)) {
    problems.push(
      `GATEWAY_HOST ${host} can be reached from other machines, and no authentication is set: set GATEWAY_AUTHENTICATION to keys (and make one by \`npm run keys -- create --name <name> --scope read\`) or tokens, or GATEWAY_ANONYMOUS=read to let everybody read, or GATEWAY_HOST=127.0.0.1`,
    )
  }
  const config: ProtectionConfig = {
    keys: kinds.includes('keys')
      ? { reloadMs: values.GATEWAY_KEYS_RELOAD_MS, outageMs: values.GATEWAY_KEYS_OUTAGE_MS }
      : undefined,
    tokens: readTokens(values, problems),
    anonymousScopes: isOpen ? scopes : anonymousScopes(values.GATEWAY_ANONYMOUS),
    requiresLoopbackName: isOpen,
    rate: {
      policy:
        values.GATEWAY_RATE_LIMIT === 0
          ? undefined
          : { requests: values.GATEWAY_RATE_LIMIT, windowMs: values.GATEWAY_RATE_WINDOW_MS },
      syncMs: values.GATEWAY_RATE_SHARED === 'on' ? values.GATEWAY_RATE_SYNC_MS : undefined,
    },
    trustedProxies: addressList(values.GATEWAY_TRUSTED_PROXIES, (entry) =>
      problems.push(
        `GATEWAY_TRUSTED_PROXIES must list addresses and networks such as 10.0.0.0/8, got "${entry}"`,
      ),
    ),
    allowedOrigins: readOrigins(values.GATEWAY_ALLOWED_ORIGINS, problems),
    tls: readTls(values, problems),
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return config
}

function anonymousScopes(choice: Values['GATEWAY_ANONYMOUS']): readonly Scope[] {
  if (choice === 'admin') return scopes
  return choice === 'read' ? ['read'] : []
}

function readTokens(values: Values, problems: string[]): TokenConfig | undefined {
  const needed = ['GATEWAY_JWKS_URL', 'GATEWAY_JWT_ISSUER', 'GATEWAY_JWT_AUDIENCE'] as const
  if (!values.GATEWAY_AUTHENTICATION.includes('tokens')) {
    for (const name of needed) {
      if (values[name] === '') continue
      problems.push(
        `${name} is set, but GATEWAY_AUTHENTICATION does not list tokens: nothing would check them`,
      )
    }
    return undefined
  }
  for (const name of needed) {
    if (values[name] !== '') continue
    problems.push(`${name} must be set where GATEWAY_AUTHENTICATION lists tokens`)
  }
  const unfit = unfitKeySetUrl(values.GATEWAY_JWKS_URL)
  if (unfit !== undefined) {
    problems.push(`GATEWAY_JWKS_URL ${unfit}, got "${maskSecrets(values.GATEWAY_JWKS_URL)}"`)
  }
  const algorithms = values.GATEWAY_JWT_ALGORITHMS
  if (algorithms.length === 0 || algorithms.some((name) => !tokenAlgorithms.includes(name))) {
    problems.push(
      `GATEWAY_JWT_ALGORITHMS must list some of ${tokenAlgorithms.join(', ')}, got "${algorithms.join(',')}"`,
    )
  }
  return {
    jwksUrl: values.GATEWAY_JWKS_URL,
    reloadMs: values.GATEWAY_JWKS_RELOAD_MS,
    outageMs: values.GATEWAY_JWKS_OUTAGE_MS,
    issuer: values.GATEWAY_JWT_ISSUER,
    audience: values.GATEWAY_JWT_AUDIENCE,
    algorithms,
    scopeClaim: values.GATEWAY_JWT_SCOPE_CLAIM,
    scopePrefix: values.GATEWAY_JWT_SCOPE_PREFIX,
    clockToleranceMs: values.GATEWAY_JWT_CLOCK_TOLERANCE_MS,
  }
}

/** @returns what it must be instead; undefined: it can be used, or is not set. */
function unfitKeySetUrl(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const { protocol, hostname, username, password } = new URL(address)
  if (username !== '' || password !== '') {
    return 'must be without a user and password: a key set is public'
  }
  if (protocol === 'http:' && !isLoopbackHost(hostname.replace(/^\[|\]$/g, ''))) {
    return 'must begin with https:// unless it is on this machine: whoever can change the answer can sign tokens'
  }
  return undefined
}

function readOrigins(entries: readonly string[], problems: string[]): readonly string[] {
  for (const entry of entries) {
    if (entry === '*' && entries.length === 1) continue
    if (/^https?:/.test(entry) && URL.canParse(entry) && new URL(entry).origin === entry) continue
    problems.push(
      `GATEWAY_ALLOWED_ORIGINS must list origins as browsers write them (https://example.com, without a path, port 443 left out) or be *, got "${entry}"`,
    )
  }
  return entries
}

function readTls(values: Values, problems: string[]): TlsFileNames | undefined {
  const certFile = values.GATEWAY_TLS_CERT_FILE
  const keyFile = values.GATEWAY_TLS_KEY_FILE
  if (certFile === '' && keyFile === '') return undefined
  if (certFile === '' || keyFile === '') {
    problems.push('GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE must be set together')
    return undefined
  }
  return { certFile, keyFile }
}
