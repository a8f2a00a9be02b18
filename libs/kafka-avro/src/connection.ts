import type { Client, KafkaConsumer, LibrdKafkaError } from '@confluentinc/kafka-javascript'

import { findAccessFailure } from './access-probe.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'

/** Settings that every librdkafka client of the system shares. */
export function connectionSettings(connection: KafkaConnection, clientId: string) {
  return {
    'bootstrap.servers': connection.brokers,
    ...securitySettings(connection),
    'client.id': clientId,
    // Idle connections are dropped by brokers and load balancers; that is no fault.
    'log.connection.close': false,
    'reconnect.backoff.max.ms': 2_000,
    'topic.metadata.refresh.interval.ms': 60_000,
  } as const
}

/** Names of files are given, not what is in them: a client that is opened later takes renewed ones. */
export function securitySettings({ sasl, tls }: KafkaConnection) {
  return {
    'security.protocol': securityProtocol(tls !== undefined, sasl !== undefined),
    ...(tls?.caFile === undefined ? {} : { 'ssl.ca.location': tls.caFile }),
    ...(tls?.certificateFile === undefined
      ? {}
      : { 'ssl.certificate.location': tls.certificateFile }),
    ...(tls?.keyFile === undefined ? {} : { 'ssl.key.location': tls.keyFile }),
    ...(tls?.keyPassword === undefined ? {} : { 'ssl.key.password': tls.keyPassword }),
    ...(sasl === undefined
      ? {}
      : {
          'sasl.mechanisms': sasl.mechanism,
          'sasl.username': sasl.username,
          'sasl.password': sasl.password,
        }),
  }
}

function securityProtocol(
  withTls: boolean,
  withSasl: boolean,
): 'plaintext' | 'ssl' | 'sasl_plaintext' | 'sasl_ssl' {
  if (withSasl) return withTls ? 'sasl_ssl' : 'sasl_plaintext'
  return withTls ? 'ssl' : 'plaintext'
}

/**
 * An offset that the broker does not have is an error, never a jump to the log's end. A setting of the
 * topic: among the client's own it has no effect once a topic configuration is given, even an empty one.
 */
export const haltOutOfRange = { 'auto.offset.reset': 'error' } as const

/**
 * Largest record that our producers hand over, in bytes; the topic `rejected` takes as much. It is above
 * what other producers send by default (1 MiB), so that whatever came in can also be put aside.
 */
export const maxRecordBytes = 8 * 1024 * 1024

type Callback<T> = (error: LibrdKafkaError | null | undefined, result: T) => void

/** librdkafka's callbacks as promises. */
export function call<T>(run: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, result) => {
      if (error) reject(error)
      else resolve(result)
    })
  })
}

/**
 * Connects a client.
 *
 * @throws KafkaAvroError `broker_unreachable`, `access_refused`; the client is closed then.
 */
export async function connect(client: Client<string>, connection: KafkaConnection): Promise<void> {
  // Before the client begins: the binding crashes where one is closed that has not.
  await requireAccess(connection)
  await connectAllowed(client, connection)
}

/** The same, where `requireAccess` was called. */
export async function connectAllowed(
  client: Client<string>,
  connection: KafkaConnection,
): Promise<void> {
  try {
    await call((done) => client.connect({ timeout: 30_000 }, done))
  } catch (error) {
    await disconnect(client)
    throw await connectFailure(connection, error)
  }
}

/**
 * To be called before librdkafka connects, which would not tell.
 *
 * @throws KafkaAvroError `access_refused`.
 */
export async function requireAccess(connection: KafkaConnection): Promise<void> {
  if (connection.tls === undefined && connection.sasl === undefined) return
  const refused = await findAccessFailure(connection)
  if (refused !== undefined) throw refused
}

/** What it means that librdkafka could not connect. */
export async function connectFailure(
  connection: KafkaConnection,
  error: unknown,
): Promise<KafkaAvroError> {
  if (error instanceof KafkaAvroError) return error
  const refused = await findAccessFailure(connection)
  if (refused !== undefined) return refused
  return new KafkaAvroError(
    'broker_unreachable',
    `Cannot reach Kafka at ${connection.brokers} (${messageOf(error)}): is it running, and is KAFKA_BROKERS right?`,
    { cause: error },
  )
}

/** Lets `consume` wait for a first record, in ms, and no longer than it must once it has one. */
export function consumeWhatIsThere(consumer: KafkaConsumer, waitMs: number): void {
  consumer.setDefaultConsumeTimeout(waitMs)
  // Without this a read goes on collecting for as long as records trickle in. The method is not in
  // the package's types.
  const untyped = consumer as unknown as {
    setDefaultIsTimeoutOnlyForFirstMessage(only: boolean): void
  }
  untyped.setDefaultIsTimeoutOnlyForFirstMessage(true)
}

/** Closes a client, connected or not; without it its threads live on. */
export async function disconnect(client: Client<string>): Promise<void> {
  await call((done) => client.disconnect(done)).catch(() => undefined)
}

/** librdkafka's code for a full producer queue. */
export const queueFull = -184

export function codeOf(error: unknown): number | undefined {
  // Errors of the binding are LibrdKafkaError objects, not all of them instances of Error.
  return (error as { code?: number } | undefined)?.code
}
