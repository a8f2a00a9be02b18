import { setTimeout as delay } from 'node:timers/promises'

import type { BinanceMarket, BinanceStream } from './binance-market.ts'
import type { BinanceContracts } from './catalog-binance.ts'
import { ConnectionLost } from './feed.ts'
import type { FeedConnection, Subscribed } from './feed.ts'
import { readVenueTime } from './history-binance.ts'
import { mapBinanceMessage } from './mapper-binance.ts'
import type { BinanceRows } from './mapper-binance.ts'
import { RequestBudget } from './request-budget.ts'
import { RestError } from './rest-client.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/** Most streams of one connection; and of one request, whose length the venue limits too. */
const maxStreams = 1024
const streamsAtOnce = 200

export interface BinanceFeedOptions {
  readonly market: BinanceMarket
  readonly stream: BinanceStream
  readonly contracts: BinanceContracts
  readonly rows: BinanceRows
}

/**
 * Binance's combined stream. Its WebSocket tells no time: it is asked for over REST, and an answer over
 * the WebSocket that follows is the barrier behind the frames sent before it.
 */
export async function connectBinance(
  options: ConnectOptions,
  { contracts, market, rows, stream }: BinanceFeedOptions,
): Promise<FeedConnection> {
  const { handlers, rest, signal } = options
  const url = combinedStream(options.url)
  const socket = await VenueSocket.connect({ ...options, url, onMessage: receive })
  const budget = new RequestBudget(market.messageBudget, performance.now())
  return {
    closed: socket.closed,
    subscribe,
    unsubscribe: (instruments) => {
      leave(instruments).catch((error: unknown) => {
        if (!signal.aborted) handlers.venueError(`Binance goes on with streams: ${String(error)}`)
      })
    },
    venueTime: async () => {
      // Waiting between the time and its barrier would make the time old.
      await pace()
      // Without the time the barrier still shows that the connection lives.
      const time = await readVenueTime(market, rest, signal).catch(() => undefined)
      await socket.request({ method: 'LIST_SUBSCRIPTIONS' })
      return time
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapBinanceMessage(text, options.mapping(), rows)
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades, text)
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
        handlers.closing?.('Binance announces that it will close this connection')
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
    const taken = instruments.slice(0, maxStreams)
    if (market.quantities === 'contracts') await learnContracts(taken)
    for (let at = 0; at < taken.length; at += streamsAtOnce) {
      await pace()
      await socket.request({
        method: 'SUBSCRIBE',
        params: taken.slice(at, at + streamsAtOnce).map(streamOf),
      })
    }
    return { refused: instruments.slice(maxStreams) }
  }

  async function leave(instruments: readonly string[]): Promise<void> {
    for (let at = 0; at < instruments.length; at += streamsAtOnce) {
      await pace()
      const params = instruments.slice(at, at + streamsAtOnce).map(streamOf)
      await socket.request({ method: 'UNSUBSCRIBE', params })
    }
  }

  function streamOf(instrument: string): string {
    return `${instrument.toLowerCase()}@${stream}`
  }

  async function learnContracts(instruments: readonly string[]): Promise<void> {
    try {
      await contracts.learn(instruments, rest, signal)
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      throw new ConnectionLost(`The contract sizes are not known: ${error.message}`)
    }
  }
}

/** The address of combined streams, whose frames name their stream, on a host that has other ones too. */
function combinedStream(address: string): string {
  const url = new URL(address)
  if (url.pathname === '/') url.pathname = '/stream'
  return url.toString()
}
