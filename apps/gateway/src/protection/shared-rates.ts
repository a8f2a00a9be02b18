import { setTimeout as wait } from 'node:timers/promises'

import type { Database } from '@tickertape/market-store'

import type { RateShare, RateWindows } from './rate-windows.ts'

export interface SharedRatesEvents {
  ratesShared(): void
  ratesNotShared(error: unknown): void
}

interface TotalRow {
  readonly caller: string
  readonly requests: number
  readonly reset_ms: number
}

/** Windows that ended this long ago are deleted. */
const keptMs = 60_000

/**
 * Adds up over all instances what each counted, every so often in one statement, off the way of any request. Until
 * then an instance goes by what it knows: together they can let through, beyond the limit, what the others took within
 * that time. While the database is away each counts for itself, and tells it all afterwards.
 */
export class SharedRates implements AsyncDisposable {
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>

  private constructor(ended: (signal: AbortSignal) => Promise<void>) {
    this.#ended = ended(this.#stopping.signal)
  }

  static open(
    windows: RateWindows,
    database: Database,
    syncMs: number,
    events: SharedRatesEvents,
  ): SharedRates {
    return new SharedRates(async (signal) => {
      let deletedAt = -Infinity
      while (!signal.aborted) {
        // An abort only ends the pause: the last shares are told.
        await wait(syncMs, undefined, { signal }).catch(() => undefined)
        const isDue = performance.now() - deletedAt > keptMs
        try {
          const callers = await shareRates(windows, database)
          if (isDue) {
            deletedAt = performance.now()
            await deleteEnded(database)
          }
          // With nothing to tell nothing is known of the database.
          if (callers > 0 || isDue) events.ratesShared()
        } catch (error) {
          events.ratesNotShared(error)
        }
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }
}

/** @returns of how many callers. */
export async function shareRates(windows: RateWindows, database: Database): Promise<number> {
  const shares = windows.tell(performance.now())
  if (shares.length === 0) return 0
  try {
    const { rows } = await database.query<TotalRow>(addShares(shares))
    const now = performance.now()
    for (const { caller, requests, reset_ms: resetMs } of rows) {
      windows.learn(caller, requests, resetMs, now)
    }
    return rows.length
  } catch (error) {
    windows.takeBack(shares)
    throw error
  }
}

/** By the database's clock alone. In one order of callers, or two instances could wait for each other. */
function addShares(shares: readonly RateShare[]) {
  return {
    name: 'gateway_add_rate_shares',
    text: `insert into rate_windows as held (caller, window_end, requests)
      select caller, now() + reset_ms * interval '1 millisecond', requests
      from unnest($1::text[], $2::float8[], $3::int[]) as told (caller, reset_ms, requests)
      order by caller
      on conflict (caller) do update set
        requests = excluded.requests
          + case when held.window_end > now() then held.requests else 0 end,
        window_end = case when held.window_end > now() then held.window_end else excluded.window_end end
      returning caller, requests,
        (extract(epoch from window_end - now()) * 1000)::float8 as reset_ms`,
    values: [
      shares.map(({ caller }) => caller),
      shares.map(({ resetMs }) => resetMs),
      shares.map(({ requests }) => requests),
    ],
  }
}

async function deleteEnded(database: Database): Promise<void> {
  await database.query({
    name: 'gateway_delete_ended_rates',
    text: `delete from rate_windows where window_end < now() - $1 * interval '1 millisecond'`,
    values: [keptMs],
  })
}
