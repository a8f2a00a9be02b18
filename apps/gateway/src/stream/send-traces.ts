import type { SpanContext, Tracing } from '@tickertape/tracing'

import type { MarketUpdate } from '../market-view.ts'
import type { Follow } from './fan-out.ts'
import { streamPath } from './handshake.ts'
import type { Sending } from './sending.ts'

/** Updates that may be on their way to sockets and followed, at once: what comes on top of them is only sent. */
const mostFollowed = 1_000

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
  of(sampled: ReadonlyMap<MarketUpdate, SpanContext> | undefined): Follow | undefined {
    if (sampled === undefined) return undefined
    return (update, clients, length) => {
      const parent = sampled.get(update)
      if (parent === undefined || clients === 0 || this.#followed >= mostFollowed) return undefined
      return this.#begin(parent, clients, length)
    }
  }

  #begin(parent: SpanContext, clients: number, length: number): Sending {
    const span = this.#tracing.start('send stream', {
      kind: 'producer',
      parent,
      attributes: {
        'messaging.system': 'websocket',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': streamPath,
        'tickertape.clients': clients,
      },
    })
    this.#followed += 1
    const count = { written: 0, conflated: 0, lost: 0 }
    const one = (fate: keyof typeof count): void => {
      count[fate] += 1
      if (count.written + count.conflated + count.lost < clients) return
      this.#followed -= 1
      span.set({
        'tickertape.bytes': length * count.written,
        'tickertape.conflated': count.conflated,
        'tickertape.lost': count.lost,
      })
      if (count.lost < clients) span.end()
      else span.fail('every client had gone before it was written')
    }
    return {
      written: () => one('written'),
      conflated: () => one('conflated'),
      lost: () => one('lost'),
    }
  }
}
