import { Database } from '@tickertape/market-store'
import type { RunningService, ServiceContext } from '@tickertape/service-runtime'

import type { GatewayConfig } from './config.ts'
import { createEvents } from './events.ts'
import { openHttpServer } from './http-server.ts'
import { ProblemError } from './problem.ts'
import { openDoorkeeper } from './protection/doorkeeper.ts'
import { createProtectionEvents } from './protection/events.ts'
import { registerProtection } from './protection/protect-routes.ts'
import { TlsFiles } from './protection/tls-files.ts'
import { methodsOf, registerRest } from './rest/rest.ts'
import { openServing } from './serving.ts'
import type { Serving } from './serving.ts'

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
  let serving: Serving | undefined
  const served = (): Serving => {
    if (serving === undefined) throw notReady(context)
    return serving
  }
  const http = await openHttpServer({
    ...config.http,
    tls,
    events,
    tracing: context.tracing,
    register: async (app) => {
      await registerProtection(app, { doorkeeper, config: config.protection })
      await registerRest(app, {
        sources: () => served().sources,
        watch: () => served().watch,
        dashboardFolder: config.http.dashboardFolder,
      })
    },
    methodsOf,
  })
  events.listening(http.origin)
  const failed = Promise.withResolvers<never>()
  const { server } = http
  const options = { config, context, events, database, doorkeeper, server }
  const opening = openServing(options, stopping.signal).then((parts) => {
    serving = parts
    parts.failed.catch(failed.reject)
    events.serving()
  })
  opening.catch(failed.reject)
  const parts = opened.move()
  return {
    failed: failed.promise,
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      // A failure was already told through `failed`.
      await opening.catch(() => undefined)
      // No connection is taken from here on. What is being answered still needs the parts.
      const closing = http[Symbol.asyncDispose]()
      await serving?.closeStream()
      await closing
      await serving?.[Symbol.asyncDispose]()
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

/** Says what is waited for, to whoever asks before the gateway can answer. */
function notReady({ readiness }: ServiceContext): ProblemError {
  const reasons = readiness.reasons.map(({ reason }) => reason)
  return new ProblemError('not_ready', {
    detail: `The gateway is not ready: ${reasons.join('; ') || 'it is starting'}`,
    headers: { 'retry-after': '2' },
  })
}
