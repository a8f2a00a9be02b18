import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startStack } from '@tickertape/stack'
import { missingProgram } from '@tickertape/testing'
import { formatReport } from '@tickertape/verify'
import { describe, expect, it } from 'vitest'

import { differences, runMarket } from './market-run.ts'

const minute = 60_000
const start = Date.UTC(2026, 0, 5, 9, 30)

const missing = await missingProgram({ path: '/usr/bin/openssl', packages: ['openssl'] })
const skipped = missing === undefined ? '' : ` (skipped: ${missing})`

describe.skipIf(missing !== undefined)(`the road${skipped}`, () => {
  it('goes over TLS with passwords from the venue to PostgreSQL, and no trade is missing', async () => {
    await using stack = await startStack({
      folder: mkdtempSync(join(tmpdir(), 'tickertape-secured-road-')),
      ports: 'free',
      secured: true,
      temporary: true,
      onProgress: () => undefined,
    })
    const { secured } = stack
    if (secured === undefined) throw new Error('the stack is not secured')
    const connection = secured.kafkaBySasl('SCRAM-SHA-512')
    const { ca } = secured.certificates
    const { truth, stored, report, rejected } = await runMarket({
      venue: 'deribit',
      instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
      simulator: { start, end: start + 2 * minute, speed: 12, speedAfterEnd: 60, limits: false },
      stack: {
        // Topics and the database are made over the stack's plain ports.
        kafkaBrokers: stack.kafkaBrokers,
        registryUrl: secured.registry.url,
        databaseUrl: secured.databaseUrl,
        connection,
      },
      settings: {
        KAFKA_BROKERS: connection.brokers,
        KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
        KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
        KAFKA_SASL_USERNAME: connection.sasl?.username ?? '',
        KAFKA_SASL_PASSWORD: connection.sasl?.password ?? '',
        KAFKA_SSL_CA_FILE: ca,
        REGISTRY_SSL_CA_FILE: ca,
      },
    })
    expect(truth.length).toBeGreaterThan(1_000)
    expect(differences(truth, stored).slice(0, 5)).toEqual([])
    expect(stored).toHaveLength(truth.length)
    expect(rejected).toEqual([])
    expect(formatReport(report)).toContain(': 0 differences')
  }, 900_000)
})
