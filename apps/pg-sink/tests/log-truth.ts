import {
  DecodeFailure,
  Deserializer,
  Registry,
  readPartition,
  rejectedOrigin,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { Message, Topic } from '@tickertape/kafka-avro'
import { formatDecimal, instrumentIdOf } from '@tickertape/market-model'
import type { Candle, InstrumentStatus, MarketEvent, SequenceGap } from '@tickertape/market-model'

import { poison } from './fault-market.ts'
import { partitions } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'

/** Rows as text, in the form of `storedTables`. */
export interface Tables {
  readonly trades: readonly string[]
  readonly candles: readonly string[]
  readonly rejected: readonly string[]
  readonly sequence_gaps: readonly string[]
  readonly feed_watermarks: readonly string[]
  readonly instruments: readonly string[]
}

export const sinkTopics = [
  'market-events',
  'candles',
  'rejected',
] as const satisfies readonly Topic[]

/** Heartbeats further ahead of their receive time move nothing: the sink's default. */
const futureToleranceMs = 5_000

/**
 * What the tables must hold, computed from the topics as they stand, read committed: a second way from the
 * log to the rows, one record at a time.
 */
export async function logTruth(log: SinkLog): Promise<Tables> {
  const registry = new Registry({ url: log.registryUrl }, log.prefix)
  const events = new Deserializer('market-events', registry)
  const candles = new Deserializer('candles', registry)
  const truth = new Truth(log.topic('market-events'), log.topic('candles'))
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const message of await readAll(log, 'market-events', partition)) {
      await events.prepare([message.value])
      truth.addEvent(message, events.deserialize(message.value))
    }
    for (const message of await readAll(log, 'candles', partition)) {
      await candles.prepare([message.value])
      truth.addCandle(message, candles.deserialize(message.value))
    }
    for (const message of await readAll(log, 'rejected', partition)) truth.addReject(message)
  }
  return truth.tables
}

/** All committed records of a partition. */
export async function readAll(
  log: SinkLog,
  topic: Topic,
  partition: number,
): Promise<readonly Message[]> {
  const messages: Message[] = []
  const batches = readPartition(
    { connection: log.connection, clientId: `${log.prefix}truth` },
    { topic: log.topic(topic), partition, from: 'earliest', to: 'end' },
  )
  for await (const batch of batches) messages.push(...batch)
  return messages
}

/**
 * Whether a sink has read everything.
 *
 * @param nextOffset where it stands in a partition, by `topic partition`. That may be before the partition's end: the
 *   markers of transactions take offsets too.
 */
export async function isAtEnds(
  log: SinkLog,
  nextOffset: ReadonlyMap<string, number>,
): Promise<boolean> {
  for (const topic of sinkTopics) {
    for (const { partition, high } of await topicOffsets(log.connection, log.topic(topic))) {
      const next = nextOffset.get(`${log.topic(topic)} ${partition}`)
      if (next === undefined || next > high) return false
      if (next < high && (await hasRecords(log, topic, partition, next))) return false
    }
  }
  return true
}

async function hasRecords(
  log: SinkLog,
  topic: Topic,
  partition: number,
  from: number,
): Promise<boolean> {
  const options = { connection: log.connection, clientId: `${log.prefix}ends` }
  const range = { topic: log.topic(topic), partition, from, to: 'end' } as const
  for await (const batch of readPartition(options, range)) if (batch.length > 0) return true
  return false
}

class Truth {
  readonly #eventsTopic: string
  readonly #candlesTopic: string
  readonly #trades = new Map<string, string>()
  readonly #candles = new Map<string, Candle>()
  readonly #rejected: string[] = []
  readonly #gaps = new Map<string, string>()
  readonly #watermarks = new Map<string, { upTo: number; offset: number }>()
  readonly #instruments = new Map<string, string>()

  constructor(eventsTopic: string, candlesTopic: string) {
    this.#eventsTopic = eventsTopic
    this.#candlesTopic = candlesTopic
  }

