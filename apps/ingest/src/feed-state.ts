import type { FeedCursor } from '@tickertape/market-model'
import type { Readiness } from '@tickertape/service-runtime'

import type { BackoffBounds } from './backoff.ts'
import type { IngestConfig } from './config.ts'
import type { Delivery } from './delivery.ts'
import type { IngestEvents } from './events.ts'
import { vouchedUpTo } from './feed-cursors.ts'
import { FeedGaps } from './feed-gaps.ts'
import { FeedHeartbeats } from './feed-heartbeats.ts'
import { FeedRecovery } from './feed-recovery.ts'
import { HoleFiller } from './hole-filler.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import type { LiveInstruments } from './live-instruments.ts'
import type { MappingContext } from './mapped-trade.ts'
import type { MarketLog } from './market-log.ts'
import type { OtherReplicas } from './other-replicas.ts'
import { ReadingGate } from './reading-gate.ts'
import type { RestClient } from './rest-client.ts'
import { hasSequences } from './trade-history.ts'
import type { VenueHistory } from './trade-history.ts'

/** What a feed is made of. */
export interface FeedParts {
  readonly config: IngestConfig
  readonly events: IngestEvents
  readonly readiness: Readiness
  readonly log: MarketLog
  readonly rest: RestClient
  readonly mapping: () => MappingContext
  /** By the venue's own symbol. */
  readonly deliveries: ReadonlyMap<string, Delivery>
  /** What the catalog tells, by the venue's own symbol. */
  readonly facts: ReadonlyMap<string, InstrumentFacts>
  /** Told of the session while it can take instruments in and let them go. */
  readonly live: LiveInstruments
  readonly replicas: Pick<OtherReplicas, 'awaitCoverage'>
}

/** What outlives a connection. */
export interface FeedState extends FeedParts {
  readonly recovery: FeedRecovery
  readonly gaps: FeedGaps
  readonly heartbeats: FeedHeartbeats
  readonly gate: ReadingGate
  /** Failed connections in a row. */
  failures: number
}

export interface FeedStateOptions extends FeedParts {
  /** Makes known to the next process what this one vouches for, and what it leaves open. */
  readonly remember: () => Promise<void>
  readonly history: VenueHistory
  /** Between two requests that brought no progress. */
  readonly backoff: BackoffBounds
  /** The replica's own, as it left them. */
  readonly cursors: Iterable<FeedCursor>
  /** Ends everything that is fetched. */
  readonly signal: AbortSignal
}

export function createFeedState(options: FeedStateOptions): FeedState {
  const { backoff, cursors, history, remember, signal, ...parts } = options
  const { config, deliveries, events, log, readiness } = parts
  const venueTime = (): number => heartbeats.venueTime
  const { feedId, replicaId } = config
  const gaps = new FeedGaps({ feedId, replicaId, log, remember })
  const filler = new HoleFiller({
    history,
    log,
    tries: config.holes.tries,
    backoff,
    venueTime,
    onPage: (_delivery, counts) => {
      events.traded('history', counts.delivered)
      events.duplicated('history', counts.duplicates)
    },
    onFailure: (delivery, error, tries) => events.historyFailed(delivery.instrument, error, tries),
    onGap: events.gaveUp,
  })
  const { buffer, waitMs: patienceMs } = config.holes
  const firstSequence = hasSequences(history) ? history.firstSequence : 0
  const recovery = new FeedRecovery({
    filler,
    gaps,
    events,
    firstSequence,
    buffer,
    patienceMs,
    venueTime,
    signal,
  })
  const heartbeats = new FeedHeartbeats({
    config,
    log,
    events,
    readiness,
    recovery,
    gaps,
    deliveries,
    vouchedBefore: vouchedUpTo(cursors),
  })
  return { ...parts, recovery, gaps, heartbeats, gate: new ReadingGate(), failures: 0 }
}
