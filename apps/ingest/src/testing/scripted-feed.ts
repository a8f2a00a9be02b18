import { onTestFinished } from 'vitest'

import type { FeedCursor, FeedHeartbeat, SequenceGap } from '@tickertape/market-model'
import { Readiness, Registry, createLogger, readSettings } from '@tickertape/service-runtime'
import { waitUntil } from '@tickertape/testing'

import { readConfig, settings } from '../config.ts'
import type { Delivery } from '../delivery.ts'
import { createEvents } from '../events.ts'
import { FeedSession } from '../feed-session.ts'
import { createFeedState } from '../feed-state.ts'
import type { FeedState } from '../feed-state.ts'
import { InstrumentDelivery } from '../instrument-delivery.ts'
import { LiveInstruments } from '../live-instruments.ts'
import { RestClient } from '../rest-client.ts'
import type { RecentTrades } from '../trade-history.ts'
import { OtherReplicas } from '../other-replicas.ts'
import { RecordingLog } from './recording-log.ts'
import { ScriptedHistory } from './scripted-history.ts'
import type { ScriptedHistoryOptions } from './scripted-history.ts'
import { ScriptedVenue } from './scripted-venue.ts'

export interface ScriptedFeedOptions {
  readonly history?: Partial<ScriptedHistoryOptions>
  /** Instead of a history by sequence. */
  readonly recent?: RecentTrades
  readonly maxInFlight?: number
  readonly holeBuffer?: number
  /** As the service's settings. */
  readonly settings?: Readonly<Record<string, string>>
  readonly cursor?: Partial<FeedCursor>
  /** None by default. */
  readonly replicas?: OtherReplicas
}

export interface ScriptedFeed {
  readonly recording: RecordingLog
  readonly history: ScriptedHistory
  readonly scripted: ScriptedVenue
  readonly state: FeedState
  readonly deliveries: Map<string, Delivery>
  readonly delivery: InstrumentDelivery
  readonly signal: AbortSignal
  readonly stop: () => void
  /** Begins a session. @returns why it ended. */
  readonly connect: () => Promise<string>
  /** From now on this is called when cursors are written because of what is about to be told. */
  readonly onRemember: (listener: () => void) => void
}

/** A feed with a cursor, at 10 unless told otherwise, for the one instrument, X; nothing is connected. */
export function scriptedFeed(options: ScriptedFeedOptions = {}): ScriptedFeed {
  const recording = new RecordingLog(options.maxInFlight)
  const history = new ScriptedHistory({ last: 10, ...options.history })
  const scripted = new ScriptedVenue(history)
  const values = readSettings(settings, 'INGEST_', {
    INGEST_HEARTBEAT_MS: '250',
    INGEST_FEED_ID: 'f',
    INGEST_HOLE_BUFFER: String(options.holeBuffer ?? 1_000),
    INGEST_HOLE_TRIES: '3',
    ...options.settings,
  })
  const config = { ...readConfig(values), venue: scripted.venue }
  const names = { feedId: 'f', replicaId: 'a', instrument: 'X' }
  const cursor = {
    ...names,
    sequence: 10,
    eventTime: 10_000,
    tradeIds: [],
    upTo: 9_900,
    vouchesFrom: null,
    openGaps: [],
    ...options.cursor,
  }
  const { log } = recording
  const delivery = new InstrumentDelivery({ ...names, instrumentId: 'sample:X', log, cursor })
  const deliveries = new Map<string, Delivery>([['X', delivery]])
  let onRemember = (): void => undefined
  const stop = new AbortController()
  const readiness = new Readiness()
  const state = createFeedState({
    config,
    events: createEvents({
      logger: createLogger({ service: 'ingest', level: 'silent' }),
      metrics: new Registry(),
      readiness,
      venue: 'sample',
      state: () => idleState,
    }),
    readiness,
    log,
    rest: unusedRest(scripted),
    mapping: () => ({ feedId: 'f', receivedAt: 0, futureToleranceMs: 0 }),
    deliveries,
    facts: new Map(),
    live: new LiveInstruments(),
    replicas: options.replicas ?? new OtherReplicas(0),
    remember: () => {
      onRemember()
      return log.acknowledged()
    },
    history: options.recent ?? history,
    backoff: { firstMs: 1, maxMs: 1 },
    cursors: [cursor],
    signal: stop.signal,
  })
  state.failures = 3
  const end = (): void => stop.abort()
  onTestFinished(end)
  const connect = (): Promise<string> => new FeedSession(state, stop.signal).run()
  const { signal } = stop
  const feed = { recording, history, scripted, state, deliveries, delivery }
  return {
    ...feed,
    signal,
    stop: end,
    connect,
    onRemember: (listener) => {
      onRemember = listener
    },
  }
}

const idleState = {
  inFlight: 0,
  inFlightLimit: 0,
  waiting: 0,
  waitingMost: 0,
  waitingLimit: 0,
  openGaps: 0,
  openGapsFrom: undefined,
}

function unusedRest({ venue }: ScriptedVenue): RestClient {
  return new RestClient({
    url: 'http://sample',
    timeoutMs: 1,
    budget: venue.restBudget,
    saysRateLimited: () => false,
    saysRefused: () => false,
    onAnswer: () => undefined,
  })
}

export function heartbeatsOf(recording: RecordingLog): readonly FeedHeartbeat[] {
  return recording.events.flatMap(({ type, value }) => (type === 'FeedHeartbeat' ? [value] : []))
}

export function gapsOf(recording: RecordingLog): readonly SequenceGap[] {
  return recording.events.flatMap(({ type, value }) => (type === 'SequenceGap' ? [value] : []))
}

/** `feed 9900-13000 open`: whose it is, its times or sequences, and what is said of it. */
export function described(gap: SequenceGap): string {
  const { fromSequence, fromTime, instrumentId, state, toSequence, toTime } = gap
  const span = fromSequence === null ? `${fromTime}-${toTime}` : `#${fromSequence}-${toSequence}`
  return `${instrumentId ?? 'feed'} ${span} ${state}`
}

export async function heartbeat(recording: RecordingLog): Promise<void> {
  const before = heartbeatsOf(recording).length
  await waitUntil('a heartbeat', () => heartbeatsOf(recording).length > before)
}
