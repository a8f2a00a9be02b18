import type { LogRecord } from '@tickertape/kafka-avro'
import { contextOf, messagingAttributes } from '@tickertape/tracing'
import type { SpanContext, Tracing } from '@tickertape/tracing'

import type { MarketUpdate } from '../market-view.ts'
import type { RecordOutcome } from './market-memory.ts'

/** The part of a trace that is the view's: a sampled record from Kafka's append until it is applied. */
export class RecordTraces {
  readonly #tracing: Tracing
  readonly #topicPrefix: string

  /** @param topicPrefix stands before a topic in Kafka, and not in the name of a span. */
  constructor(tracing: Tracing, topicPrefix: string) {
    this.#tracing = tracing
    this.#topicPrefix = topicPrefix
  }

  /** The sampled trace that a record is part of. */
  contextOf(record: LogRecord): SpanContext | undefined {
    return this.#tracing.enabled ? contextOf(record.headers) : undefined
  }

  /**
   * @param parent of the record.
   * @param readAt when the record was there to be applied, in ms since the epoch.
   * @returns what goes on with the update that the record brought; undefined where it brought none.
   */
  applied(
    record: LogRecord,
    parent: SpanContext,
    outcome: RecordOutcome | 'skipped',
    readAt: number,
  ): { readonly update: MarketUpdate; readonly context: SpanContext } | undefined {
    // The view that was before this one has applied it, or the rows have it.
    if (outcome === 'recalled') return undefined
    const { topic, partition, offset, key, timestamp = readAt } = record
    const span = this.#tracing.start(`process ${topic.slice(this.#topicPrefix.length)}`, {
      kind: 'consumer',
      parent,
      startTime: timestamp,
      attributes: {
        ...messagingAttributes({ operation: 'process', topic, partition, offset, key }),
        'tickertape.outcome': typeof outcome === 'string' ? outcome : 'applied',
      },
    })
    span.event('read', readAt)
    if (outcome === 'skipped') {
      span.fail('skipped: the log says why')
      return undefined
    }
    span.end()
    return typeof outcome === 'string' ? undefined : { update: outcome, context: span.context }
  }
}
