import { setTimeout as delay } from 'node:timers/promises'

import { deribitChannels, isCommonChannel } from './deribit-channels.ts'
import type { DeribitInterval } from './deribit-channels.ts'
import { DeribitSession } from './deribit-session.ts'
import type { DeribitAccount } from './deribit-session.ts'
import type { FeedConnection, Subscribed } from './feed.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { mapDeribitMessage } from './mapper-deribit.ts'
import { RequestBudget } from './request-budget.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/** Most channels in one `public/subscribe`. */
const channelsAtOnce = 500

/**
 * Credits of a `public/subscribe`, and half of what the venue gives: https://docs.deribit.com, "Rate
 * Limits". Beyond it the venue answers 10028 and ends the session.
 */
const subscribeCredits = 3_000
const subscribeBudget = { capacity: 15_000, refillPerSecond: 5_000 }

/** The error code of too many requests. */
const tooManyRequests = 10028

/** Deribit's least heartbeat interval, in seconds. */
const heartbeatSeconds = 10

export interface DeribitFeedOptions {
  readonly interval: DeribitInterval
  /** undefined: a session without a key. */
  readonly account: DeribitAccount | undefined
}

/**
 * Deribit's JSON-RPC over WebSocket. The venue answers in the order in which it is asked and behind
 * all notifications that it sent before, so the answer to `public/get_time` is a barrier. It is also the
 * message without which the venue's other hosts (streams.drb.coinbase.com) close a connection.
 */
export async function connectDeribit(
  options: ConnectOptions,
  { account, interval }: DeribitFeedOptions,
): Promise<FeedConnection> {
  const { handlers, signal } = options
  const wanted = new Set<string>()
  const budget = new RequestBudget(subscribeBudget, performance.now())
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  // From here on the venue asks whether we live, and closes a connection that does not answer.
  call('public/set_heartbeat', { interval: heartbeatSeconds }).catch(() => undefined)
  if (account !== undefined && options.isPlayed !== true) await authorize(account)
  return {
    closed: socket.closed,
    subscribe,
    unsubscribe,
    venueTime: async () => {
      const time = await call('public/get_time')
      return typeof time === 'number' ? time : undefined
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  async function authorize(known: DeribitAccount): Promise<void> {
    const session = new DeribitSession({
      account: known,
      call,
      onLost: (reason) => {
        handlers.venueError(reason)
        socket[Symbol.dispose]()
      },
    })
    void socket.closed.finally(() => session[Symbol.dispose]())
    try {
      await session.authorize()
    } catch (error) {
      socket[Symbol.dispose]()
      throw error
    }
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapDeribitMessage(text, options.mapping())
    switch (message.type) {
      case 'trades':
        handlers.trades(
          isCommonChannel(message.channel) ? message.trades.filter(isWanted) : message.trades,
          text,
        )
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
        const awaited = from.fail(message.id, said)
        // The session ends with it, and whoever asked must not ask again at once.
        if (!awaited || message.error.code === tooManyRequests) handlers.venueError(said)
        break
      }
      case 'malformed':
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  /** A common channel brings the trades of instruments that nobody asked for. */
  function isWanted(mapped: MappedTrade): boolean {
    const instrument = mapped.kind === 'trade' ? mapped.trade.instrument : mapped.instrument
    return instrument === undefined || wanted.has(instrument)
  }

  function call(method: string, params: object = {}): Promise<unknown> {
    return socket.request({ jsonrpc: '2.0', method, params })
  }

  /** What comes over a common channel goes on to come, and is not wanted. */
  function unsubscribe(instruments: readonly string[]): void {
    for (const each of instruments) wanted.delete(each)
    const channels = instruments.map((each) => `trades.${each}.${interval}`)
    for (let at = 0; at < channels.length; at += channelsAtOnce) {
      call('public/unsubscribe', { channels: channels.slice(at, at + channelsAtOnce) }).catch(
        () => undefined,
      )
    }
  }

  /** A channel that is refused is absent from the answer. */
  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    for (const each of instruments) wanted.add(each)
    const channels = deribitChannels(instruments, interval)
    const names = [...channels.keys()]
    const accepted = new Set<unknown>()
    for (let at = 0; at < names.length; at += channelsAtOnce) {
      const waitMs = budget.take(subscribeCredits, performance.now())
      if (waitMs > 0) await delay(waitMs, undefined, { signal })
      const result = await call('public/subscribe', {
        channels: names.slice(at, at + channelsAtOnce),
      })
      for (const channel of Array.isArray(result) ? result : []) accepted.add(channel)
    }
    return {
      refused: [...channels].flatMap(([name, members]) => (accepted.has(name) ? [] : members)),
    }
  }
}
