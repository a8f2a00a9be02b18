import type { SequenceGap, Trade } from '@tickertape/market-model'
import { Counter, Gauge, Histogram, createKafkaClientMetrics } from '@tickertape/service-runtime'
import type { Logger, Readiness, Registry } from '@tickertape/service-runtime'
import { traceFields } from '@tickertape/tracing'
import type { SpanContext } from '@tickertape/tracing'

import type { RejectReason } from './mapped-trade.ts'
import type { Dependency } from './outages.ts'
import type { Hole } from './sequence-tracker.ts'
import type { LimitNotice } from './venue-limits.ts'

export type IngestEvents = ReturnType<typeof createEvents>

/** Where trades came from: the WebSocket, or the venue's history. */
export type TradeSource = 'stream' | 'history'

/** Least time between two frames whose delay is measured, in ms. */
const measureEveryMs = 10

export interface EventSources {
  readonly logger: Logger
  readonly metrics: Registry
  readonly readiness: Readiness
  readonly venue: string
  readonly state: () => IngestState
}

/** What stands now, asked at every scrape. */
export interface IngestState {
  /** Records that wait for the broker. */
  readonly inFlight: number
  /** INGEST_MAX_IN_FLIGHT */
  readonly inFlightLimit: number
  /** Trades that wait behind holes, of all instruments. */
  readonly waiting: number
  /** The same of the instrument that has most. */
  readonly waitingMost: number
  /** INGEST_HOLE_BUFFER: of one instrument. */
  readonly waitingLimit: number
  readonly openGaps: number
  /** Event time at which the oldest of them begins, ms since the epoch. */
  readonly openGapsFrom: number | undefined
}

