import { accessSync, constants, readFileSync } from 'node:fs'

import { SettingsError, choiceSetting, secretSetting, textSetting, urlSetting } from './settings.ts'
import type { SettingCheck, SettingValues } from './settings.ts'

/** What a TLS connection goes by: files in PEM, named and not read, so that renewed ones are taken up. */
export interface TlsFiles {
  /** Authorities that are trusted; those of the system without it. */
  readonly caFile?: string
  /** Our own certificate, for servers that ask for one, with those that lead to the authority. */
  readonly certificateFile?: string
  readonly keyFile?: string
  readonly keyPassword?: string
}

/** How Kafka is reached, as libs/kafka-avro takes it. */
export interface KafkaAccess {
  /** host:port, comma separated. */
  readonly brokers: string
  /** Undefined: in the clear. */
  readonly tls?: TlsFiles
  /** Undefined: the broker does not ask who we are, or the certificate tells it. */
  readonly sasl?: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    readonly username: string
    readonly password: string
  }
}

/** How the schema registry is reached, as libs/kafka-avro takes it. */
export interface RegistryAccess {
  readonly url: string
  readonly tls?: TlsFiles
  readonly credentials?: { readonly username: string; readonly password: string }
}

/** How Kafka is reached, of every program that reaches it. */
export const kafkaSettings = {
  KAFKA_BROKERS: textSetting({
    default: '127.0.0.1:19092',
    about: 'Kafka brokers, host:port, comma separated',
  }),
  KAFKA_SECURITY_PROTOCOL: {
    ...choiceSetting(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'], {
      default: 'PLAINTEXT',
      about: 'How brokers are spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL',
    }),
    check: checkKafka,
  },
  KAFKA_SASL_MECHANISM: choiceSetting(['', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], {
    default: '',
    about: 'With SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512',
  }),
  KAFKA_SASL_USERNAME: textSetting({ default: '', about: 'With SASL: who we are' }),
  KAFKA_SASL_PASSWORD: secretSetting({ default: '', about: 'With SASL: the password' }),
  KAFKA_SASL_PASSWORD_FILE: textSetting({
    default: '',
    about: 'A file that holds the password, instead of KAFKA_SASL_PASSWORD',
  }),
  KAFKA_SSL_CA_FILE: textSetting({
    default: '',
    about: 'PEM file of the authorities that are trusted; empty: those of the system',
  }),
  KAFKA_SSL_CERTIFICATE_FILE: textSetting({
    default: '',
    about: 'PEM file of our own certificate, for brokers that ask for one',
  }),
  KAFKA_SSL_KEY_FILE: textSetting({ default: '', about: 'PEM file of its key' }),
  KAFKA_SSL_KEY_PASSWORD: secretSetting({
    default: '',
    about: 'The password of that key, if it is encrypted',
  }),
} as const

/** How the schema registry is reached, of every program that reaches it. */
export const registrySettings = {
  REGISTRY_URL: {
    ...urlSetting(['http', 'https'], {
      default: 'http://127.0.0.1:18081/apis/ccompat/v7',
      about: 'Schema registry: base address of its Confluent API',
    }),
    check: checkRegistry,
  },
  REGISTRY_USERNAME: textSetting({
    default: '',
    about: 'Who we are to the registry (basic authentication); empty: it is not told',
  }),
  REGISTRY_PASSWORD: secretSetting({ default: '', about: 'The password for that' }),
  REGISTRY_PASSWORD_FILE: textSetting({
    default: '',
    about: 'A file that holds the password, instead of REGISTRY_PASSWORD',
  }),
  REGISTRY_SSL_CA_FILE: textSetting({
    default: '',
    about: 'As KAFKA_SSL_CA_FILE, for a registry with https',
  }),
  REGISTRY_SSL_CERTIFICATE_FILE: textSetting({
    default: '',
    about: 'PEM file of our own certificate, for a registry that asks for one',
  }),
  REGISTRY_SSL_KEY_FILE: textSetting({ default: '', about: 'PEM file of its key' }),
  REGISTRY_SSL_KEY_PASSWORD: secretSetting({
    default: '',
    about: 'The password of that key, if it is encrypted',
  }),
} as const

type KafkaValues = SettingValues<typeof kafkaSettings>
type RegistryValues = SettingValues<typeof registrySettings>

/** @throws SettingsError if a password's file cannot be read any more. */
export function kafkaAccess(values: KafkaValues): KafkaAccess {
  const { KAFKA_SECURITY_PROTOCOL: protocol, KAFKA_SASL_MECHANISM: mechanism } = values
  const { withSasl, withTls } = layersOf(protocol)
  return {
    brokers: values.KAFKA_BROKERS,
    ...(withTls ? { tls: tlsOf(kafkaTlsTexts(values)) } : {}),
    ...(withSasl && mechanism !== ''
      ? {
          sasl: {
            mechanism,
            username: values.KAFKA_SASL_USERNAME,
            password: passwordOf(
              'KAFKA_SASL_PASSWORD_FILE',
              values.KAFKA_SASL_PASSWORD,
              values.KAFKA_SASL_PASSWORD_FILE,
            ),
          },
        }
      : {}),
  }
}

