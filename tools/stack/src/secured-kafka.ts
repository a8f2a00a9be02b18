import type { CertificateFiles } from './certificates.ts'
import { host, type StackPorts } from './ports.ts'

/** Who may come by SASL to a secured stack, by each of its mechanisms. */
export const saslUser = { username: 'tickertape', password: 'sasl-password' } as const

const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const security = 'org.apache.kafka.common.security'

/** Listeners of a secured stack, beside the plain one that the broker itself uses. */
export function securedListeners(
  ports: StackPorts,
  { ca, serverPair }: CertificateFiles,
): { readonly listeners: readonly string[]; readonly pairs: readonly [string, string][] } {
  const { username, password } = saslUser
  const plainUsers = `username="${username}" password="${password}" user_${username}="${password}"`
  const map = 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL'
  const sasl = 'listener.name.sasl_ssl'
  return {
    listeners: [`SASL_SSL://${host}:${ports.kafkaSasl}`, `SSL://${host}:${ports.kafkaTls}`],
    pairs: [
      ['listener.security.protocol.map', map],
      ['ssl.keystore.type', 'PEM'],
      ['ssl.keystore.location', serverPair],
      ['ssl.truststore.type', 'PEM'],
      ['ssl.truststore.location', ca],
      ['listener.name.ssl.ssl.client.auth', 'required'],
      [`${sasl}.sasl.enabled.mechanisms`, ['PLAIN', ...scram].join(',')],
      [
        `${sasl}.plain.sasl.jaas.config`,
        `${security}.plain.PlainLoginModule required ${plainUsers};`,
      ],
      ...scram.map((mechanism): [string, string] => [
        `${sasl}.${mechanism.toLowerCase()}.sasl.jaas.config`,
        `${security}.scram.ScramLoginModule required;`,
      ]),
    ],
  }
}

/** What formats the broker's storage so that it knows them from its first start. */
export function scramUsers(): readonly string[] {
  const { username, password } = saslUser
  return scram.flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ])
}
