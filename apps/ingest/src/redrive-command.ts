import { Registry, Serializer, partitionOf, requireTopics, topicName } from '@tickertape/kafka-avro'
import type { OutgoingRecord } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import { Database } from '@tickertape/market-store'
import { ProgressLines, countRejected, redriveToLog, waitingVenues } from '@tickertape/redrive'
import type { RedriveArguments, RejectedRecord } from '@tickertape/redrive'
import {
  databaseUrlSetting,
  kafkaAccess,
  kafkaSettings,
  registryAccess,
  registrySettings,
  textSetting,
} from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

import { settings } from './config.ts'
import { readerOfContracts, venuesOfContracts } from './redrive-contracts.ts'
import { rejectReaders } from './reject-readers.ts'
import type { RejectReader } from './reject-readers.ts'
import { rereadReject } from './reread-reject.ts'

const stage = 'ingest'

/** Settings of the command that puts rejected frames back; the database is where pg-sink keeps them. */
export const redriveSettings = {
  ...kafkaSettings,
  ...registrySettings,
  TOPIC_PREFIX: settings.TOPIC_PREFIX,
  INGEST_FUTURE_TOLERANCE_MS: settings.INGEST_FUTURE_TOLERANCE_MS,
  INGEST_VENUE: settings.INGEST_VENUE,
  INGEST_REST_URL: settings.INGEST_REST_URL,
  DATABASE_URL: databaseUrlSetting('PostgreSQL database that holds trades and candles'),
  DATABASE_SCHEMA: textSetting({ default: 'public', about: 'Schema of its tables' }),
} as const

/**
 * Puts what ingest has rejected for a reason through the venue's mapper again, and the trades that it finds
 * into market-events, as if they were received now.
 */
export async function redrive(
  values: SettingValues<typeof redriveSettings>,
  { dryRun, reason }: RedriveArguments,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await using database = new Database(values.DATABASE_URL, {
    applicationName: 'redrive',
    schema: values.DATABASE_SCHEMA,
  })
  const counts = await countRejected(database, reason)
  const { waiting = 0, redriven = 0 } = counts.find((count) => count.stage === stage) ?? {}
  const lines = new ProgressLines(write, { stage, reason, waiting })
  lines.begin(redriven, dryRun)
  if (dryRun || waiting === 0) return
  const { TOPIC_PREFIX: topicPrefix } = values
  const connection = kafkaAccess(values)
  const partitions = await requireTopics(connection, topicPrefix, ['market-events'])
  const registry = new Registry(registryAccess(values), topicPrefix)
  const serializer = new Serializer('market-events', await registry.register('market-events'))
  const selection = { stage, reason } as const
  const readers = await readersOf(await waitingVenues(database, selection), values, signal)
  const done = await redriveToLog({
    database,
    connection,
    topicPrefix,
    selection,
    recordsOf: (record) => recordsOf(record),
    onKept: (record, why) => lines.kept(record, why),
    onProgress: (progress) => lines.progress(progress),
    onRecovered: (count) => lines.recovered(count),
    signal,
  })
  lines.end(done, signal.aborted)

  function recordsOf({ feed, key, value }: RejectedRecord): readonly OutgoingRecord[] | string {
    if (feed === null)
      return 'it does not tell whose frame it is: it was rejected by an older version'
    if (value === null) return 'it has no value'
    const reader = readers.get(feed.venue)
    if (reader === undefined) return `this version does not read ${feed.venue}`
    if (typeof reader === 'string') return reader
    const instrument = key === null ? undefined : String(key).slice(feed.venue.length + 1)
    const context = {
      feedId: feed.feedId,
      receivedAt: Date.now(),
      futureToleranceMs: values.INGEST_FUTURE_TOLERANCE_MS,
    }
    const trades = rereadReject(reader, value.toString('utf8'), instrument, context)
    if (typeof trades === 'string') return trades
    return trades.map((trade) => {
      const id = instrumentIdOf(trade)
      return {
        topic: topicName('market-events', topicPrefix),
        partition: partitionOf(id, partitions),
        key: id,
        value: serializer.serialize({ type: 'Trade', value: trade }),
      }
    })
  }
}

/** How the frames of each venue are read, or why they cannot be. A venue of another version has nothing. */
async function readersOf(
  venues: readonly string[],
  { INGEST_REST_URL: restUrl, INGEST_VENUE: venue }: SettingValues<typeof redriveSettings>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RejectReader | string>> {
  const readers = new Map<string, RejectReader | string>(Object.entries(rejectReaders))
  for (const name of venuesOfContracts.filter((each) => venues.includes(each))) {
    // The address is one venue's; of the others their public one is asked.
    const reader = await readerOfContracts(name, venue === name ? restUrl : '', signal)
    if (reader !== undefined) readers.set(name, reader)
  }
  return readers
}
