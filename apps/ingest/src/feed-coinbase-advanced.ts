import { CoinbaseSubscriptions } from './coinbase-subscriptions.ts'
import type { FeedConnection } from './feed.ts'
import { mapCoinbaseAdvancedMessage } from './mapper-coinbase-advanced.ts'
import { MessageNumbers } from './message-numbers.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueHeartbeats } from './venue-heartbeats.ts'
import { VenueSocket } from './venue-socket.ts'

/** Of the connection as a whole. */
const heartbeatSource = 'heartbeats'

/** Heartbeats come each second. */
const defaultHeartbeatPatienceMs = 10_000

export interface CoinbaseAdvancedFeedOptions {
  readonly patienceMs?: number
  readonly heartbeatPatienceMs?: number
}

/**
 * The Advanced Trade WebSocket, channel `market_trades`. The channel `heartbeats` tells the venue's time
 * behind everything before it, and keeps open the connection, which the venue closes when channels are
 * silent for a minute. It also begins at once, as the venue wants something subscribed within 5 s.
 */
export async function connectCoinbaseAdvanced(
  options: ConnectOptions,
  {
    heartbeatPatienceMs = defaultHeartbeatPatienceMs,
    patienceMs,
  }: CoinbaseAdvancedFeedOptions = {},
): Promise<FeedConnection> {
  const { handlers, mapping, signal } = options
  const numbers = new MessageNumbers()
  const subscriptions = new CoinbaseSubscriptions({
    signal,
    patienceMs,
    ask: (instruments) => send('subscribe', instruments),
  })
  const heartbeats = new VenueHeartbeats({
    patienceMs: heartbeatPatienceMs,
    onSilent: () => undefined,
  })
  heartbeats.expect([heartbeatSource])
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  heartbeats.watch(socket.closed)
  // One channel a message.
  socket.send({ type: 'subscribe', channel: 'heartbeats' })
  return {
    closed: socket.closed,
    subscribe: (instruments) => subscriptions.subscribe(instruments),
    unsubscribe: (instruments) => send('unsubscribe', instruments),
    venueTime: () => heartbeats.next(),
    pause: () => {
      heartbeats.pause()
      socket.pause()
    },
    resume: () => {
      heartbeats.resume()
      socket.resume()
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function send(type: 'subscribe' | 'unsubscribe', instruments: readonly string[]): void {
    socket.send({ type, product_ids: instruments, channel: 'market_trades' })
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapCoinbaseAdvancedMessage(text, mapping())
    if (message.number !== undefined) numbers.came(message.number)
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades, text)
        break
      case 'heartbeat':
        onHeartbeat(message.time, from)
        break
      case 'subscribed':
        subscriptions.accepted(message.instruments)
        break
      case 'error':
        handlers.venueError(`Coinbase answered ${message.message}`)
        break
      case 'malformed':
        // What it held is asked for over REST.
        numbers.restart()
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  /** A message that is missing by now may have held the last trade of an instrument: nothing shows that. */
  function onHeartbeat(time: number, from: VenueSocket): void {
    if (numbers.complete) {
      heartbeats.heard(heartbeatSource, time)
      return
    }
    handlers.venueError('Coinbase left out messages of this connection; another one catches up')
    from[Symbol.dispose]()
  }
}
