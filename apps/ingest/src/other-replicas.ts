import { setTimeout as delay } from 'node:timers/promises'

import type { FeedCursor } from '@tickertape/market-model'

import { untilAborted } from './until-aborted.ts'

/** Event times, the end exclusive. */
export interface Span {
  readonly fromTime: number
  readonly toTime: number
}

/** A time for which a replica vouches without an absence of its own. */
interface Stretch {
  upTo: number
  /** When `upTo` grew last, in performance.now's milliseconds. */
  grewAt: number
  /** The venue's own symbols. */
  readonly instruments: Set<string>
}

export interface Coverage {
  /** The venue's own symbols. */
  readonly covered: ReadonlySet<string>
  /** Whether a replica that is at work may cover the rest soon. */
  readonly isPending: boolean
}

/** Older ones are of no use: an absence is asked for while it ends. */
const keptStretches = 2

/** Longest wait for another replica to come up to the end of an absence, in ms. */
const longestWaitMs = 10_000

/**
 * What the other replicas of a feed vouch for, by their cursors. A cursor is written behind the
 * acknowledgement of all that its replica had delivered, and of the heartbeats and gaps that tell of it: so it proves
 * what a heartbeat in one partition does not, that nothing of the other partitions was lost with its process.
 */
export class OtherReplicas {
  /** By replica, by their beginnings. */
  readonly #replicas = new Map<string, Map<number, Stretch>>()
  readonly #patienceMs: number
  #news = Promise.withResolvers<void>()

  /**
   * @param patienceMs a replica is not waited for whose cursors have vouched for nothing more for this long:
   *   it is gone, or is away itself, and may wait for us.
   */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** @param nowMs milliseconds that grow steadily. */
  heard({ instrument, replicaId, upTo, vouchesFrom }: FeedCursor, nowMs: number): void {
    const stretches = this.#replicas.get(replicaId) ?? new Map<number, Stretch>()
    this.#replicas.set(replicaId, stretches)
    if (vouchesFrom !== null && upTo !== null) {
      const known = stretches.get(vouchesFrom)
      const stretch = known ?? { upTo, grewAt: nowMs, instruments: new Set<string>() }
      if (upTo > stretch.upTo) {
        stretch.upTo = upTo
        stretch.grewAt = nowMs
      }
      stretch.instruments.add(instrument)
      stretches.set(vouchesFrom, stretch)
      const oldest = Math.min(...stretches.keys())
      if (stretches.size > keptStretches) stretches.delete(oldest)
    }
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }

  /**
   * Which instruments another replica has delivered over the whole of a span: its cursors have one and the
   * same `vouchesFrom`, not behind the span's beginning; one of them has an `upTo` not before its end; and one is of the
   * instrument.
   */
  coverage({ fromTime, toTime }: Span, instruments: readonly string[], nowMs: number): Coverage {
    const covered = new Set<string>()
    let isPending = false
    for (const stretches of this.#replicas.values()) {
      for (const [vouchesFrom, stretch] of stretches) {
        if (vouchesFrom > fromTime) continue
        if (stretch.upTo < toTime) isPending ||= nowMs - stretch.grewAt <= this.#patienceMs
        else {
          for (const each of instruments) if (stretch.instruments.has(each)) covered.add(each)
        }
      }
    }
    return { covered, isPending: isPending && covered.size < instruments.length }
  }

  /**
   * Waits for a replica that is at work to come up to the end of a span; not at all if there is none.
   *
   * @returns the instruments that are covered.
   * @throws the signal's reason.
   */
  async awaitCoverage(
    span: Span,
    instruments: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const beganAt = performance.now()
    for (;;) {
      const now = performance.now()
      const { covered, isPending } = this.coverage(span, instruments, now)
      if (!isPending || now - beganAt > longestWaitMs) return covered
      const look = new AbortController()
      const pause = delay(this.#patienceMs / 4, undefined, { signal: look.signal })
      pause.catch(() => undefined)
      try {
        await untilAborted(Promise.race([this.#news.promise, pause]), signal)
      } finally {
        look.abort()
      }
    }
  }
}
