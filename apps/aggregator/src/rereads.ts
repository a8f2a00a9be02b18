import type { LoggedTrade } from '@tickertape/candles'
import { DecodeFailure, readPartition, topicName } from '@tickertape/kafka-avro'
import type { MarketEventReader } from '@tickertape/kafka-avro'
import type { OffsetRange } from '@tickertape/market-model'

import type { AggregatorConfig } from './config.ts'
import type { AggregatorEvents } from './events.ts'

/** Ranges this near to each other are read at once: passing over records is cheaper than a request. */
const joinedWithin = 2_000

/**
 * Reads stretches of market-events again: the records of closed windows that a correction, a cancel or a
 * suspected duplicate makes necessary. What is read is bounded by what the windows took.
 */
export class Rereads {
  readonly #config: AggregatorConfig
  readonly #events: AggregatorEvents
  readonly #marketEvents: MarketEventReader

  constructor(config: AggregatorConfig, events: AggregatorEvents, marketEvents: MarketEventReader) {
    this.#config = config
    this.#events = events
    this.#marketEvents = marketEvents
  }

  /**
   * The trades at these offsets of one partition, ascending.
   *
   * @param ranges both ends inclusive, in any order.
   * @throws KafkaAvroError `offset_out_of_range` if retention was faster than the horizon.
   */
  async read(partition: number, ranges: readonly OffsetRange[]): Promise<readonly LoggedTrade[]> {
    const began = performance.now()
    const logged: LoggedTrade[] = []
    let records = 0
    const { brokers, topicPrefix, transactionalId } = this.#config.kafka
    const topic = topicName('market-events', topicPrefix)
    const wanted = mergeRanges(ranges, 1)
    for (const { from, to } of mergeRanges(ranges, joinedWithin)) {
      const batches = readPartition(
        { brokers, clientId: `${transactionalId}-reread` },
        { topic, partition, from, to: to + 1 },
      )
      for await (const messages of batches) {
        await this.#marketEvents.prepare(messages)
        for (const { offset, value } of messages) {
          records += 1
          if (!contains(wanted, offset)) continue
          const event = this.#marketEvents.read(value)
          if (event instanceof DecodeFailure || event.type !== 'Trade') continue
          logged.push({ offset, trade: event.value })
        }
      }
    }
    this.#events.reread(records, (performance.now() - began) / 1000)
    return logged
  }
}

/** Ascending ranges without overlaps; those that lie no further apart than `within` become one. */
export function mergeRanges(
  ranges: readonly OffsetRange[],
  within: number,
): readonly OffsetRange[] {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from - last.to <= within) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

function contains(ranges: readonly OffsetRange[], offset: number): boolean {
  return ranges.some(({ from, to }) => from <= offset && offset <= to)
}
