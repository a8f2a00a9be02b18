import { AwaitedSubscriptions } from './awaited-subscriptions.ts'
import type { FeedConnection, Subscribed } from './feed.ts'
import { mapKrakenMessage } from './mapper-kraken.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/** Instruments in one request. */
const instrumentsAtOnce = 100

/** How long the venue may take to acknowledge a subscription. */
const defaultPatienceMs = 5_000

/**
 * Kraken's WebSocket, version 2, channel `trade`. The answer to a ping tells the venue's time, behind
 * everything that it had sent before.
 */
export async function connectKraken(
  options: ConnectOptions,
  { patienceMs = defaultPatienceMs } = {},
): Promise<FeedConnection> {
  const { handlers, mapping, signal } = options
  const subscribing = new Set<AwaitedSubscriptions>()
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  return {
    closed: socket.closed,
    subscribe,
    unsubscribe: (instruments) => {
      socket.send({ method: 'unsubscribe', params: { channel: 'trade', symbol: instruments } })
    },
    venueTime: async () => {
      const time = await socket.requestNumbered((id) => ({ method: 'ping', req_id: id }))
      return typeof time === 'number' ? time : undefined
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapKrakenMessage(text, mapping())
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades, text)
        break
      case 'pong':
        from.answer(message.id, message.time)
        break
      case 'subscribed':
        for (const each of subscribing) each.accept(message.instrument)
        break
      case 'refused':
        for (const each of subscribing) each.refuse(message.instrument)
        handlers.venueError(`Kraken refused ${message.instrument}: ${message.message}`)
        break
      case 'error': {
        const said = `Kraken answered ${message.message}`
        if (!from.fail(message.id, said)) handlers.venueError(said)
        break
      }
      case 'status':
        if (message.system !== 'online') handlers.venueError(`Kraken is in ${message.system}`)
        break
      case 'malformed':
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  /** Each instrument is acknowledged or refused by itself. */
  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    const awaited = new AwaitedSubscriptions(instruments)
    subscribing.add(awaited)
    try {
      for (let at = 0; at < instruments.length; at += instrumentsAtOnce) {
        const symbol = instruments.slice(at, at + instrumentsAtOnce)
        // Whether a snapshot is the default depends on who tells it.
        const params = { channel: 'trade', symbol, snapshot: true }
        socket.send({ method: 'subscribe', params })
      }
      await awaited.settled(patienceMs, signal)
      return { refused: [...awaited.refused, ...awaited.open] }
    } finally {
      subscribing.delete(awaited)
    }
  }
}
