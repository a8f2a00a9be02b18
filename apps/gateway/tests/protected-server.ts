import { Database, migrate } from '@tickertape/market-store'
import { Readiness, Registry, createLogger, readSettings } from '@tickertape/service-runtime'
import { testDatabase } from '@tickertape/testing'

import type { Doorkeeper } from '../src/admission.ts'
import { createEvents } from '../src/events.ts'
import { openHttpServer } from '../src/http-server.ts'
import { openDoorkeeper } from '../src/protection/doorkeeper.ts'
import { createProtectionEvents } from '../src/protection/events.ts'
import { parseKeysArguments } from '../src/protection/keys-arguments.ts'
import { runKeysCommand } from '../src/protection/keys-command.ts'
import { registerProtection, requireScope } from '../src/protection/protect-routes.ts'
import { protectionSettings, readProtectionConfig } from '../src/protection/settings.ts'
import { TlsFiles } from '../src/protection/tls-files.ts'
import { createStreamEvents } from '../src/stream/events.ts'
import { streamOptions, streamSettings } from '../src/stream/settings.ts'
import { attachStream } from '../src/stream/stream.ts'
import { MemoryView } from '../src/stream/testing/memory-view.ts'

/** A migrated database, and the command that makes keys in it. */
export interface KeyDatabase extends AsyncDisposable {
  readonly url: string
  /** Does what `npm run keys -- …` does. @returns its result. */
  keys(...args: string[]): Promise<string>
}

export async function createKeyDatabase(): Promise<KeyDatabase> {
  const { url, [Symbol.asyncDispose]: dispose } = await testDatabase()
  await migrate(url)
  return {
    url,
    keys: async (...args) => {
      const lines: string[] = []
      await runKeysCommand(
        { databaseUrl: url, databaseSchema: 'public' },
        parseKeysArguments(args, Date.now()),
        { result: (line) => lines.push(line), remark: () => undefined },
      )
      return lines.join('\n')
    },
    [Symbol.asyncDispose]: dispose,
  }
}

/** For what asks no database: nothing listens there. */
export const noDatabase = 'postgres://nobody@127.0.0.1:1/nothing'

/** What a gateway listens with: three routes, `/public`, `/read` and `/admin`, and the stream. */
export interface ProtectedServer extends AsyncDisposable {
  readonly origin: string
  readonly doorkeeper: Doorkeeper
  readonly readiness: Readiness
  readonly metrics: Registry
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
}

export async function startProtectedServer(
  databaseUrl: string,
  environment: Readonly<Record<string, string>>,
): Promise<ProtectedServer> {
  const config = readProtectionConfig(
    readSettings(protectionSettings, 'none', environment),
    '127.0.0.1',
  )
  const metrics = new Registry()
  const readiness = new Readiness()
  const context = { logger: createLogger({ service: 'test', level: 'silent' }), metrics, readiness }
  const events = createProtectionEvents(context)
  await using opened = new AsyncDisposableStack()
  const database = opened.use(
    new Database(databaseUrl, { applicationName: 'test', queryTimeoutMs: 4_000 }),
  )
  const doorkeeper = opened.use(await openDoorkeeper(config, { database, events }))
  const tls = config.tls && opened.use(await TlsFiles.open(config.tls, events))
  const { origin, server } = opened.use(
    await openHttpServer({
      host: '127.0.0.1',
      port: 0,
      tls,
      events: createEvents(context),
      methodsOf: () => undefined,
      register: async (app) => {
        await registerProtection(app, { doorkeeper, config })
        app.get('/public', requireScope('public'), () => ({}))
        app.get('/read', (request) => request.caller)
        app.get('/admin', requireScope('admin'), (request) => request.caller)
      },
    }),
  )
  const options = streamOptions('test', readSettings(streamSettings, 'none', environment))
  opened.use(
    attachStream(
      server,
      { view: new MemoryView(), doorkeeper, options },
      createStreamEvents(context),
    ),
  )
  const held = opened.move()
  return {
    origin,
    doorkeeper,
    readiness,
    metrics,
    get: async (path, headers = {}) => await fetch(`${origin}${path}`, { headers }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

export function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` }
}

/** Status of the answer and code of its problem document. */
export async function outcomeOf(response: Response): Promise<string> {
  if (response.ok) return String(response.status)
  // A problem document, as `sendError` makes it.
  const { code } = (await response.json()) as { code: string }
  return `${response.status} ${code}`
}
