import { setTimeout as delay } from 'node:timers/promises'

import type { FeedConnection, Subscribed } from './feed.ts'
import { readVenueTime } from './history-binance.ts'
import { mapBinanceMessage } from './mapper-binance.ts'
import { RequestBudget } from './request-budget.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/** A connection may send 5 messages in any second, of which a pong may be one, or it is closed. */
const messageBudget = { capacity: 2, refillPerSecond: 2.5 }

/**
 * Binance spot's combined stream. Its WebSocket tells no time: it is asked for over REST, and an
 * answer over the WebSocket that follows is the barrier behind the frames sent before it.
 */
export async function connectBinance(options: ConnectOptions): Promise<FeedConnection> {
  const { handlers, rest, signal } = options
  const url = combinedStream(options.url)
  const socket = await VenueSocket.connect({ ...options, url, onMessage: receive })
  const budget = new RequestBudget(messageBudget, performance.now())
  return {
    closed: socket.closed,
    subscribe,
    venueTime: async () => {
      // Waiting between the time and its barrier would make the time old.
      await pace()
      // Without the time the barrier still shows that the connection lives.
      const time = await readVenueTime(rest, signal).catch(() => undefined)
      await socket.request({ method: 'LIST_SUBSCRIPTIONS' })
      return time
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapBinanceMessage(text, options.mapping())
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades)
        break
      case 'answer':
        from.answer(message.id, message.result)
        break
      case 'error': {
        const said = `Binance answered ${message.message}`
        if (!from.fail(message.id, said)) handlers.venueError(said)
        break
      }
      case 'shutdown':
        handlers.venueError('Binance announces that it will close this connection')
        break
      case 'malformed':
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  async function pace(): Promise<void> {
    const waitMs = budget.take(1, performance.now())
    if (waitMs > 0) await delay(waitMs, undefined, { signal })
  }

  /** Binance takes any well-formed name: that a symbol does not exist shows in its history alone. */
  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    await pace()
    await socket.request({
      method: 'SUBSCRIBE',
      params: instruments.map((each) => `${each.toLowerCase()}@trade`),
    })
    return { refused: [] }
  }
}

/** The address of combined streams, whose frames name their stream, on a host that has other ones too. */
function combinedStream(address: string): string {
  const url = new URL(address)
  if (url.pathname === '/') url.pathname = '/stream'
  return url.toString()
}
