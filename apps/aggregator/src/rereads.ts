import type { AggregationEvent, CountedTrade, LoggedTrade } from '@tickertape/candles'
import { DecodeFailure, KafkaAvroError, RangeReader, topicName } from '@tickertape/kafka-avro'
import type { MarketEventReader } from '@tickertape/kafka-avro'
import type { OffsetRange } from '@tickertape/market-model'

import type { AggregatorConfig } from './config.ts'
import type { AggregatorEvents } from './events.ts'
import { StateMismatch } from './state-mismatch.ts'

/** Records that are in memory as bytes at once. */
const recordsAtOnce = 10_000

/**
 * Reads stretches of market-events again: the records of closed windows that a correction, a cancel or a
 * suspected duplicate makes necessary. What is read is bounded by what the windows took.
 */
export class Rereads implements AsyncDisposable {
  readonly #topic: string
  readonly #events: AggregatorEvents
  readonly #marketEvents: MarketEventReader
  readonly #ranges: RangeReader

  constructor(config: AggregatorConfig, events: AggregatorEvents, marketEvents: MarketEventReader) {
    const { connection, topicPrefix, transactionalId } = config.kafka
    this.#topic = topicName('market-events', topicPrefix)
    this.#events = events
    this.#marketEvents = marketEvents
    this.#ranges = new RangeReader({
      connection,
      clientId: `${transactionalId}-reread`,
      onWarning: (message) => events.kafkaWarning(message),
    })
  }

  /**
   * The trades at these offsets of one partition, ascending.
   *
   * @param wanted the record that needs them; of a trade's instrument alone, if it is a trade.
   * @param ranges both ends inclusive, in any order.
   * @throws StateMismatch if retention was faster than the horizon; KafkaAvroError `reading_failed`.
   */
  async read(
    partition: number,
    wanted: AggregationEvent,
    ranges: readonly OffsetRange[],
  ): Promise<readonly LoggedTrade[]> {
    const began = performance.now()
    const logged: LoggedTrade[] = []
    let count = 0
    for (const range of slicesOf(mergeRanges(ranges))) {
      const records = await this.#readRange(partition, range)
      count += records.length
      await this.#marketEvents.prepare(records)
      for (const { offset, value } of records) {
        const event = this.#marketEvents.read(value)
        if (event instanceof DecodeFailure || event.type !== 'Trade') continue
        // A wide range is of all instruments of the partition: memory holds what is asked for.
        if (!mayNeed(wanted, event.value)) continue
        logged.push({ offset, trade: event.value })
      }
    }
    this.#events.reread(count, (performance.now() - began) / 1000)
    return logged
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ranges[Symbol.asyncDispose]()
  }

  async #readRange(partition: number, range: OffsetRange) {
    try {
      return await this.#ranges.read(this.#topic, partition, [range])
    } catch (error) {
      if (!(error instanceof KafkaAvroError && error.code === 'offset_out_of_range')) throw error
      throw new StateMismatch(
        `A correction needs ${this.#topic} [${partition}] from offset ${range.from} to ${range.to}, which is not there any more (${error.message}): the topic's retention must be longer than AGGREGATOR_HORIZON_MS and AGGREGATOR_GAP_SPAN_MS. Bring the records back, or stop all instances, delete the group's offsets and the changelog, and compute anew from what the log has`,
        { cause: error },
      )
    }
  }
}

/** Whether what a record does may depend on this trade: another trade's on those of its instrument. */
export function mayNeed(
  wanted: AggregationEvent,
  trade: Pick<CountedTrade, 'venue' | 'instrument'>,
): boolean {
  if (wanted.type !== 'Trade') return true
  const { venue, instrument } = wanted.value
  return trade.instrument === instrument && trade.venue === venue
}

/** Ascending ranges without overlaps; neighbours become one. */
export function mergeRanges(ranges: readonly OffsetRange[]): readonly OffsetRange[] {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

function* slicesOf(ranges: readonly OffsetRange[]): Generator<OffsetRange> {
  for (const { from, to } of ranges) {
    for (let at = from; at <= to; at += recordsAtOnce) {
      yield { from: at, to: Math.min(to, at + recordsAtOnce - 1) }
    }
  }
}
