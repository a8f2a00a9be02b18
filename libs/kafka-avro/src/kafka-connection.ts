/** What a TLS connection goes by: files in PEM, named and not read, so that renewed ones are taken up. */
export interface TlsFiles {
  /** Authorities that are trusted; those of the system without it. */
  readonly caFile?: string
  /** Our own certificate, for servers that ask for one, with those that lead to the authority. */
  readonly certificateFile?: string
  readonly keyFile?: string
  readonly keyPassword?: string
}

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

/** Who we are to a broker. */
export interface SaslCredentials {
  readonly mechanism: (typeof saslMechanisms)[number]
  readonly username: string
  readonly password: string
}

/** How Kafka is reached, by every client of every kind. */
export interface KafkaConnection {
  /** host:port, comma separated; the first ones to ask. */
  readonly brokers: string
  /** Undefined: in the clear. */
  readonly tls?: TlsFiles
  /** Undefined: the broker does not ask who we are, or the certificate tells it. */
  readonly sasl?: SaslCredentials
}

/** How the schema registry is reached. */
export interface RegistryConnection {
  /** Base address of its Confluent API. */
  readonly url: string
  /** Of no effect without https. */
  readonly tls?: TlsFiles
  /** For basic authentication. */
  readonly credentials?: { readonly username: string; readonly password: string }
}
