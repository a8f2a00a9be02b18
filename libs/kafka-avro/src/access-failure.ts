import { KafkaAvroError } from './errors.ts'
import type { KafkaConnection, RegistryConnection } from './kafka-connection.ts'
import { CODES } from './librdkafka.ts'

/** What a server and we could not agree on: whom to trust over TLS, or who we are. */
type Refusal = 'tls' | 'credentials'

/** Of OpenSSL's verification, by Node's names, and of its protocol. */
const tlsCodes =
  /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/

/** Where one side speaks TLS and the other does not. */
const noTlsMessages =
  /requires TLS|TLS handshake failed|secure TLS connection was established|wrong version number/

/**
 * What an error of a broker's connection says of access to it.
 *
 * @param error librdkafka's or the pure-JS client's, with its causes.
 * @returns undefined if it says nothing of it: the broker is away, mostly.
 */
export function kafkaAccessFailure(
  connection: KafkaConnection,
  error: unknown,
): KafkaAvroError | undefined {
  const found = refusalIn(error)
  if (found === undefined) return undefined
  const { refusal, reason } = found
  return new KafkaAvroError(
    'access_refused',
    refusal === 'tls'
      ? `There is no TLS connection to Kafka at ${connection.brokers} (${reason}): ${tlsAdvice('KAFKA', reason)}`
      : `Kafka at ${connection.brokers} does not let ${connection.sasl?.username ?? 'us'} in by ${connection.sasl?.mechanism ?? 'KAFKA_SECURITY_PROTOCOL'} (${reason}): check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM`,
    { cause: error },
  )
}

/** The same of the registry. @param status of its answer, if it gave one. */
export function registryAccessFailure(
  { url, credentials }: RegistryConnection,
  error: unknown,
  status: number | undefined,
): KafkaAvroError | undefined {
  if (status === 401 || status === 403) {
    return new KafkaAvroError(
      'registry_access_refused',
      `The schema registry at ${url} does not let ${credentials?.username ?? 'us'} in (HTTP ${status}): check REGISTRY_USERNAME and REGISTRY_PASSWORD`,
      { cause: error },
    )
  }
  const found = refusalIn(error)
  if (found === undefined) return undefined
  return new KafkaAvroError(
    'registry_access_refused',
    `There is no TLS connection to the schema registry at ${url} (${found.reason}): ${tlsAdvice('REGISTRY', found.reason)}`,
    { cause: error },
  )
}

function refusalIn(
  error: unknown,
): { readonly refusal: Refusal; readonly reason: string } | undefined {
  for (let at = error; isDescribed(at); at = at.cause) {
    const refusal = refusalOf(at)
    if (refusal !== undefined) return { refusal, reason: innermostReason(at) }
  }
  return undefined
}

function refusalOf({ code, message }: Described): Refusal | undefined {
  if (code === CODES.ERRORS.ERR__SSL) return 'tls'
  if (code === CODES.ERRORS.ERR__AUTHENTICATION) return 'credentials'
  if (code === 'PLT_KFK_AUTHENTICATION') return 'credentials'
  const isTls = (typeof code === 'string' && tlsCodes.test(code)) || noTlsMessages.test(message)
  return isTls ? 'tls' : undefined
}

/** The pure-JS client says in its own words that it failed, and keeps the broker's as a cause. */
function innermostReason(error: Described): string {
  let reason = error.message
  for (let at: unknown = error; isDescribed(at); at = at.errors?.[0] ?? at.cause) {
    // Node adds advice of its own.
    if (at.message !== '') reason = at.message.replace(/; if the root CA.*/, '')
  }
  return /SSL routines:[^:]*:([^:]+)/.exec(reason)?.[1] ?? reason
}

function tlsAdvice(prefix: 'KAFKA' | 'REGISTRY', reason: string): string {
  if (/requires TLS/.test(reason)) return 'set KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL'
  const [ca, certificate] = [`${prefix}_SSL_CA_FILE`, `${prefix}_SSL_CERTIFICATE_FILE`]
  if (/altname|hostname|IP address|mismatch/i.test(reason)) {
    return `its certificate is for another name: reach it by one that is in it`
  }
  if (/expired|not yet valid/i.test(reason)) return 'renew the certificate that is meant'
  if (/verif|self.signed|issuer|certificate chain|unknown ca/i.test(reason)) {
    return `its certificate is not of an authority that we trust: is ${ca} the one that issued it?`
  }
  if (/certificate.required|bad.certificate|certificate.unknown/i.test(reason)) {
    return `it takes no connection without a certificate that it trusts: check ${certificate}`
  }
  return `does it speak TLS there, and are ${ca} and ${certificate} those that it expects?`
}

/** Errors of librdkafka's binding are not all of them instances of Error. */
interface Described {
  readonly message: string
  readonly code?: unknown
  readonly cause?: unknown
  /** Of an AggregateError. */
  readonly errors?: readonly unknown[]
}

function isDescribed(error: unknown): error is Described {
  return typeof error === 'object' && error !== null && 'message' in error
}
