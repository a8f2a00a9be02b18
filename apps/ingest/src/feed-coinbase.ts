import { CoinbaseSubscriptions } from './coinbase-subscriptions.ts'
import type { FeedConnection } from './feed.ts'
import { CoinbaseHistory } from './history-coinbase.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { mapCoinbaseMessage } from './mapper-coinbase.ts'
import { RestError } from './rest-client.ts'
import type { Hole } from './sequence-tracker.ts'
import { ToldSequences } from './told-sequences.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueHeartbeats } from './venue-heartbeats.ts'
import { VenueSocket } from './venue-socket.ts'

/**
 * A product whose heartbeats tell the time before anything else is subscribed: the venue closes a
 * connection on which nothing is for 5 s.
 */
const clockProduct = 'BTC-USD'

/** Heartbeats come each second. */
const defaultHeartbeatPatienceMs = 10_000

export interface CoinbaseFeedOptions {
  readonly patienceMs?: number
  readonly heartbeatPatienceMs?: number
}

/**
 * Coinbase Exchange's WebSocket, channels `matches` and `heartbeat`. Each product has a heartbeat of its
 * own, behind its matches, with the venue's time and the id of the product's last trade.
 */
export async function connectCoinbase(
  options: ConnectOptions,
  { heartbeatPatienceMs = defaultHeartbeatPatienceMs, patienceMs }: CoinbaseFeedOptions = {},
): Promise<FeedConnection> {
  const { handlers, mapping, rest, signal } = options
  const history = new CoinbaseHistory({ venue: 'coinbase', rest, mapping })
  const fetching = new Set<string>()
  let ended = false
  const heartbeats = new VenueHeartbeats({
    patienceMs: heartbeatPatienceMs,
    onSilent: (instruments) =>
      handlers.venueError(`Coinbase sends no heartbeat of ${instruments.join(', ')}`),
  })
  const told = new ToldSequences((instrument, time) => heartbeats.heard(instrument, time))
  const subscriptions = new CoinbaseSubscriptions({
    signal,
    patienceMs,
    ask: (instruments) => send('subscribe', instruments, ['matches', 'heartbeat']),
  })
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  void socket.closed.then(() => (ended = true))
  heartbeats.watch(socket.closed)
  heartbeats.expect([clockProduct])
  send('subscribe', [clockProduct], ['heartbeat'])
  return {
    closed: socket.closed,
    subscribe: async (instruments) => {
      const answer = await subscriptions.subscribe(instruments)
      heartbeats.expect(instruments.filter((each) => !answer.refused.includes(each)))
      return answer
    },
    unsubscribe: (instruments) => {
      send('unsubscribe', instruments, ['matches'])
      const silenced = instruments.filter((each) => each !== clockProduct)
      if (silenced.length > 0) send('unsubscribe', silenced, ['heartbeat'])
      heartbeats.forget(silenced)
      told.forget(instruments)
    },
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

  function send(
    type: 'subscribe' | 'unsubscribe',
    instruments: readonly string[],
    channels: readonly string[],
  ): void {
    socket.send({ type, product_ids: instruments, channels })
  }

  function receive(text: string): void {
    const message = mapCoinbaseMessage(text, mapping())
    switch (message.type) {
      case 'trades':
        handOver(message.trades, text)
        break
      case 'heartbeat': {
        const missing = told.told(message)
        if (missing !== undefined) void fetchMissing(message.instrument, missing)
        break
      }
      case 'subscribed':
        subscriptions.accepted(message.instruments)
        break
      case 'error':
        if (message.instrument !== undefined) subscriptions.refused(message.instrument)
        handlers.venueError(`Coinbase answered ${message.message}`)
        break
      case 'malformed':
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  function handOver(trades: readonly MappedTrade[], frame: string): void {
    handlers.trades(trades, frame)
    for (const mapped of trades) {
      const instrument = mapped.kind === 'trade' ? mapped.trade.instrument : mapped.instrument
      if (instrument === undefined || typeof mapped.sequence !== 'number') continue
      told.seen(instrument, mapped.sequence)
    }
  }

  /** Until they are here, heartbeats of the instrument do not count. */
  async function fetchMissing(instrument: string, { from, to }: Hole): Promise<void> {
    if (fetching.has(instrument)) return
    fetching.add(instrument)
    try {
      const { trades } = await history.page(instrument, from, to, signal)
      // The history tells of the one instrument that it is asked for.
      if (!ended) handOver(trades, '')
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof RestError)) throw error
      handlers.venueError(`Coinbase did not send ${instrument} ${from} to ${to}: ${error.message}`)
    } finally {
      fetching.delete(instrument)
    }
  }
}