/** @throws SettingsError if a password's file cannot be read any more. */
export function registryAccess(values: RegistryValues): RegistryAccess {
  const { REGISTRY_URL: url, REGISTRY_USERNAME: username } = values
  return {
    url,
    ...(url.startsWith('https:') ? { tls: tlsOf(registryTlsTexts(values)) } : {}),
    ...(username === ''
      ? {}
      : {
          credentials: {
            username,
            password: passwordOf(
              'REGISTRY_PASSWORD_FILE',
              values.REGISTRY_PASSWORD,
              values.REGISTRY_PASSWORD_FILE,
            ),
          },
        }),
  }
}

function checkKafka(...[read, environment]: Parameters<SettingCheck>): readonly string[] {
  // Only what could be read; all of these are text.
  const values = read as Partial<KafkaValues>
  const protocol = values.KAFKA_SECURITY_PROTOCOL
  if (protocol === undefined) return []
  const { withSasl, withTls } = layersOf(protocol)
  const sasl = saslOnly(values)
  const problems = withSasl
    ? saslProblems(values)
    : setOf(sasl).map(
        (name) =>
          `${name} is for SASL, and KAFKA_SECURITY_PROTOCOL is ${protocol}: set SASL_SSL there, or leave it out`,
      )
  const tls = tlsProblems(kafkaTlsTexts(values), kafkaTlsNames)
  return [
    ...problems,
    ...(withTls
      ? tls
      : setOf(pick(values, Object.values(kafkaTlsNames))).map(
          (name) =>
            `${name} is for TLS, and KAFKA_SECURITY_PROTOCOL is ${protocol}: set SSL or SASL_SSL there, or leave it out`,
        )),
    ...misspelt(environment, ['KAFKA_SASL_', 'KAFKA_SSL_', 'KAFKA_SECURITY_'], kafkaSettings),
  ]
}

function saslProblems(values: Partial<KafkaValues>): readonly string[] {
  const problems: string[] = []
  // Undefined is what could not be read, which is told already.
  if (values.KAFKA_SASL_MECHANISM === '') {
    problems.push(
      'KAFKA_SASL_MECHANISM must be set with SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, as the broker has it',
    )
  }
  if (values.KAFKA_SASL_USERNAME === '') problems.push('KAFKA_SASL_USERNAME must be set with SASL')
  return [
    ...problems,
    ...passwordProblems(
      ['KAFKA_SASL_PASSWORD', values.KAFKA_SASL_PASSWORD],
      ['KAFKA_SASL_PASSWORD_FILE', values.KAFKA_SASL_PASSWORD_FILE],
      'with SASL',
    ),
  ]
}

function checkRegistry(...[read, environment]: Parameters<SettingCheck>): readonly string[] {
  // Only what could be read; all of these are text.
  const values = read as Partial<RegistryValues>
  const { REGISTRY_URL: url, REGISTRY_USERNAME: username } = values
  if (url === undefined) return []
  const problems: string[] = []
  const { username: user, password } = new URL(url)
  if (user !== '' || password !== '') {
    problems.push(
      'REGISTRY_URL must hold no user and no password: set REGISTRY_USERNAME and REGISTRY_PASSWORD instead',
    )
  }
  const passwords = pick(values, ['REGISTRY_PASSWORD', 'REGISTRY_PASSWORD_FILE'])
  if (username === '') {
    problems.push(
      ...setOf(passwords).map((name) => `${name} is of no use without REGISTRY_USERNAME`),
    )
  } else {
    problems.push(
      ...passwordProblems(
        ['REGISTRY_PASSWORD', values.REGISTRY_PASSWORD],
        ['REGISTRY_PASSWORD_FILE', values.REGISTRY_PASSWORD_FILE],
        'with REGISTRY_USERNAME',
      ),
    )
  }
  const tls = url.startsWith('https:')
    ? tlsProblems(registryTlsTexts(values), registryTlsNames)
    : setOf(pick(values, Object.values(registryTlsNames))).map(
        (name) => `${name} is for TLS, and REGISTRY_URL does not begin with https://`,
      )
  return [...problems, ...tls, ...misspelt(environment, ['REGISTRY_SSL_'], registrySettings)]
}

function layersOf(protocol: KafkaValues['KAFKA_SECURITY_PROTOCOL']): {
  readonly withSasl: boolean
  readonly withTls: boolean
} {
  return { withSasl: protocol.startsWith('SASL_'), withTls: protocol.endsWith('SSL') }
}

