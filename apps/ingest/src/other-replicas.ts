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
  /** The venue's own symbols. */
  readonly instruments: Set<string>
}

interface Replica {
  /** In performance.now's milliseconds. */
  heardAt: number
  /** By its beginning. */
  readonly stretches: Map<number, Stretch>
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
  readonly #replicas = new Map<string, Replica>()
  readonly #patienceMs: number
  #news = Promise.withResolvers<void>()

  /** @param patienceMs a replica that has written no cursor for this long is not waited for. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** @param nowMs milliseconds that grow steadily. */
  heard({ instrument, replicaId, upTo, vouchesFrom }: FeedCursor, nowMs: number): void {
    const replica = this.#replicas.get(replicaId) ?? { heardAt: nowMs, stretches: new Map() }
    this.#replicas.set(replicaId, replica)
    replica.heardAt = nowMs
    if (vouchesFrom !== null && upTo !== null) {
      const known = replica.stretches.get(vouchesFrom)
      const stretch = known ?? { upTo, instruments: new Set<string>() }
      stretch.upTo = Math.max(stretch.upTo, upTo)
      stretch.instruments.add(instrument)
      replica.stretches.set(vouchesFrom, stretch)
      const oldest = Math.min(...replica.stretches.keys())
      if (replica.stretches.size > keptStretches) replica.stretches.delete(oldest)
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
    for (const { heardAt, stretches } of this.#replicas.values()) {
      for (const [vouchesFrom, stretch] of stretches) {
        if (vouchesFrom > fromTime) continue
        if (stretch.upTo < toTime) isPending ||= nowMs - heardAt <= this.#patienceMs
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
