import type { FeedConnection, Subscribed } from './feed.ts'
import { mapDeribitMessage } from './mapper-deribit.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/** Most channels in one `public/subscribe`. */
const channelsAtOnce = 500

/** Deribit's least heartbeat interval, in seconds. */
const heartbeatSeconds = 10

/** How often a session without a key gets trades; `raw` is for authorized ones only. */
export type DeribitInterval = '100ms' | 'agg2' | 'raw'

/**
 * Deribit's JSON-RPC over WebSocket. The venue answers in the order in which it is asked and behind
 * all notifications that it sent before, so the answer to `public/get_time` is a barrier.
 */
export async function connectDeribit(
  options: ConnectOptions,
  interval: DeribitInterval,
): Promise<FeedConnection> {
  const { handlers } = options
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  // From here on the venue asks whether we live, and closes a connection that does not answer.
  call('public/set_heartbeat', { interval: heartbeatSeconds }).catch(() => undefined)
  return {
    closed: socket.closed,
    subscribe,
    venueTime: async () => {
      const time = await call('public/get_time')
      return typeof time === 'number' ? time : undefined
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapDeribitMessage(text, options.mapping())
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades)
        break
      case 'answer':
        from.answer(message.id, message.result)
        break
      case 'test_request':
        // With an id: without one the reply would be a frame that nobody knows.
        from.request({ jsonrpc: '2.0', method: 'public/test', params: {} }).catch(() => undefined)
        break
      case 'error': {
        const said = `Deribit answered ${message.error.code} ${message.error.message}`
        if (!from.fail(message.id, said)) handlers.venueError(said)
        break
      }
      case 'malformed':
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  function call(method: string, params: object = {}): Promise<unknown> {
    return socket.request({ jsonrpc: '2.0', method, params })
  }

  /** A channel that is refused is absent from the answer. */
  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    const channels = new Map(instruments.map((each) => [`trades.${each}.${interval}`, each]))
    const wanted = [...channels.keys()]
    const accepted = new Set<unknown>()
    for (let at = 0; at < wanted.length; at += channelsAtOnce) {
      const result = await call('public/subscribe', {
        channels: wanted.slice(at, at + channelsAtOnce),
      })
      for (const channel of Array.isArray(result) ? result : []) accepted.add(channel)
    }
    return {
      refused: [...channels].filter(([name]) => !accepted.has(name)).map(([, each]) => each),
    }
  }
}