function saslOnly(values: Partial<KafkaValues>): Readonly<Record<string, string | undefined>> {
  return pick(values, [
    'KAFKA_SASL_MECHANISM',
    'KAFKA_SASL_USERNAME',
    'KAFKA_SASL_PASSWORD',
    'KAFKA_SASL_PASSWORD_FILE',
  ])
}

/** Texts of settings; empty where they are not set. */
interface TlsTexts {
  readonly ca: string
  readonly certificate: string
  readonly key: string
  readonly keyPassword: string
}

type TlsNames = Readonly<Record<keyof TlsTexts, string>>

const kafkaTlsNames = {
  ca: 'KAFKA_SSL_CA_FILE',
  certificate: 'KAFKA_SSL_CERTIFICATE_FILE',
  key: 'KAFKA_SSL_KEY_FILE',
  keyPassword: 'KAFKA_SSL_KEY_PASSWORD',
} as const satisfies TlsNames

const registryTlsNames = {
  ca: 'REGISTRY_SSL_CA_FILE',
  certificate: 'REGISTRY_SSL_CERTIFICATE_FILE',
  key: 'REGISTRY_SSL_KEY_FILE',
  keyPassword: 'REGISTRY_SSL_KEY_PASSWORD',
} as const satisfies TlsNames

function kafkaTlsTexts(values: Partial<KafkaValues>): TlsTexts {
  return {
    ca: values.KAFKA_SSL_CA_FILE ?? '',
    certificate: values.KAFKA_SSL_CERTIFICATE_FILE ?? '',
    key: values.KAFKA_SSL_KEY_FILE ?? '',
    keyPassword: values.KAFKA_SSL_KEY_PASSWORD ?? '',
  }
}

function registryTlsTexts(values: Partial<RegistryValues>): TlsTexts {
  return {
    ca: values.REGISTRY_SSL_CA_FILE ?? '',
    certificate: values.REGISTRY_SSL_CERTIFICATE_FILE ?? '',
    key: values.REGISTRY_SSL_KEY_FILE ?? '',
    keyPassword: values.REGISTRY_SSL_KEY_PASSWORD ?? '',
  }
}

function tlsOf({ ca, certificate, key, keyPassword }: TlsTexts): TlsFiles {
  return {
    ...(ca === '' ? {} : { caFile: ca }),
    ...(certificate === '' ? {} : { certificateFile: certificate }),
    ...(key === '' ? {} : { keyFile: key }),
    ...(keyPassword === '' ? {} : { keyPassword }),
  }
}

function tlsProblems(texts: TlsTexts, names: TlsNames): readonly string[] {
  const problems: string[] = []
  if ((texts.certificate === '') !== (texts.key === '')) {
    problems.push(`${names.certificate} and ${names.key} go together: set both or neither`)
  }
  if (texts.keyPassword !== '' && texts.key === '') {
    problems.push(`${names.keyPassword} is of no use without ${names.key}`)
  }
  for (const part of ['ca', 'certificate', 'key'] as const) {
    const problem = texts[part] === '' ? undefined : unreadable(names[part], texts[part])
    if (problem !== undefined) problems.push(problem)
  }
  return problems
}

function passwordProblems(
  [name, password]: readonly [string, string | undefined],
  [fileName, file]: readonly [string, string | undefined],
  when: string,
): readonly string[] {
  const hasPassword = (password ?? '') !== ''
  const hasFile = file !== undefined && file !== ''
  if (hasPassword && hasFile) return [`${name} and ${fileName} say the same thing: set one of them`]
  if (!hasPassword && !hasFile) return [`${name} or ${fileName} must be set ${when}`]
  if (!hasFile) return []
  const problem = unreadable(fileName, file)
  if (problem !== undefined) return [problem]
  return passwordOf(fileName, '', file) === '' ? [`${fileName} is empty: "${file}"`] : []
}

/** Editors and `echo` end a file with a line break, which is no part of a password. */
function passwordOf(fileName: string, password: string, file: string): string {
  if (file === '') return password
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new SettingsError([`${fileName} cannot be read: ${messageOf(error)}`])
  }
}

function unreadable(name: string, file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK)
    return undefined
  } catch (error) {
    return `${name} must be a file that can be read: ${messageOf(error)}`
  }
}

function misspelt(
  environment: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
  known: object,
): readonly string[] {
  return Object.keys(environment)
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .filter((name) => !Object.hasOwn(known, name))
    .map(
      (name) => `${name} is no setting: those of a connection are ${Object.keys(known).join(', ')}`,
    )
}

function pick(
  values: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, string | undefined>> {
  // All settings here are text.
  return Object.fromEntries(names.map((name) => [name, values[name] as string | undefined]))
}

function setOf(texts: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(texts)
    .filter(([, text]) => text !== undefined && text !== '')
    .map(([name]) => name)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
