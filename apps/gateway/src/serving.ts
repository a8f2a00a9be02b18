import type { Server } from 'node:http'

import { KafkaAvroError, Registry, requireTopics, topicName } from '@tickertape/kafka-avro'
import { isOutage, missingMigrations } from '@tickertape/market-store'
import type { Database } from '@tickertape/market-store'
import { retrying } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'

import type { Doorkeeper } from './admission.ts'
import type { GatewayConfig } from './config.ts'
import { GatewayError } from './errors.ts'
import type { Dependency, GatewayEvents } from './events.ts'
import { createMarketViewEvents } from './market-view/events.ts'
import { openMarketView } from './market-view/open-market-view.ts'
import { Catalog } from './rest/catalog.ts'
import { PipelineWatch } from './rest/pipeline-watch.ts'
import type { Sources } from './rest/sources.ts'
import { createStreamEvents } from './stream/events.ts'
import { keepPresence } from './stream/presence.ts'
import { attachStream } from './stream/stream.ts'

export interface ServingOptions {
  readonly config: GatewayConfig
  readonly context: ServiceContext
  readonly events: GatewayEvents
  readonly database: Database
  readonly doorkeeper: Doorkeeper
  /** Whose upgrades become streams. */
  readonly server: Server
}

/** What requests are answered from. */
export interface Serving extends AsyncDisposable {
  readonly sources: Sources
  readonly watch: PipelineWatch
  /** Settles only if it cannot go on: it rejects with the reason. */
  readonly failed: Promise<never>
  /** Closes every client of the stream, and takes no more. */
  closeStream(): Promise<void>
}

/**
 * Opens what requests are answered from, however long what it depends on is away.
 *
 * @throws the signal's reason; KafkaAvroError, MarketStoreError for what will not pass by itself.
 */
export async function openServing(options: ServingOptions, signal: AbortSignal): Promise<Serving> {
  const { config, context, events, database, doorkeeper, server } = options
  const { tracing } = context
  const { connection, topicPrefix } = config.kafka
  await using opened = new AsyncDisposableStack()
  const partitions = await waitingFor('kafka', events, signal, () =>
    requireTopics(connection, topicPrefix, ['market-events', 'candles', 'candles-live']),
  )
  await waitingFor('database', events, signal, () => requireMigrated(database))
  const catalog = opened.use(
    await waitingFor('database', events, signal, () =>
      Catalog.open({
        database,
        partitions,
        onFailure: (error) => events.catalogStale(error),
        onSuccess: () => events.catalogFresh(),
      }),
    ),
  )
  const view = opened.use(
    await openMarketView(
      {
        kafka: config.kafka,
        registry: new Registry(config.registry, topicPrefix),
        database,
        limits: config.memory,
        tracing,
        fetches: events.kafka.fetching('view'),
      },
      createMarketViewEvents(context),
      signal,
    ),
  )
  opened.use(view.onReset(() => catalog.readAgain()))
  const topics = {
    candles: topicName('candles', topicPrefix),
    marketEvents: topicName('market-events', topicPrefix),
    partitions,
  }
  const now = Date.now
  const { revisionHorizonMs } = config
  const streamEvents = createStreamEvents(context)
  const stream = attachStream(
    server,
    { view, doorkeeper, options: config.stream, tracing },
    streamEvents,
  )
  opened.use(
    keepPresence(
      {
        database,
        instance: config.stream.instance,
        startedAt: new Date(now() - performance.now()),
        everyMs: config.stream.presenceMs,
        clients: () => stream.clients,
      },
      streamEvents,
    ),
  )
  const parts = opened.move()
  return {
    sources: { view, database, catalog, topics, revisionHorizonMs, now },
    watch: new PipelineWatch({ connection, topics, database, view, now }),
    failed: view.failed,
    closeStream: async () => await stream[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: async () => await parts.disposeAsync(),
  }
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
    return error.code === 'broker_unreachable' || error.code === 'access_refused'
  }
  return error instanceof GatewayError || isOutage(error)
}
