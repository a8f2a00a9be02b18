import { randomBytes } from 'node:crypto'

import type { Delivered, OutgoingRecord } from '@tickertape/kafka-avro'
import type { Trade } from '@tickertape/market-model'
import { endDelivered, messagingAttributes, withTraceparent } from '@tickertape/tracing'
import type { SpanContext, Tracing } from '@tickertape/tracing'

export interface TradeTracesOptions {
  readonly tracing: Tracing
  /** One trade in so many begins a trace; 0 for none. */
  readonly oneIn: number
  readonly onBegun: (trade: Trade, context: SpanContext) => void
}

export interface TracedRecord {
  readonly record: OutgoingRecord
  readonly onDelivered: (delivered: Delivered) => void
}

/**
 * Traces begin here: with one trade in so many, from its frame to Kafka's acknowledgement. Whoever reads its
 * record goes on by the header `traceparent`, which is written where ingest itself sends no spans as well.
 */
export class TradeTraces {
  readonly #options: TradeTracesOptions
  #left: number

  constructor(options: TradeTracesOptions) {
    this.#options = options
    this.#left = options.oneIn
  }

  /** @returns the record to be written in place of this one, for a trade that begins a trace. */
  begin(trade: Trade, record: OutgoingRecord): TracedRecord | undefined {
    if (this.#left === 0) return undefined
    this.#left -= 1
    if (this.#left > 0) return undefined
    this.#left = this.#options.oneIn
    const { tracing, onBegun } = this.#options
    const { context, onDelivered } = tracing.enabled
      ? this.#beginSpans(trade, record)
      : { context: newContext(), onDelivered: () => undefined }
    onBegun(trade, context)
    return { record: { ...record, headers: withTraceparent(record.headers, context) }, onDelivered }
  }

  #beginSpans(
    trade: Trade,
    { topic, partition, key }: OutgoingRecord,
  ): { readonly context: SpanContext; readonly onDelivered: (delivered: Delivered) => void } {
    const { tracing } = this.#options
    const now = Date.now()
    const received = tracing.record(`receive ${trade.venue}`, {
      kind: 'consumer',
      startTime: trade.receivedAt,
      endTime: now,
      attributes: {
        'peer.service': trade.venue,
        'tickertape.instrument': trade.instrument,
        'tickertape.trade_id': trade.tradeId,
        'tickertape.event_time': new Date(trade.eventTime).toISOString(),
      },
    })
    const sending = tracing.start('send market-events', {
      kind: 'producer',
      startTime: now,
      parent: received,
      attributes: messagingAttributes({ operation: 'send', topic, partition, key }),
    })
    return {
      context: sending.context,
      onDelivered: (delivered) => endDelivered(sending, delivered),
    }
  }
}

function newContext(): SpanContext {
  // 24 random bytes: that a part of them is all zeros, which is no id, does not happen.
  const bytes = randomBytes(24)
  return { traceId: bytes.toString('hex', 0, 16), spanId: bytes.toString('hex', 16) }
}
