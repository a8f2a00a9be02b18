import type { Database } from '@tickertape/market-store'

import type { StreamEvents } from './events.ts'

export interface PresenceOptions {
  readonly database: Database
  /** Unique among those that run. */
  readonly instance: string
  readonly startedAt: Date
  readonly everyMs: number
  /** Connected clients now. */
  readonly clients: () => number
}

/** An instance that has not told of itself for so many times of its own is taken for gone. */
const missedTimes = 6

/**
 * Tells the database every few seconds how many clients this instance has, so that each instance can say how
 * many there are over all of them. No request and no update waits for it: where the database is away, it is
 * told later. Times are those of the database, for the instances' clocks may differ.
 *
 * @returns disposing it takes the instance's row away.
 */
export function keepPresence(
  options: PresenceOptions,
  events: Pick<StreamEvents, 'presenceTold' | 'presenceFailed'>,
): AsyncDisposable {
  const { database, instance, everyMs } = options
  let underway: Promise<void> | undefined
  const tell = (): void => {
    // One at a time: a database that is slow gets no pile of them.
    underway ??= told(options, events).finally(() => {
      underway = undefined
    })
  }
  tell()
  const timer = setInterval(tell, everyMs)
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await underway
      const text = 'delete from gateway_instances where instance = $1'
      // Others take the row for gone a little later.
      await database.query({ text, values: [instance] }).catch(() => undefined)
    },
  }
}

async function told(
  { database, instance, startedAt, everyMs, clients }: PresenceOptions,
  events: Pick<StreamEvents, 'presenceTold' | 'presenceFailed'>,
): Promise<void> {
  const count = clients()
  try {
    await database.query({
      name: 'tell-presence',
      text: `with gone as (
          delete from gateway_instances
          where seen_at < now() - make_interval(secs => $4) and instance <> $1
        )
        insert into gateway_instances (instance, started_at, seen_at, clients)
        values ($1, $2, now(), $3)
        on conflict (instance) do update
        set started_at = excluded.started_at, seen_at = excluded.seen_at, clients = excluded.clients`,
      values: [instance, startedAt, count, (everyMs * missedTimes) / 1_000],
    })
    events.presenceTold(count)
  } catch (error) {
    events.presenceFailed(error)
  }
}
