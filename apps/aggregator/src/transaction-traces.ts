import type { MessageHeader } from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'
import { messagingAttributes, withTraceparent } from '@tickertape/tracing'
import type { Span, Tracing } from '@tickertape/tracing'

import type { PartitionOutput } from './owned-partition.ts'
import type { CandleTrace, TracedRecord } from './partition-traces.ts'

export interface TransactionFacts {
  readonly tracing: Tracing
  readonly groupId: string
  /** Topic that is read. */
  readonly eventsTopic: string
  /** Ms since the epoch. */
  readonly began: number
}

/**
 * The spans of one transaction: none of them says that it is done before the commit is. A transaction without a
 * sampled record has none.
 */
export class TransactionTraces {
  readonly #tracing: Tracing
  readonly #records: readonly TracedRecord[]
  readonly #candles: ReadonlyMap<Candle, CandleTrace>
  readonly #spans: Span[] = []

  private constructor(
    tracing: Tracing,
    records: readonly TracedRecord[],
    candles: ReadonlyMap<Candle, CandleTrace>,
    commit: Span,
  ) {
    this.#tracing = tracing
    this.#records = records
    this.#candles = candles
    this.#spans.push(commit)
  }

  static begin(
    { tracing, groupId, eventsTopic, began }: TransactionFacts,
    outputs: readonly PartitionOutput[],
  ): TransactionTraces | undefined {
    const traced = outputs.flatMap(({ traces }) => traces ?? [])
    if (traced.length === 0) return undefined
    const records = traced.flatMap((traces) => traces.records)
    const candles = new Map(traced.flatMap((traces) => [...traces.candles]))
    const commit = tracing.start('commit market-events', {
      kind: 'consumer',
      startTime: began,
      links: records.slice(-maxLinks).map(({ span }) => span.context),
      attributes: {
        ...messagingAttributes({
          operation: 'commit',
          topic: eventsTopic,
          groupId,
          messageCount: recordsOf(outputs),
        }),
        'tickertape.candles': outputs.reduce((sum, output) => sum + output.candles.length, 0),
      },
    })
    return new TransactionTraces(tracing, records, candles, commit)
  }

  /** Headers of a candle's record; undefined for a candle without a sampled trade. */
  send(candle: Candle, topic: string, partition: number): readonly MessageHeader[] | undefined {
    const trace = this.#candles.get(candle)
    if (trace === undefined) return undefined
    const { instrumentId: key } = candle
    const span = this.#tracing.start('send candles', {
      kind: 'producer',
      startTime: trace.closedAt,
      parent: trace.parent,
      links: trace.links,
      attributes: {
        ...messagingAttributes({ operation: 'send', topic, partition, key }),
        ...candleAttributes(candle),
      },
    })
    this.#spans.push(span)
    return withTraceparent(undefined, span.context)
  }

  committed(): void {
    const now = Date.now()
    for (const { span, appliedAt } of this.#records) span.end(appliedAt)
    for (const span of this.#spans) span.end(now)
  }

  failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    const now = Date.now()
    for (const { span } of this.#records) span.fail(reason, now)
    for (const span of this.#spans) span.fail(reason, now)
  }
}

/** What a span takes. */
const maxLinks = 128

/** What tells one candle from all others. */
export function candleAttributes({ interval, windowStart, revision }: Candle) {
  return {
    'tickertape.interval': interval,
    'tickertape.window_start': new Date(windowStart).toISOString(),
    'tickertape.revision': revision,
  }
}

function recordsOf(outputs: readonly PartitionOutput[]): number {
  let count = 0
  for (const { outcomes } of outputs) for (const records of outcomes.values()) count += records
  return count
}
