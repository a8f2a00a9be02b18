import type { LogRecord } from '@tickertape/kafka-avro'
import { contextOf, messagingAttributes } from '@tickertape/tracing'
import type { SpanContext, Tracing } from '@tickertape/tracing'

import type { WrittenBatch } from './batch-writer.ts'
import type { Batch } from './batch.ts'

export interface SinkTracesOptions {
  readonly tracing: Tracing
  readonly groupId: string
  /** Stands before a topic in Kafka, and not in the name of a span. */
  readonly topicPrefix: string
}

/** A record of a sampled trace. */
interface SampledRecord {
  readonly record: LogRecord
  readonly context: SpanContext
  /** When it was put into its batch, in ms since the epoch. */
  readonly takenAt: number
}

/**
 * The part of a trace that is the sink's: each sampled record from Kafka's append to the commit of its row, and the
 * transaction that committed it.
 *
 * Nothing is told before the commit: a batch that is given up is read again, by whoever owns its partitions then, and
 * has its spans from there, once.
 */
export class SinkTraces {
  readonly #options: SinkTracesOptions
  readonly #sampled = new WeakMap<Batch, SampledRecord[]>()

  constructor(options: SinkTracesOptions) {
    this.#options = options
  }

  /** Looks for a trace in a record that was put into a batch. */
  taken(batch: Batch, record: LogRecord): void {
    if (!this.#options.tracing.enabled) return
    const context = contextOf(record.headers)
    if (context === undefined) return
    const sampled = { record, context, takenAt: Date.now() }
    const known = this.#sampled.get(batch)
    if (known === undefined) this.#sampled.set(batch, [sampled])
    else known.push(sampled)
  }

  /** @param committedAt ms since the epoch. */
  committed(batch: Batch, written: WrittenBatch, committedAt: number = Date.now()): void {
    const sampled = this.#sampled.get(batch)
    if (sampled === undefined) return
    this.#sampled.delete(batch)
    const reasons = new Map(written.rejects.map(({ record, reason }) => [placeOf(record), reason]))
    let last: SpanContext | undefined
    const others: SpanContext[] = []
    for (const each of sampled) {
      if (last !== undefined) others.push(last)
      last = this.#processed(each, reasons.get(placeOf(each.record)), committedAt)
    }
    this.#transaction(batch, written, { last, others, committedAt })
  }

  #processed(
    { record, context, takenAt }: SampledRecord,
    rejected: string | undefined,
    committedAt: number,
  ): SpanContext {
    const { tracing, groupId, topicPrefix } = this.#options
    const { topic, partition, offset, key, timestamp = takenAt } = record
    const span = tracing.start(`process ${topic.slice(topicPrefix.length)}`, {
      kind: 'consumer',
      parent: context,
      startTime: timestamp,
      attributes: messagingAttributes({
        operation: 'process',
        topic,
        partition,
        offset,
        key,
        groupId,
      }),
    })
    span.event('taken into a batch', takenAt)
    if (rejected === undefined) span.end(committedAt)
    else span.fail(`rejected: ${rejected}`, committedAt)
    return span.context
  }

  /** It continues the last of the batch's sampled records; of the others it says that they are in it. */
  #transaction(
    batch: Batch,
    { rows, mode, commitMs }: WrittenBatch,
    {
      last,
      others,
      committedAt,
    }: {
      readonly last: SpanContext | undefined
      readonly others: readonly SpanContext[]
      readonly committedAt: number
    },
  ): void {
    const written = Object.values(rows).reduce((sum: number, count: number) => sum + count, 0)
    this.#options.tracing.record('commit', {
      kind: 'client',
      parent: last,
      links: others,
      startTime: committedAt - commitMs,
      endTime: committedAt,
      attributes: {
        'db.system.name': 'postgresql',
        'messaging.batch.message_count': batch.records.length,
        'tickertape.rows': written,
        'tickertape.mode': mode,
      },
    })
  }
}

function placeOf({ topic, partition, offset }: LogRecord): string {
  return `${topic} ${partition} ${offset}`
}
