import type { SpanContext, Tracing, Span } from '@tickertape/tracing'
import { streamPath } from './handshake.ts'
import type { MarketUpdate } from '../market-view.ts'
import type { Deliveries } from './deliveries.ts'
import type { OrderedTold } from './fan-out.ts'

/** Updates that may be on their way to sockets and followed, at once: what comes on top of them is only sent. */
const mostFollowed = 1_000

/** Who is sent to, as far as it is followed. */
export interface FollowedReceiver {
  readonly deliveries: Deliveries
}

/** An update of a sampled trace on its way to the sockets of those who subscribed. */
export interface Sending {
  /** A socket has taken it. */
  written(): void
  /** The client has gone before. */
  lost(): void
}

/**
 * The last part of a trace: from the moment that an update is put into the clients' outboxes until the last of
 * their sockets has taken it. Nobody waits for it, and a client that takes nothing ends it by being closed.
 */
export class SendTraces {
  readonly #tracing: Tracing
  #followed = 0

  constructor(tracing: Tracing) {
    this.#tracing = tracing
  }

  /** Updates that are on their way and followed. */
  get followed(): number {
    return this.#followed
  }

  /** Follows the updates that are in sampled traces. @returns undefined where there are none. */
  follow(
    sampled: ReadonlyMap<MarketUpdate, SpanContext> | undefined,
  ): OrderedTold<FollowedReceiver> | undefined {
    if (sampled === undefined) return undefined
    return (update, receivers, { length, conflated }) => {
      const parent = sampled.get(update)
      if (parent === undefined || this.#followed >= mostFollowed) return
      const clients = [...receivers]
      const sending = this.#begin(parent, { clients: clients.length, length, conflated })
      for (const client of clients) client.deliveries.add(sending)
    }
  }

  #begin(
    parent: SpanContext,
    of: { readonly clients: number; readonly length: number; readonly conflated: number },
  ): Sending {
    const span = this.#tracing.start('send stream', {
      kind: 'producer',
      parent,
      attributes: {
        'messaging.system': 'websocket',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': streamPath,
        'tickertape.clients': of.clients,
        'tickertape.conflated': of.conflated,
      },
    })
    this.#followed += 1
    let [left, written] = [of.clients, 0]
    const one = (wasWritten: boolean): void => {
      left -= 1
      if (wasWritten) written += 1
      if (left > 0) return
      this.#followed -= 1
      end(span, { ...of, written })
    }
    return { written: () => one(true), lost: () => one(false) }
  }
}

function end(
  span: Span,
  of: { readonly clients: number; readonly length: number; readonly written: number },
): void {
  const lost = of.clients - of.written
  span.set({ 'tickertape.bytes': of.length * of.written, 'tickertape.lost': lost })
  if (of.written > 0) span.end()
  else span.fail('every client had gone before it was written')
}
