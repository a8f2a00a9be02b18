import { topicName } from '@tickertape/kafka-avro'
import { Database } from '@tickertape/market-store'

import { waitForCandles } from './arrival.ts'
import { compareCandles } from './comparison.ts'
import type { Comparison } from './comparison.ts'
import { takeSnapshot } from './snapshot.ts'

export interface VerifyOptions {
  readonly brokers: string
  readonly databaseUrl: string
  readonly topicPrefix: string
  /** With the topic prefix, as the broker knows it. */
  readonly aggregatorGroupId: string
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
  graceMs: 1_000,
  quietSpanMs: 86_400_000,
  waitMs: 60_000,
  shownDifferences: 20,
} as const

/**
 * Computes candles anew, by SQL over the stored trades, and compares every one whose window has closed
 * with the stored candle. The system may be running.
 *
 * What is compared is fixed first: the trades that the sink has at that moment, and its watermarks.
 * Then the aggregator must have come as far, and the candles that it wrote by then must be stored.
 *
 * @throws VerifyError `not_arrived` if that takes longer than `waitMs`.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  await using database = new Database(options.databaseUrl, { applicationName: 'verify' })
  const marketEvents = topicName('market-events', options.topicPrefix)
  const snapshot = await takeSnapshot(database, marketEvents)
  await waitForCandles(database, snapshot, {
    brokers: options.brokers,
    aggregatorGroupId: options.aggregatorGroupId,
    marketEvents,
    // Rejects come with candles, in the aggregator's transactions.
    results: [
      topicName('candles', options.topicPrefix),
      topicName('rejected', options.topicPrefix),
    ],
    waitMs: options.waitMs,
  })
  return await compareCandles(database, snapshot, options)
}
