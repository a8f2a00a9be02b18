import type { KafkaConnection, RegistryConnection } from '@tickertape/kafka-avro'
import { certifiedName, clientKeyPassword, type CertificateFiles } from './certificates.ts'
import { host, type StackPorts } from './ports.ts'
import { databaseUrl } from './postgres.ts'
import { registryUrl } from './registry.ts'
import { saslUser } from './secured-kafka.ts'

type Mechanism = NonNullable<KafkaConnection['sasl']>['mechanism']

/** How a secured stack is reached over TLS, by those who are let in. */
export interface SecuredAccess {
  readonly certificates: CertificateFiles
  /** The password of `certificates.clientKeyEncrypted`. */
  readonly clientKeyPassword: string
  /** With TLS and a password. */
  kafkaBySasl(mechanism: Mechanism): KafkaConnection
  /** With TLS and the client's certificate. */
  readonly kafkaByCertificate: KafkaConnection
  readonly registry: RegistryConnection
  /** Verified in full, with a password. */
  readonly databaseUrl: string
  /** Verified in full, as a role that is known by the client's certificate alone. */
  readonly databaseUrlByCertificate: string
}

export function securedAccess(ports: StackPorts, certificates: CertificateFiles): SecuredAccess {
  const { ca, clientCertificate, clientKey } = certificates
  const database = new URL(databaseUrl(ports.postgres))
  database.searchParams.set('sslmode', 'verify-full')
  database.searchParams.set('sslrootcert', ca)
  const certified = new URL(database)
  certified.username = certifiedName
  certified.password = ''
  certified.searchParams.set('sslcert', clientCertificate)
  certified.searchParams.set('sslkey', clientKey)
  return {
    certificates,
    clientKeyPassword,
    kafkaBySasl: (mechanism) => ({
      brokers: `${host}:${ports.kafkaSasl}`,
      tls: { caFile: ca },
      sasl: { mechanism, ...saslUser },
    }),
    kafkaByCertificate: {
      brokers: `${host}:${ports.kafkaTls}`,
      tls: { caFile: ca, certificateFile: clientCertificate, keyFile: clientKey },
    },
    registry: {
      url: registryUrl(ports.registryTls).replace('http:', 'https:'),
      tls: { caFile: ca },
    },
    databaseUrl: database.toString(),
    databaseUrlByCertificate: certified.toString(),
  }
}
