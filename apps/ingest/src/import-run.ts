import { EventProducer, Registry, Serializer, requireTopics } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { FeedCursor } from '@tickertape/market-model'

import type { IngestConfig } from './config.ts'
import { readCursors } from './feed-cursors.ts'
import { playFrames } from './frame-player.ts'
import { ImportProblem, importFeedId } from './import-arguments.ts'
import type { ImportRequest } from './import-arguments.ts'
import { importHistory } from './import-history.ts'
import { ImportedInstrument, importReplicaId } from './imported-instrument.ts'
import { statusRecord } from './instrument-announcement.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { MarketLog } from './market-log.ts'
import { recordedFrames } from './recorded-frames.ts'
import { RestClient, RestError } from './rest-client.ts'
import { hasSequences } from './trade-history.ts'
import { untilAborted } from './until-aborted.ts'

export type Write = (line: string) => void

/** Windows close this long behind their end; trades up to then are imported too. See AGGREGATOR_GRACE_MS. */
const graceMs = 2_000

/** The venue's history may lag behind its trades by so much: an import ends before that. */
const historyLagMs = 10_000

const restTimeoutMs = 30_000
const historyBackoff = { firstMs: 500, maxMs: 30_000 }
const progressMs = 2_000

/** What the parts of one instrument's import share. */
interface Import {
  readonly config: IngestConfig
  readonly request: ImportRequest
  readonly feedId: string
  readonly registry: Registry
  readonly partitions: number
  readonly log: MarketLog
  readonly rest: RestClient
  readonly write: Write
}

/**
 * Imports what was asked for, instrument by instrument, through the venue's own mappers. Each import is a
 * feed of its own: its heartbeats speak of its range alone, and close the windows of it.
 *
 * @throws ImportProblem, KafkaAvroError, RestError; the signal's reason.
 */
export async function runImport(
  config: IngestConfig,
  request: ImportRequest,
  write: Write,
  signal: AbortSignal,
): Promise<void> {
  const { kafka, venue } = config
  const partitions = await requireTopics(kafka.connection, kafka.topicPrefix, [
    'market-events',
    'feed-cursors',
    'rejected',
  ])
  const registry = new Registry(config.registry, kafka.topicPrefix)
  const serializers = {
    marketEvents: new Serializer('market-events', await registry.register('market-events')),
    feedCursors: new Serializer('feed-cursors', await registry.register('feed-cursors')),
  }
  await using producer = await EventProducer.open({
    connection: kafka.connection,
    clientId: 'import',
  })
  const rest = new RestClient({
    url: config.restUrl,
    timeoutMs: restTimeoutMs,
    headers: venue.restHeaders,
    budget: venue.restBudget,
    saysRateLimited: venue.saysRateLimited,
    saysRefused: venue.saysRefused,
    onAnswer: () => undefined,
    onSilence: ({ status }, until) =>
      write(`  ${venue.name} asks us to wait until ${iso(until)} (${status})`),
  })
  const { topicPrefix } = kafka
  const { maxInFlight } = config
  for (const instrument of request.instruments) {
    const feedId = importFeedId(request, instrument)
    const feed = { venue: request.venue, feedId }
    const sink = { producer, ...serializers, partitions, topicPrefix, maxInFlight, feed }
    const log = new MarketLog(sink)
    const shared = { config, request, feedId, registry, partitions, log, rest, write }
    await importInstrument(shared, instrument, signal)
    await untilAborted(log.acknowledged(), signal)
  }
}

async function importInstrument(
  shared: Import,
  instrument: string,
  signal: AbortSignal,
): Promise<void> {
  const { config, feedId, log, request, write } = shared
  const facts = await factsOf(shared, instrument, signal)
  const instrumentId = instrumentIdOf({ venue: config.venue.name, instrument })
  const cursor = await cursorOf(shared, { feedId, replicaId: importReplicaId }, instrument)
  const live = await cursorOf(shared, config, instrument)
  if (cursor !== undefined) write(`${instrument}: going on behind ${iso(cursor.eventTime)}`)
  const tell = (owner: string, eventTime: number): void =>
    log.status(
      statusRecord({ instrumentId, feedId: owner, status: 'listed', facts, eventTime }, Date.now()),
    )
  // An instrument that is read live stays with that feed.
  if (live === undefined) tell(feedId, request.fromTime ?? 0)
  const imported = new ImportedInstrument({ feedId, instrument, instrumentId, log, cursor })
  const { file } = request
  if (file === undefined) await fromHistory(shared, imported, signal)
  else await fromFile(shared, imported, file, signal)
  // Trades of windows that could still be revised have taken it to the import's feed.
  if (live !== undefined) tell(config.feedId, imported.lastTime)
  const { delivered, rejected } = imported.counts
  write(
    `${instrument}: ${delivered} trades written, ${rejected} rejected, ${imported.gaps} gaps, up to ${iso(imported.lastTime)}`,
  )
  if (live !== undefined) {
    write(
      `  It is read live as well: windows that its feed has forgotten are computed by: npm run rebuild -- --from ${iso(request.fromTime ?? 0)}`,
    )
  }
}

