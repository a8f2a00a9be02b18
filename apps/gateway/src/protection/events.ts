import { Counter, Gauge } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'

import type { Admission } from '../admission.ts'
import type { ProtectionConfig } from './settings.ts'
import type { TlsPair } from './tls-files.ts'

/** Everything that happens at the door and that somebody outside should know of. */
export type ProtectionEvents = ReturnType<typeof createProtectionEvents>

export function createProtectionEvents({
  logger,
  metrics,
  readiness,
}: Pick<ServiceContext, 'logger' | 'metrics' | 'readiness'>) {
  const registers = [metrics]
  const admitted = new Counter({
    name: 'gateway_admitted_total',
    help: 'Requests and handshakes let in, by what they came with: key, token or address',
    labelNames: ['kind'],
    registers,
  })
  const refused = new Counter({
    name: 'gateway_refused_total',
    help: 'Requests and handshakes turned away, by the code of the problem',
    labelNames: ['code'],
    registers,
  })
  const keys = new Gauge({
    name: 'gateway_api_keys',
    help: 'API keys that stand',
    registers,
  })
  const failures = new Counter({
    name: 'gateway_protection_failures_total',
    help: 'Readings that failed, by what: keys, key_set, shared_rates, tls',
    labelNames: ['part'],
    registers,
  })
  const certificateEnd = new Gauge({
    name: 'gateway_tls_certificate_end_seconds',
    help: 'When the certificate in use ends, in seconds since the epoch',
    registers,
  })

  /** A part that fails is told once, and once when it works again. */
  const failing = new Set<string>()

  function failed(part: string, subject: string, consequence: string, error: unknown): void {
    failures.inc({ part })
    const reason = error instanceof Error ? error.message : String(error)
    readiness.degrade(subject, `${consequence}: ${reason}`)
    if (failing.has(subject)) return
    failing.add(subject)
    logger.warn({ err: error }, `${consequence}: ${reason}`)
  }

  function works(subject: string, message: string): void {
    readiness.ready(subject)
    if (failing.delete(subject)) logger.info(message)
  }

  return {
    /** Once, at the start: whoever runs this should know whom it lets in. */
    protectionConfigured(config: ProtectionConfig, host: string): void {
      const kinds = [...(config.keys ? ['keys'] : []), ...(config.tokens ? ['tokens'] : [])]
      if (config.requiresLoopbackName) {
        logger.warn(
          `no authentication: only this machine is served, on ${host}; GATEWAY_AUTHENTICATION=keys or tokens is for others`,
        )
      } else if (kinds.length === 0) {
        logger.warn(
          `no authentication: whoever reaches ${host} may ${config.anonymousScopes.join(' and ')}, as GATEWAY_ANONYMOUS says`,
        )
      } else {
        logger.info({ authentication: kinds, anonymous: config.anonymousScopes }, 'authentication')
      }
    },

    admissionDecided(admission: Admission, address: string): void {
      if (admission.admitted) {
        admitted.inc({ kind: admission.caller.kind })
        return
      }
      const { code, detail } = admission.refusal
      refused.inc({ code })
      logger.debug({ address, code }, `refused: ${detail}`)
    },

    keysRead(count: number): void {
      keys.set(count)
      works('api-keys', 'API keys are read again')
    },

    keysNotRead(error: unknown): void {
      const consequence =
        'API keys cannot be read: those that are known stay valid for GATEWAY_KEYS_OUTAGE_MS, others get 503'
      failed('keys', 'api-keys', consequence, error)
    },

    keySetRead(count: number): void {
      works('key-set', `the key set of tokens is read again: ${count} keys`)
    },

    keySetNotRead(error: unknown): void {
      const consequence =
        'The key set of tokens cannot be read: the one that is known counts for GATEWAY_JWKS_OUTAGE_MS, tokens of other keys get 503'
      failed('key_set', 'key-set', consequence, error)
    },

    ratesShared(): void {
      works('shared-rates', 'requests are counted with the other instances again')
    },

    ratesNotShared(error: unknown): void {
      const consequence =
        'Requests cannot be counted with the other instances: each counts for itself until the database answers'
      failed('shared_rates', 'shared-rates', consequence, error)
    },

    tlsPairTaken({ certificate }: TlsPair, isFirst: boolean): void {
      certificateEnd.set(certificate.validToDate.getTime() / 1_000)
      readiness.ready('tls')
      logger.info(
        { subject: certificate.subject, validTo: certificate.validTo },
        isFirst ? 'serving HTTPS' : 'new connections get the new certificate',
      )
    },

    tlsPairRefused(error: unknown): void {
      failures.inc({ part: 'tls' })
      const reason = error instanceof Error ? error.message : String(error)
      const consequence = 'The changed TLS files cannot be used, the old certificate is kept'
      readiness.degrade('tls', `${consequence}: ${reason}`)
      logger.error({ err: error }, `${consequence}: ${reason}`)
    },
  }
}
