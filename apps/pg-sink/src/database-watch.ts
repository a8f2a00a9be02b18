import { setTimeout as delay } from 'node:timers/promises'

import { Database } from '@tickertape/market-store'

import { readDatabaseFacts } from './database-facts.ts'
import type { DatabaseFacts } from './database-metrics.ts'
import type { PgSinkEvents } from './events.ts'

export interface DatabaseWatchOptions {
  readonly databaseUrl: string
  readonly databaseSchema: string
  /** Told each time: undefined if the database has not answered. */
  readonly events: Pick<PgSinkEvents, 'databaseAsked'>
  /** Time between two askings, in ms. */
  readonly everyMs?: number
}

const answerTimeoutMs = 5_000

/**
 * Asks the database how it is, until it is disposed. Over a connection of its own: no batch waits for it, and a fault of
 * it is no more than facts that are not known.
 */
export class DatabaseWatch implements AsyncDisposable {
  readonly #options: DatabaseWatchOptions
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>

  constructor(options: DatabaseWatchOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { databaseUrl, databaseSchema: schema, events, everyMs = 15_000 } = this.#options
    const { signal } = this.#stopping
    await using database = new Database(databaseUrl, {
      applicationName: 'pg-sink-watch',
      maxConnections: 1,
      queryTimeoutMs: answerTimeoutMs,
      schema,
    })
    while (!signal.aborted) {
      // Outages are told by whoever writes: here they only mean that nothing is known.
      const facts: DatabaseFacts | undefined = await readDatabaseFacts(database).catch(
        () => undefined,
      )
      events.databaseAsked(facts)
      await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
}