async function fromHistory(
  { config, feedId, log, request, rest, write }: Import,
  imported: ImportedInstrument,
  signal: AbortSignal,
): Promise<void> {
  const history = config.venue.history(rest, () => mappingOf(config, feedId))
  if (!hasSequences(history)) {
    throw new ImportProblem(
      `${config.venue.name} tells no more of the past than its last trades: import from a recording, with --file`,
    )
  }
  const fromTime = request.fromTime ?? 0
  const toTime = Math.min((request.toTime ?? Infinity) + graceMs, Date.now() - historyLagMs)
  if (toTime <= fromTime) {
    throw new ImportProblem(`--from ${iso(fromTime)} is too close to now: that is read live`)
  }
  const tellProgress = progress(write, imported, { fromTime, toTime })
  await importHistory(
    {
      imported,
      history,
      log,
      fromTime,
      toTime,
      tries: config.holes.tries,
      backoff: historyBackoff,
      onProgress: tellProgress,
      onFailure: (error, retryInMs) =>
        write(`  trying again in ${Math.ceil(retryInMs / 1000)} s: ${error.message}`),
    },
    signal,
  )
}

async function fromFile(
  { config, feedId, log, request, rest, write }: Import,
  imported: ImportedInstrument,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const fromTime = request.fromTime ?? 0
  const toTime = request.toTime === undefined ? Infinity : request.toTime + graceMs
  const tellProgress = progress(write, imported)
  const take = (trades: readonly MappedTrade[]): void => {
    for (const mapped of trades) {
      const instrument = mapped.kind === 'trade' ? mapped.trade.instrument : mapped.instrument
      if (instrument !== imported.instrument) continue
      const time = mapped.kind === 'trade' ? mapped.trade.eventTime : fromTime
      if (time >= fromTime && time < toTime) imported.take(mapped)
    }
    tellProgress(imported.lastTime)
  }
  const reject = (original: string, message: string): void => {
    imported.counts.rejected += 1
    log.reject({ reason: 'malformed', message, original, instrumentId: null })
  }
  const frames = recordedFrames(file, () =>
    write(`  ${file} ends in the middle: what was read up to there is imported`),
  )
  await playFrames(
    {
      venue: config.venue,
      instrument: imported.instrument,
      frames,
      rest,
      mapping: () => mappingOf(config, feedId),
      handlers: { trades: take, malformed: reject, venueError: () => undefined },
      whenRoom: () => untilAborted(log.whenRoom(), signal),
    },
    signal,
  )
  imported.giveUpHoles()
  if (imported.lastTime === 0) return
  await untilAborted(imported.vouch(Number.isFinite(toTime) ? toTime : imported.lastTime), signal)
}

function mappingOf({ futureToleranceMs }: IngestConfig, feedId: string): MappingContext {
  return { feedId, receivedAt: Date.now(), futureToleranceMs }
}

/** What the venue tells of the instrument now; undefined if it is no longer listed. */
async function factsOf(
  { config: { venue }, rest, write }: Import,
  instrument: string,
  signal: AbortSignal,
): Promise<InstrumentFacts | undefined> {
  try {
    const catalog = await venue.catalog(rest, signal)
    return catalog.find((each) => each.instrument === instrument)
  } catch (error) {
    if (!(error instanceof RestError)) throw error
    write(`  What the venue tells of ${instrument} is not known: ${error.message}`)
    return undefined
  }
}

async function cursorOf(
  { config, partitions, registry }: Import,
  { feedId, replicaId }: { readonly feedId: string; readonly replicaId: string },
  instrument: string,
): Promise<FeedCursor | undefined> {
  const { own } = await readCursors({ ...config.kafka, feedId, replicaId, partitions, registry })
  return own.get(instrument)
}

/** Tells how far the import has come, every few seconds. */
function progress(
  write: Write,
  imported: ImportedInstrument,
  range?: { readonly fromTime: number; readonly toTime: number },
): (time: number) => void {
  let toldAt = performance.now()
  return (time) => {
    if (performance.now() - toldAt < progressMs) return
    toldAt = performance.now()
    const part =
      range === undefined
        ? ''
        : `, ${Math.floor((100 * (time - range.fromTime)) / (range.toTime - range.fromTime))} %`
    write(`  ${imported.counts.delivered} trades, up to ${iso(time)}${part}`)
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