  get tables(): Tables {
    const watermarks = [...this.#watermarks].map(
      ([key, { upTo, offset }]) => `${key}|${upTo}|${offset}`,
    )
    return {
      trades: [...this.#trades.values()].sort(),
      candles: [...this.#candles.values()].map(candleText).sort(),
      rejected: this.#rejected.toSorted(),
      sequence_gaps: [...this.#gaps.values()].sort(),
      feed_watermarks: watermarks.sort(),
      instruments: [...this.#instruments.values()].sort(),
    }
  }

  addEvent(message: Message, event: MarketEvent | DecodeFailure): void {
    if (event instanceof DecodeFailure) {
      this.#reject(message, this.#eventsTopic, event.reason)
      return
    }
    const { partition, offset } = message
    switch (event.type) {
      case 'Trade':
        this.#addTrade(message, event)
        return
      case 'FeedHeartbeat': {
        const { feedId, upTo, receivedAt } = event.value
        if (upTo - receivedAt > futureToleranceMs) return
        const key = `${partition}|${feedId}`
        const known = this.#watermarks.get(key)?.upTo ?? upTo
        this.#watermarks.set(key, { upTo: Math.max(known, upTo), offset })
        return
      }
      case 'SequenceGap':
        this.#gaps.set(gapKey(partition, event.value), gapText(message, event.value))
        return
      case 'InstrumentStatus':
        this.#instruments.set(event.value.instrumentId, instrumentText(message, event.value))
        return
      case 'Rebuild':
        return
    }
  }

  addCandle(message: Message, candle: Candle | DecodeFailure): void {
    if (candle instanceof DecodeFailure) {
      this.#reject(message, this.#candlesTopic, candle.reason)
      return
    }
    const key = `${candle.instrumentId}|${candle.interval}|${candle.windowStart}`
    const known = this.#candles.get(key)
    if (known === undefined || rank(candle) > rank(known)) this.#candles.set(key, candle)
  }

  /** What the sink itself has turned away stands in the table where it was read. */
  addReject(message: Message): void {
    const { stage, reason, topic, partition, offset } = rejectedOrigin(message.headers)
    if (stage === 'pg-sink') return
    this.#rejected.push(
      rejectText(message, message.topic, stage, reason, { topic, partition, offset }),
    )
  }

  #addTrade(message: Message, { value }: Extract<MarketEvent, { type: 'Trade' }>): void {
    if (value.tradeId.includes('\0')) {
      this.#reject(message, this.#eventsTopic, 'not_storable')
    } else if (value.tradeId.startsWith(poison)) {
      this.#reject(message, this.#eventsTopic, 'refused_by_database')
    } else {
      const id = instrumentIdOf(value)
      const key = [id, value.tradeId, value.version, value.eventTime].join('|')
      if (this.#trades.has(key)) return
      const facts = [value.status, formatDecimal(value.price), formatDecimal(value.quantity)]
      const rest = [value.takerSide, value.receivedAt, value.sequence ?? '-']
      const source = [message.partition, message.offset]
      this.#trades.set(key, [key, ...facts, ...rest, ...source].join('|'))
    }
  }

  #reject(message: Message, topic: string, reason: string): void {
    const { partition, offset } = message
    this.#rejected.push(rejectText(message, topic, 'pg-sink', reason, { topic, partition, offset }))
  }
}

/** No rebuild is below every rebuild. */
function rank({ rebuildId, revision }: Candle): number {
  return (rebuildId === null ? 0 : rebuildId + 1) * 1_000 + revision
}

function candleText(candle: Candle): string {
  const { instrumentId, interval, windowStart, close, volume, revision, rebuildId } = candle
  const facts = [formatDecimal(close), formatDecimal(volume), revision, rebuildId ?? '-']
  return [instrumentId, interval, windowStart, ...facts].join('|')
}

function gapKey(partition: number, { gapId, instrumentId }: SequenceGap): string {
  return `${partition}|${gapId}|${instrumentId ?? '-'}`
}

function gapText({ partition, offset }: Message, gap: SequenceGap): string {
  const facts = [gap.fromTime, gap.toTime, gap.fromSequence, gap.toSequence, gap.state]
  return [gapKey(partition, gap), ...facts, offset].join('|')
}

function instrumentText({ partition, offset }: Message, status: InstrumentStatus): string {
  const { instrumentId, feedId, eventTime } = status
  return [instrumentId, feedId, status.status, eventTime, partition, offset].join('|')
}

interface Origin {
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
}

function rejectText(
  { partition, offset, key, value }: Message,
  topic: string,
  stage: string,
  reason: string,
  origin: Origin,
): string {
  const source = [origin.topic ?? '-', origin.partition ?? '-', origin.offset ?? '-']
  const bytes = [hexOf(key ?? null), hexOf(value)]
  return [topic, partition, offset, stage, reason, ...source, ...bytes].join('|')
}

function hexOf(bytes: Buffer | string | null): string {
  return bytes === null ? '-' : Buffer.from(bytes).toString('hex')
}
