import type {
  AggregationEvent,
  AppliedEvent,
  CountedTrade,
  PartitionAggregation,
} from '@tickertape/candles'
import { DecodeFailure, KafkaAvroError, topicName } from '@tickertape/kafka-avro'
import { instrumentIdOf, windowStartOf } from '@tickertape/market-model'
import type { Candle, Rebuild } from '@tickertape/market-model'

import { readRange } from './partition-range.ts'
import type { RestoreSources } from './restore.ts'

/** A Rebuild record as it was read: its offset is the rebuildId. */
export interface RebuildRequest {
  readonly partition: number
  readonly offset: number
  readonly rebuild: Rebuild
  /** The partition's own, as it stands at the record: it says what the instruments are. */
  readonly live: PartitionAggregation
}

/** The log cannot give what was asked for; the aggregation goes on without it. */
export class RebuildRefused extends Error {
  override readonly name = 'RebuildRefused'
}

interface LoggedEvent {
  readonly offset: number
  readonly event: AggregationEvent
}

/** Records between two moments at which windows that are done with are packed. */
const recordsBetweenPacking = 10_000

/**
 * Computes candles again from the log before a Rebuild record, by its offsets alone: the same record gives
 * the same candles in the same order, whenever it is done.
 *
 * The log is read twice. What the first pass finds to be late, because its window was forgotten when it
 * came, the second one is given before it begins; but for copies of a trade that came before them, which
 * takes one more look where there are late records at all.
 *
 * @yields candles of windows inside the range that had ended before the record, in order.
 * @returns what the second pass has become.
 * @throws RebuildRefused if it would take more memory than a partition may have, or the log was cut off.
 * @throws the signal's reason once it is aborted.
 */
export async function* rebuildCandles(
  sources: RestoreSources,
  request: RebuildRequest,
  signal: AbortSignal,
): AsyncGenerator<readonly Candle[], PartitionAggregation> {
  const { config } = sources
  const { fromTime, toTime } = request.rebuild
  const late = await findLate(sources, request, signal)
  let chunk: Candle[] = []
  const second = new Pass(sources, request, ({ candles }) => {
    for (const candle of candles) {
      if (candle.windowStart < fromTime || candle.windowEnd > toTime) continue
      chunk.push({ ...candle, rebuildId: request.offset })
    }
  })
  await second.apply(late)
  for await (const batch of readEvents(sources, request, signal)) {
    await second.apply(batch)
    while (chunk.length >= config.commit.records) {
      yield chunk.slice(0, config.commit.records)
      chunk = chunk.slice(config.commit.records)
    }
  }
  if (chunk.length > 0) yield chunk
  return second.aggregation
}

/**
 * The records that are late for windows of the range, in the log's order: of each trade and version the
 * first in the log, which counts. Where that one was not late, none.
 */
async function findLate(
  sources: RestoreSources,
  request: RebuildRequest,
  signal: AbortSignal,
): Promise<readonly LoggedEvent[]> {
  const { maxOpenTrades, windows } = sources.config
  const { fromOffset, fromTime, toTime } = request.rebuild
  const neededFrom = windowStartOf(fromTime, windows.intervals.at(-1) ?? '1s')
  const late = new Map<string, LoggedEvent>()
  const first = new Pass(sources, request, ({ outcome }, logged) => {
    if (outcome !== 'late' || logged.event.type !== 'Trade') return
    const { eventTime, version } = logged.event.value
    const isInside = eventTime >= neededFrom && eventTime < toTime
    // A correction from outside may take its trade out of the range.
    if (!isInside && version === 0) return
    const key = recordKey(logged.event.value)
    if (!late.has(key)) late.set(key, logged)
  })
  for await (const batch of readEvents(sources, request, signal)) {
    await first.apply(batch)
    if (late.size > maxOpenTrades) {
      throw new RebuildRefused(
        `more than ${maxOpenTrades} records since offset ${fromOffset} are late for windows of its range: raise AGGREGATOR_MAX_OPEN_TRADES, or rebuild a shorter range`,
      )
    }
  }
  const last = [...late.values()].at(-1)
  if (last === undefined) return []
  // Applied once more and not only read: a record that was rejected is nobody's first.
  const again = new Pass(sources, request, ({ outcome }, { event, offset }) => {
    if (event.type !== 'Trade' || outcome === 'invalid' || outcome === 'future') return
    const key = recordKey(event.value)
    const found = late.get(key)
    if (found !== undefined && offset < found.offset) late.delete(key)
  })
  const untilLast = { ...request, offset: last.offset }
  for await (const batch of readEvents(sources, untilLast, signal)) await again.apply(batch)
  return [...late.values()]
}

/** Equal for records of one trade and version, by what the aggregation knows trades by. */
function recordKey(trade: CountedTrade): string {
  const { sequence, tradeId, version } = trade
  const identity = sequence === null ? `id ${tradeId}` : `sequence ${sequence}`
  return `${instrumentIdOf(trade)} ${version} ${identity}`
}

/** One reading of the range, through an aggregation of its own. */
class Pass {
  readonly aggregation: PartitionAggregation
  readonly #rereads: RestoreSources['rereads']
  readonly #partition: number
  readonly #take: (applied: AppliedEvent, logged: LoggedEvent) => void
  #unpacked = 0

  constructor(
    { config, codec, rereads }: RestoreSources,
    { partition, live }: RebuildRequest,
    take: (applied: AppliedEvent, logged: LoggedEvent) => void,
  ) {
    this.aggregation = live.forRebuild(config.windows, codec)
    this.#rereads = rereads
    this.#partition = partition
    this.#take = take
  }

  async apply(batch: readonly LoggedEvent[]): Promise<void> {
    for (const logged of batch) {
      const applied = this.aggregation.apply(logged.event, logged.offset)
      if (applied.needs === null && !applied.unfinished) this.#take(applied, logged)
      else await this.#applyInSteps(applied, logged)
      this.#unpacked += 1
      if (this.#unpacked < recordsBetweenPacking) continue
      this.#unpacked = 0
      // Nothing of it goes to the changelog: this is what packs closed windows.
      this.aggregation.takeChanges(logged.offset + 1)
    }
  }

  async #applyInSteps(begun: AppliedEvent, logged: LoggedEvent): Promise<void> {
    const { event, offset } = logged
    let applied = begun
    for (;;) {
      if (applied.needs !== null) {
        const trades = await this.#rereads.read(this.#partition, event, applied.needs)
        applied = this.aggregation.apply(event, offset, trades)
        continue
      }
      this.#take(applied, logged)
      if (!applied.unfinished) return
      applied = this.aggregation.apply(event, offset)
    }
  }
}

async function* readEvents(
  { config, marketEvents }: RestoreSources,
  { partition, offset, rebuild }: RebuildRequest,
  signal: AbortSignal,
): AsyncGenerator<readonly LoggedEvent[]> {
  const topic = topicName('market-events', config.kafka.topicPrefix)
  const range = { topic, partition, from: rebuild.fromOffset, to: offset }
  try {
    for await (const messages of readRange(config, 'rebuild', range)) {
      signal.throwIfAborted()
      await marketEvents.prepare(messages)
      yield messages.flatMap(({ value, offset: at }) => {
        const event = marketEvents.read(value)
        return event instanceof DecodeFailure ? [] : [{ offset: at, event }]
      })
    }
  } catch (error) {
    const isGone = error instanceof KafkaAvroError && error.code === 'offset_out_of_range'
    if (!isGone) throw error
    throw new RebuildRefused(`the log has no offset ${rebuild.fromOffset} any more`, {
      cause: error,
    })
  }
}
