import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import {
  kafkaAccess,
  kafkaSettings,
  registryAccess,
  registrySettings,
} from './connection-settings.ts'
import { databaseUrlSetting } from './database-url-setting.ts'
import { SettingsError, printableSettings, readSettings } from './settings.ts'

const settings = {
  ...kafkaSettings,
  ...registrySettings,
  DATABASE_URL: databaseUrlSetting('the database'),
}
const folder = mkdtempSync(join(tmpdir(), 'tickertape-settings-'))
const file = join(folder, 'some.pem')
const passwordFile = join(folder, 'password')
const missing = join(folder, 'missing.pem')
writeFileSync(file, 'PEM')
writeFileSync(passwordFile, 'from a file\n')
afterAll(() => rmSync(folder, { recursive: true }))

const read = (environment: Record<string, string>) => readSettings(settings, 'DEMO_', environment)

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    read(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
  return []
}

describe('the settings of a connection to Kafka', () => {
  it('say nothing of security unless they are set', () => {
    expect(kafkaAccess(read({ KAFKA_BROKERS: 'kafka:9092' }))).toEqual({ brokers: 'kafka:9092' })
  })

  it('name the files of TLS and hold who we are', () => {
    const values = read({
      KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'tickertape',
      KAFKA_SASL_PASSWORD_FILE: passwordFile,
      KAFKA_SSL_CA_FILE: file,
    })
    expect(kafkaAccess(values)).toEqual({
      brokers: '127.0.0.1:19092',
      tls: { caFile: file },
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'tickertape', password: 'from a file' },
    })
  })

  it('take TLS with the certificates of the system', () => {
    expect(kafkaAccess(read({ KAFKA_SECURITY_PROTOCOL: 'SSL' }))).toMatchObject({ tls: {} })
  })

  it('are refused with all that does not go together at once', () => {
    expect(
      problemsOf({
        KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
        KAFKA_SASL_PASSWORD: 'one',
        KAFKA_SASL_PASSWORD_FILE: passwordFile,
        KAFKA_SSL_CA_FILE: missing,
        KAFKA_SSL_CERTIFICATE_FILE: file,
        KAFKA_SSL_KEY_PASSWORD: 'key',
      }).map((problem) => problem.split(':')[0]),
    ).toEqual([
      'KAFKA_SASL_MECHANISM must be set with SASL',
      'KAFKA_SASL_USERNAME must be set with SASL',
      'KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE say the same thing',
      'KAFKA_SSL_CERTIFICATE_FILE and KAFKA_SSL_KEY_FILE go together',
      'KAFKA_SSL_KEY_PASSWORD is of no use without KAFKA_SSL_KEY_FILE',
      'KAFKA_SSL_CA_FILE must be a file that can be read',
    ])
  })

  // A password or an authority that is given without the protocol was meant to protect something.
  it.each([
    ['PLAINTEXT', 'KAFKA_SSL_CA_FILE'],
    ['SASL_PLAINTEXT', 'KAFKA_SSL_KEY_PASSWORD'],
    ['PLAINTEXT', 'KAFKA_SASL_USERNAME'],
    ['SSL', 'KAFKA_SASL_PASSWORD'],
  ])('with %s refuse %s', (protocol, name) => {
    const problems = problemsOf({ KAFKA_SECURITY_PROTOCOL: protocol, [name]: 'PLAIN' })
    expect(problems.filter((problem) => problem.startsWith(name))).toEqual([
      expect.stringContaining(`KAFKA_SECURITY_PROTOCOL is ${protocol}`),
    ])
  })

  it('refuse a name that there is not', () => {
    expect(problemsOf({ KAFKA_SASL_USER: 'tickertape' })).toEqual([
      expect.stringMatching(/^KAFKA_SASL_USER is no setting/),
    ])
  })

  it('are printed without passwords', () => {
    const values = read({
      KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
      KAFKA_SASL_MECHANISM: 'PLAIN',
      KAFKA_SASL_USERNAME: 'tickertape',
      KAFKA_SASL_PASSWORD: 'hidden',
    })
    const printed = printableSettings(settings, values)
    expect(JSON.stringify(printed)).not.toContain('hidden')
    expect(printed).toMatchObject({ KAFKA_SASL_PASSWORD: '***', KAFKA_SSL_KEY_PASSWORD: '' })
  })
})

describe('the settings of a connection to the registry', () => {
  it('are the address alone, or TLS and a user', () => {
    expect(registryAccess(read({ REGISTRY_URL: 'http://registry' }))).toEqual({
      url: 'http://registry',
    })
    const values = read({
      REGISTRY_URL: 'https://registry',
      REGISTRY_SSL_CA_FILE: file,
      REGISTRY_USERNAME: 'tickertape',
      REGISTRY_PASSWORD: 'hidden',
    })
    expect(registryAccess(values)).toEqual({
      url: 'https://registry',
      tls: { caFile: file },
      credentials: { username: 'tickertape', password: 'hidden' },
    })
  })

  it('are refused where they do not go together', () => {
    const problems = problemsOf({
      REGISTRY_URL: 'http://someone:hidden@registry',
      REGISTRY_PASSWORD: 'hidden',
      REGISTRY_SSL_CA_FILE: file,
    })
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'REGISTRY_URL',
      'REGISTRY_PASSWORD',
      'REGISTRY_SSL_CA_FILE',
    ])
    expect(problems.join()).not.toContain('hidden')
  })
})

describe('the address of a database', () => {
  const at = (query: string) => ({ DATABASE_URL: `postgres://u:hidden@h/d?${query}` })

  it.each([
    '',
    'sslmode=disable',
    'sslmode=require',
    `sslmode=verify-ca&sslrootcert=${file}`,
    `sslmode=verify-full&sslrootcert=${file}&sslcert=${file}&sslkey=${file}`,
  ])('may say "%s"', (query) => {
    expect(problemsOf(at(query))).toEqual([])
  })

  it.each([
    ['sslmode=prefer', 'go on in the clear'],
    ['sslmode=verify_full', 'must be one of disable, require, verify-ca, verify-full'],
    ['sslmode=verify-ca', 'must have an sslrootcert'],
    [`sslrootcert=${file}`, 'of no use without sslmode=verify-full'],
    [`sslmode=verify-full&sslcert=${file}`, 'go together'],
    [`sslmode=verify-full&sslrootcert=${missing}`, 'a file that can be read'],
    ['sslmode=verify-full&sslpassword=x', 'with a password'],
    // These were taken: the driver goes by the last sslmode, and by ssl and password without a word.
    ['sslmode=verify-full&sslmode=disable', 'more than once'],
    ['ssl=no-verify', 'instead of ssl'],
    ['password=hidden', 'before the host'],
  ])('must not say "%s"', (query, problem) => {
    const problems = problemsOf(at(query))
    expect(problems).toEqual([expect.stringContaining(problem)])
    expect(problems.join()).not.toContain('hidden')
  })
})
