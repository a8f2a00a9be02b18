import { setTimeout as delay } from 'node:timers/promises'

import { backoffMs } from './backoff.ts'
import type { BackoffBounds } from './backoff.ts'
import { firstSequenceSince } from './history-search.ts'
import { ImportProblem } from './import-arguments.ts'
import type { ImportedInstrument } from './imported-instrument.ts'
import type { MarketLog } from './market-log.ts'
import { RestError } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'
import { untilAborted } from './until-aborted.ts'

export interface HistoryImport {
  readonly imported: ImportedInstrument
  readonly history: TradeHistory
  readonly log: Pick<MarketLog, 'whenRoom'>
  /** Event times: the first inclusive, the second exclusive. */
  readonly fromTime: number
  readonly toTime: number
  /** Failures in a row before the import stops. */
  readonly tries: number
  readonly backoff: BackoffBounds
  /** Told of the event time that is reached. */
  readonly onProgress: (time: number) => void
  readonly onFailure: (error: RestError, retryInMs: number) => void
}

/**
 * Imports a range of the venue's history, page by page, or goes on where an earlier run stopped.
 *
 * @throws ImportProblem if the venue does not answer; the signal's reason.
 */
export async function importHistory(asked: HistoryImport, signal: AbortSignal): Promise<void> {
  const { fromTime, history, imported, log, onProgress, toTime } = asked
  let next = await firstOf(asked, signal)
  while (next !== undefined) {
    await untilAborted(log.whenRoom(), signal)
    const from: number = next
    const page: HistoryPage = await persist(asked, signal, () =>
      history.page(imported.instrument, from, undefined, signal),
    )
    const beyond = page.trades.findIndex(
      (mapped) => mapped.kind === 'trade' && mapped.trade.eventTime >= toTime,
    )
    for (const mapped of beyond < 0 ? page.trades : page.trades.slice(0, beyond)) {
      imported.take(mapped)
    }
    // The venue has given all that it has of these sequences.
    imported.giveUpHoles()
    const last = page.trades.findLast(({ sequence }) => typeof sequence === 'number')?.sequence
    const isOver = beyond >= 0 || !page.hasMore || typeof last !== 'number'
    if (!isOver) {
      // The last millisecond may go on behind the page.
      const upTo = Math.max(fromTime, imported.lastTime - 1)
      await untilAborted(imported.vouch(upTo), signal)
      onProgress(upTo)
    }
    next = isOver ? undefined : Math.max(last, from) + 1
  }
  await untilAborted(imported.vouch(toTime), signal)
  onProgress(toTime)
}

/** @returns undefined if there is nothing in the range. */
async function firstOf(asked: HistoryImport, signal: AbortSignal): Promise<number | undefined> {
  const { fromTime, history, imported, toTime } = asked
  if (imported.position !== undefined) return imported.position + 1
  const found = await persist(asked, signal, () =>
    firstSequenceSince(history, imported.instrument, fromTime, signal),
  )
  if (found === undefined) return undefined
  if (!found.isWhole) {
    imported.tellMissing(fromTime, Math.min(toTime, found.eventTime ?? toTime))
  }
  imported.beginWith(found.sequence)
  return found.sequence
}

async function persist<T>(
  { backoff, imported, onFailure, tries }: HistoryImport,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      if (error.code === 'refused') {
        throw new ImportProblem(
          `The venue refuses the history of ${imported.instrument}: ${error.message}`,
          { cause: error },
        )
      }
      if (failures >= tries) {
        throw new ImportProblem(
          `The venue's history of ${imported.instrument} did not answer ${failures} times (${error.message}). The same command goes on where this one stopped`,
          { cause: error },
        )
      }
      const retryInMs = backoffMs(failures, backoff, Math.random())
      onFailure(error, retryInMs)
      await delay(retryInMs, undefined, { signal })
    }
  }
}
