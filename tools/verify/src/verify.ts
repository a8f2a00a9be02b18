import { Deserializer, Registry, topicName } from '@tickertape/kafka-avro'
import type { KafkaConnection, RegistryConnection } from '@tickertape/kafka-avro'
import { intervals } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'
import { Database } from '@tickertape/market-store'

import { waitForCandles, waitForRecords } from './arrival.ts'
import { compareCandles } from './comparison.ts'
import type { Comparison } from './comparison.ts'
import { takeSnapshot } from './snapshot.ts'

export interface VerifyOptions {
  readonly connection: KafkaConnection
  readonly databaseUrl: string
  /** `public` unless given. */
  readonly databaseSchema?: string
  readonly topicPrefix: string
  /** By which trades are read that only the sink has turned away; without it they are left out. */
  readonly registry?: RegistryConnection
  /** With the topic prefix, as the broker knows it. */
  readonly aggregatorGroupId: string
  /** The aggregator's intervals, from 1s up. */
  readonly intervals: readonly Interval[]
  /** The aggregator's grace. */
  readonly graceMs: number
  /** The aggregator's bound for flat candles after an instrument's last trade. */
  readonly quietSpanMs: number
  /** Longest wait for candles to arrive. */
  readonly waitMs: number
  /** How many differences the report lists. */
  readonly shownDifferences: number
}

export type VerifyReport = Comparison

/** Defaults of `VerifyOptions`, those of the services. */
export const verifyDefaults = {
  intervals,
  graceMs: 1_000,
  quietSpanMs: 86_400_000,
  waitMs: 60_000,
  shownDifferences: 20,
} as const

/**
 * Computes candles anew, by SQL over the stored trades, and compares every one whose window has closed
 * with the stored candle. The system may be running.
 *
 * Trades that only the sink has turned away, which are in `rejected`, count as if they were stored.
 *
 * What is compared is fixed first: the trades below the latest heartbeat of their feed that the sink
 * has, and its watermarks. Candles change at heartbeats only, so these trades are in the candles once the
 * aggregator has come as far and what it wrote by then is stored. Nothing waits for a quiet moment:
 * candles that are newer than the snapshot are told by the records that made them so.
 *
 * @throws VerifyError `not_arrived` if that takes longer than `waitMs`.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  await using database = new Database(options.databaseUrl, {
    applicationName: 'verify',
    ...(options.databaseSchema === undefined ? {} : { schema: options.databaseSchema }),
  })
  const marketEvents = topicName('market-events', options.topicPrefix)
  const arrival = {
    connection: options.connection,
    aggregatorGroupId: options.aggregatorGroupId,
    marketEvents,
    // Rejects come with candles, in the aggregator's transactions.
    results: [
      topicName('candles', options.topicPrefix),
      topicName('rejected', options.topicPrefix),
    ],
    waitMs: options.waitMs,
  }
  const snapshot = await takeSnapshot(database, marketEvents)
  await waitForCandles(database, snapshot, arrival)
  const { registry, topicPrefix } = options
  const deserializer =
    registry === undefined
      ? undefined
      : new Deserializer('market-events', new Registry(registry, topicPrefix))
  return await compareCandles(database, snapshot, {
    ...options,
    deserializer,
    whenRecordsStored: () => waitForRecords(database, arrival),
  })
}