/** Everything that ingest tells: one function for each thing that happens. */
export function createEvents({ logger, metrics, readiness, venue, state }: EventSources) {
  const registers = [metrics]
  const kafka = createKafkaClientMetrics(metrics)
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name, help, labelNames: ['venue', ...labelNames], registers })
  const gauge = (name: string, help: string, collect?: (this: Gauge) => void) =>
    new Gauge({
      name,
      help,
      labelNames: ['venue'],
      registers,
      ...(collect === undefined ? {} : { collect }),
    })

  const frames = counter('ingest_frames_total', 'Frames with trades').labels({ venue })
  const trades = counter('ingest_trades_total', 'Trades written to the log', 'source')
  const streamTrades = trades.labels({ venue, source: 'stream' })
  const historyTrades = trades.labels({ venue, source: 'history' })
  const duplicates = counter('ingest_duplicates_total', 'Trades that had come before', 'source')
  const streamDuplicates = duplicates.labels({ venue, source: 'stream' })
  const historyDuplicates = duplicates.labels({ venue, source: 'history' })
  const rejected = counter('ingest_rejected_total', 'Records turned away', 'reason')
  const holes = counter('ingest_holes_total', 'Holes seen in sequences').labels({ venue })
  const opened = counter('ingest_gaps_opened_total', 'Gaps announced').labels({ venue })
  const coveredAbsences = counter(
    'ingest_covered_absences_total',
    'Absences of which other replicas of the feed cover at least some instruments',
  ).labels({ venue })
  const gaps = counter('ingest_gaps_total', 'Gaps that nothing fills').labels({ venue })
  const connections = counter('ingest_connections_total', 'Connections opened').labels({ venue })
  const lost = counter('ingest_connections_lost_total', 'Connections that ended').labels({ venue })
  const handovers = counter(
    'ingest_handovers_total',
    'Connections that another one took over from before their end',
  ).labels({ venue })
  const pauses = counter('ingest_pauses_total', 'Times reading stopped', 'cause')
  const requests = counter('ingest_rest_requests_total', 'Answers over REST; 0: none', 'status')
  const retries = counter(
    'ingest_retries_total',
    'Attempts that failed and are made again, by what was not available',
    'dependency',
  )
  const catalogFailures = counter(
    'ingest_catalog_failures_total',
    "Readings of the venue's instruments that did not succeed",
  ).labels({ venue })
  const listings = counter(
    'ingest_listings_total',
    'Instruments that came in or went out while the feed was read',
    'status',
  )
  const connected = gauge('ingest_connected', '1 while a connection delivers').labels({ venue })
  const upTo = gauge('ingest_up_to_seconds', 'Event time of the last heartbeat').labels({ venue })
  const lag = gauge(
    'ingest_up_to_lag_seconds',
    "How far the last heartbeat was behind the venue's time",
  ).labels({ venue })
  const complaints = counter('ingest_complaints_total', 'Errors that the venue tells').labels({
    venue,
  })
  const recordedBytes = counter(
    'ingest_recorded_bytes_total',
    'Compressed bytes of recorded frames',
  ).labels({ venue })
  const unrecorded = counter(
    'ingest_unrecorded_frames_total',
    'Frames left out of the recording because the disk was slower than the feed',
  ).labels({ venue })
  const silences = counter(
    'ingest_silences_total',
    'Times the venue asked us to stay away, by HTTP status; 0: over the WebSocket',
    'status',
  )
  let silentUntil = 0
  let silenceOver: NodeJS.Timeout | undefined
  gauge(
    'ingest_silence_seconds',
    'How much longer the venue wants us to send nothing',
    function collect() {
      this.set({ venue }, Math.max(0, silentUntil - Date.now()) / 1000)
    },
  )
  const level = (name: string, help: string, of: (now: IngestState) => number) =>
    gauge(name, help, function collect() {
      this.set({ venue }, of(state()))
    })
  level('ingest_in_flight_records', 'Records that wait for the broker', (now) => now.inFlight)
  level(
    'ingest_in_flight_records_limit',
    'Records that may wait for the broker before reading stops (INGEST_MAX_IN_FLIGHT)',
    (now) => now.inFlightLimit,
  )
  level('ingest_waiting_trades', 'Trades that wait behind holes', (now) => now.waiting)
  level(
    'ingest_waiting_trades_most',
    'Trades that wait behind holes, of the instrument that has most',
    (now) => now.waitingMost,
  )
  level(
    'ingest_waiting_trades_limit',
    'Trades of one instrument that may wait behind a hole (INGEST_HOLE_BUFFER)',
    (now) => now.waitingLimit,
  )
  level('ingest_open_gaps', 'Gaps told open and not closed yet', (now) => now.openGaps)
  level(
    'ingest_oldest_open_gap_seconds',
    'How long ago, in event time, the oldest of the open gaps begins; 0 without any',
    ({ openGapsFrom: from }) => (from === undefined ? 0 : Math.max(0, Date.now() - from) / 1000),
  )
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, labelNames: ['venue'], buckets, registers }).labels({ venue })
  const venueDelay = histogram(
    'ingest_venue_delay_seconds',
    'From the event time of a trade to the arrival of its frame by our clock, of one frame in 10 ms at most; less than 0 counts as 0',
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30],
  )
  let lastMeasured = -Infinity
  const append = histogram(
    'ingest_append_seconds',
    'From the arrival of a frame to the broker’s acknowledgement of its last trade; the next frame is measured when the one before is acknowledged',
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30],
  )

  return {
    kafka,
    unavailable(dependency: Dependency, error: unknown, retryInMs: number): void {
      retries.inc({ venue, dependency })
      logger.warn(
        { err: error, dependency, retryInMs },
        `${dependency} is not available: trying on`,
      )
    },
    brokerSilent(message: string): void {
      logger.warn(`${message}: reading goes on until INGEST_MAX_IN_FLIGHT`)
    },
    brokerBack(): void {
      logger.info('Kafka takes records again')
    },
    recorded(bytes: number): void {
      recordedBytes.inc(bytes)
    },
    notRecorded(frames: number): void {
      unrecorded.inc(frames)
      logger.warn({ frames }, 'frames left out of the recording: the disk is slower than the feed')
    },
    recordingFailed(error: Error): void {
      logger.error({ err: error }, 'the recording of frames has ended; the feed goes on')
    },
    /** @param until milliseconds since the epoch. */
    silenced({ status, body }: LimitNotice, until: number): void {
      silences.inc({ venue, status: String(status) })
      silentUntil = until
      const said = body === '' ? '' : `: ${body.slice(0, 200)}`
      const message = `${venue} asks us to send nothing until ${new Date(until).toISOString()} (${status}${said})`
      readiness.degrade('limits', message)
      logger.warn({ status, until }, message)
      clearTimeout(silenceOver)
      silenceOver = setTimeout(() => readiness.ready('limits'), Math.max(0, until - Date.now()))
      silenceOver.unref()
    },
    cursorsRead(found: number): void {
      logger.info({ found }, 'cursors read')
    },
    catalogNotRead(error: Error): void {
      catalogFailures.inc()
      logger.warn({ reason: error.message }, "the venue's instruments cannot be asked for")
    },
    instrumentsFollowed(count: number, byCatalog: boolean): void {
      logger.info({ instruments: count, byCatalog }, 'instruments chosen')
    },
    instrumentsListed(instruments: readonly string[]): void {
      listings.inc({ venue, status: 'listed' }, instruments.length)
      logger.info({ instruments }, 'new instruments of the venue are read')
    },
    instrumentsExpired(instruments: readonly string[]): void {
      listings.inc({ venue, status: 'expired' }, instruments.length)
      logger.info({ instruments }, 'instruments have left the venue')
    },
    instrumentsUnknown(instruments: readonly string[]): void {
      if (instruments.length === 0) {
        readiness.ready('unknown instruments')
        return
      }
      const message = `${venue} does not list ${instruments.join(', ')}`
      readiness.degrade('unknown instruments', message)
      logger.warn({ instruments }, `${message}: check INGEST_INSTRUMENTS`)
    },
    instrumentBegins(instrument: string, sequence: number | undefined): void {
      logger.info({ instrument, sequence: sequence ?? null }, 'first knowledge of the instrument')
    },
    historyRefused(instrument: string, error: Error): void {
      logger.warn(
        { instrument, err: error },
        "the venue refuses the instrument's history: it begins with the stream, and holes cannot be filled",
      )
    },
    historyAwaited(instrument: string, error: Error, tries: number): void {
      logger.warn(
        { instrument, tries, err: error },
        "the venue's last trade cannot be asked for yet",
      )
    },
    connecting(url: string): void {
      logger.debug({ url }, 'connecting')
    },
    connected(url: string): void {
      connections.inc()
      logger.info({ url }, 'connected')
    },
    instrumentsRefused(instruments: readonly string[]): void {
      logger.error(
        { instruments },
        `${venue} does not deliver ${instruments.join(', ')}: check INGEST_INSTRUMENTS; all others go on`,
      )
    },
    tookOver(afterMs: number): void {
      connected.set(1)
      logger.info({ afterMs: Math.round(afterMs) }, 'took over from the connection before')
    },
    endsSoon(reason: string): void {
      logger.info({ reason }, 'the connection ends soon: another one begins beside it')
    },
    succeeded(reason: string): void {
      handovers.inc()
      logger.debug({ reason }, 'the connection before has ended')
    },
    notSucceeded(reason: string, retryInMs: number): void {
      logger.warn({ reason, retryInMs }, 'no other connection yet; the one before goes on')
    },
    delivering(instruments: number, afterMs: number): void {
      connected.set(1)
      logger.info({ instruments, afterMs: Math.round(afterMs) }, 'caught up with the venue')
    },
    disconnected(reason: string, retryInMs: number): void {
      connected.set(0)
      lost.inc()
      logger.warn({ reason, retryInMs }, 'connection lost')
    },
    frame(): void {
      frames.inc()
    },
    /** @param last trade of a frame. */
    frameArrived({ eventTime, receivedAt }: Pick<Trade, 'eventTime' | 'receivedAt'>): void {
      // An observation takes some microseconds: with 60,000 frames a second that would be a fifth of a core.
      if (Math.abs(receivedAt - lastMeasured) < measureEveryMs) return
      lastMeasured = receivedAt
      venueDelay.observe(Math.max(0, receivedAt - eventTime) / 1000)
    },
    /** What came with a frame is in Kafka. */
    appended(seconds: number): void {
      append.observe(seconds)
    },
    traded(source: TradeSource, count: number): void {
      if (count > 0) (source === 'stream' ? streamTrades : historyTrades).inc(count)
    },
    duplicated(source: TradeSource, count: number): void {
      if (count > 0) (source === 'stream' ? streamDuplicates : historyDuplicates).inc(count)
    },
    rejected(reason: RejectReason, message: string): void {
      rejected.inc({ venue, reason })
      logger.debug({ reason, message }, 'rejected')
    },
    holeFound(instrument: string, hole: Hole): void {
      holes.inc()
      logger.info({ instrument, ...hole }, 'hole in the sequence')
    },
    historyFailed(instrument: string, error: Error, tries: number): void {
      logger.warn({ instrument, tries, reason: error.message }, 'history not read')
    },
    gapOpened(gap: SequenceGap): void {
      opened.inc()
      logger.info({ gap }, 'gap announced')
    },
    covered(instruments: number, { fromTime, toTime }: { fromTime: number; toTime: number }): void {
      coveredAbsences.inc()
      logger.info({ instruments, fromTime, toTime }, 'another replica was connected: no gap')
    },
    replicasNotFollowed(reason: unknown): void {
      logger.warn(
        { reason: reason instanceof Error ? reason.message : reason },
        'feed-cursors cannot be followed: what other replicas cover is not known until it can',
      )
    },
    passedOver(instrument: string, waitedMs: number): void {
      logger.warn(
        { instrument, waitedMs },
        'what is missing does not come: heartbeats go on, and its candles have quality gap until it does',
      )
    },
    gaveUp(gap: SequenceGap): void {
      gaps.inc()
      logger.error({ gap }, 'trades are missing and cannot be fetched')
    },
    /** Errors that nobody waits for, and refusals. */
    venueComplained(message: string): void {
      complaints.inc()
      logger.warn({ message }, 'the venue complains')
    },
    /** Part of a fast catch-up: normal operation is quiet. */
    readingStopped(cause: 'kafka'): void {
      pauses.inc({ venue, cause })
      logger.debug({ cause }, 'reading stopped')
    },
    readingResumed(cause: 'kafka'): void {
      logger.debug({ cause }, 'reading goes on')
    },
    requested(status: number): void {
      requests.inc({ venue, status: String(status) })
    },
    heartbeat(time: number, venueTime: number): void {
      upTo.set(time / 1000)
      lag.set((venueTime - time) / 1000)
    },
    /** Finds the trace of a trade by its id. */
    traceBegun({ instrument, tradeId }: Trade, context: SpanContext): void {
      logger.debug({ instrument, tradeId, ...traceFields(context) }, 'trade begins a trace')
    },
    stopping(): void {
      connected.set(0)
      logger.debug('reading ends')
    },
  }
}
