import { KafkaAvroError, requireTopics } from '@tickertape/kafka-avro'
import { Database, isOutage, missingMigrations } from '@tickertape/market-store'
import { retrying } from '@tickertape/service-runtime'
import type { RunningService, ServiceContext } from '@tickertape/service-runtime'

import type { GatewayConfig } from './config.ts'
import { GatewayError } from './errors.ts'
import { createEvents } from './events.ts'
import type { Dependency, GatewayEvents } from './events.ts'
import { openHttpServer } from './http-server.ts'
import { openDoorkeeper } from './protection/doorkeeper.ts'
import { createProtectionEvents } from './protection/events.ts'
import { registerProtection } from './protection/protect-routes.ts'
import { TlsFiles } from './protection/tls-files.ts'
import { registerProblemPages } from './rest/problem-pages.ts'

/** A statement that has no answer by then is taken for lost with its connection. */
const queryTimeoutMs = 20_000

/** The same of keys and shared counts, which are read again and again. */
const protectionQueryTimeoutMs = 4_000

/**
 * Serves REST, the stream and the dashboard. It listens at once; until what requests are answered from is open
 * they are refused as not ready. What it depends on may be away, at the start as well as later: it is waited for.
 *
 * @throws Error if the port is taken.
 */
export async function startGateway(
  config: GatewayConfig,
  context: ServiceContext,
): Promise<RunningService> {
  const events = createEvents(context)
  const stopping = new AbortController()
  await using opened = new AsyncDisposableStack()
  const database = opened.use(
    new Database(config.database.url, {
      applicationName: 'gateway',
      maxConnections: config.database.connections,
      queryTimeoutMs,
      schema: config.database.schema,
    }),
  )
  const { doorkeeper, tls } = await openProtection(config, context, opened)
  const http = opened.use(
    await openHttpServer({
      ...config.http,
      tls,
      events,
      register: async (app) => {
        await registerProtection(app, { doorkeeper, config: config.protection })
        registerProblemPages(app)
      },
      methodsOf: () => undefined,
    }),
  )
  events.listening(http.origin)
  const failed = Promise.withResolvers<never>()
  const opening = openParts(config, database, events, stopping.signal)
  opening.catch(failed.reject)
  const parts = opened.move()
  return {
    failed: failed.promise,
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      // A failure was already told through `failed`.
      await opening.catch(() => undefined)
      await parts.disposeAsync()
    },
  }
}

/** @throws Error if the files of a certificate cannot be used. */
async function openProtection(
  { protection, database: { url, schema }, http }: GatewayConfig,
  context: ServiceContext,
  opened: AsyncDisposableStack,
) {
  const events = createProtectionEvents(context)
  events.protectionConfigured(protection, http.host)
  // Of its own: who may ask is told however long the answers of others take.
  const database = opened.use(
    new Database(url, {
      applicationName: 'gateway-protection',
      queryTimeoutMs: protectionQueryTimeoutMs,
      schema,
    }),
  )
  return {
    doorkeeper: opened.use(await openDoorkeeper(protection, { database, events })),
    tls: protection.tls && opened.use(await TlsFiles.open(protection.tls, events)),
  }
}

/** @throws KafkaAvroError, MarketStoreError for what will not pass by itself. */
async function openParts(
  config: GatewayConfig,
  database: Database,
  events: GatewayEvents,
  signal: AbortSignal,
): Promise<void> {
  const { brokers, topicPrefix } = config.kafka
  await waitingFor('kafka', events, signal, () =>
    requireTopics(brokers, topicPrefix, ['market-events', 'candles', 'candles-live']),
  )
  await waitingFor('database', events, signal, () => requireMigrated(database))
  events.serving()
}

/** pg-sink migrates; a gateway that was started before it, or is newer than it, waits. */
async function requireMigrated(database: Database): Promise<void> {
  const missing = await missingMigrations(database)
  if (missing.length === 0) return
  throw new GatewayError(
    'database_older',
    `The database lacks the migrations ${missing.join(', ')}, which this version needs: pg-sink of this version applies them when it starts`,
  )
}

async function waitingFor<T>(
  dependency: Dependency,
  events: GatewayEvents,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  return await retrying(
    action,
    { firstMs: 200, maxMs: 5_000, signal },
    {
      isPassing,
      onFailure: (error, retryInMs) => events.unavailable(dependency, error, retryInMs),
      onSuccess: () => events.available(dependency),
    },
  )
}

function isPassing(error: unknown): boolean {
  if (error instanceof KafkaAvroError) {
    return error.code === 'broker_unreachable' || error.code === 'registry_unreachable'
  }
  return error instanceof GatewayError || isOutage(error)
}
