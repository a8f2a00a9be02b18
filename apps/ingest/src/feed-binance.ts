import type { FeedConnection, Subscribed } from './feed.ts'
import { readVenueTime } from './history-binance.ts'
import { mapBinanceMessage } from './mapper-binance.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/**
 * Binance spot's combined stream. Its WebSocket tells no time: it is asked for over REST, and an
 * answer over the WebSocket that follows is the barrier behind the frames sent before it. A connection
 * may send 5 messages a second.
 */
export async function connectBinance(options: ConnectOptions): Promise<FeedConnection> {
  const { handlers, rest, signal } = options
  const url = combinedStream(options.url)
  const socket = await VenueSocket.connect({ ...options, url, onMessage: receive })
  return {
    closed: socket.closed,
    subscribe,
    venueTime: async () => {
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

  /** Binance takes any well-formed name; the list of subscriptions says what it made of them. */
  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    const streams = new Map(instruments.map((each) => [`${each.toLowerCase()}@trade`, each]))
    await socket.request({ method: 'SUBSCRIBE', params: [...streams.keys()] })
    const listed = await socket.request({ method: 'LIST_SUBSCRIPTIONS' })
    const accepted = new Set<unknown>(Array.isArray(listed) ? listed : [])
    return {
      refused: [...streams].filter(([name]) => !accepted.has(name)).map(([, each]) => each),
    }
  }
}

/** The address of combined streams, whose frames name their stream, on a host that has other ones too. */
function combinedStream(address: string): string {
  const url = new URL(address)
  if (url.pathname === '/') url.pathname = '/stream'
  return url.toString()
}
