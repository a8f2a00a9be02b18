import { z } from 'zod'
import type { Connection } from '../connection.ts'
import type { Feed } from '../feed.ts'
import { lastTrades } from '../last-trades.ts'
import { findInstrument } from '../market/market.ts'
import { TradeSubscriptions } from '../trade-subscriptions.ts'
import type { VenueSession } from '../venue-session.ts'
import type { VenueContext } from '../venue.ts'
import { timing, tradePush } from './kraken-text.ts'

const request = z.object({
  method: z.string(),
  req_id: z.int().optional(),
  params: z
    .object({
      channel: z.string(),
      symbol: z.array(z.string()),
      snapshot: z.boolean().default(false),
    })
    .optional(),
})

const snapshotTrades = 50

/** One client's conversation over Kraken's WebSocket, version 2. */
export class KrakenSession implements VenueSession {
  readonly #connection: Connection
  readonly #context: VenueContext
  /** By the name of their pair. */
  readonly #trades: TradeSubscriptions
  readonly #heartbeat: NodeJS.Timeout

  constructor(connection: Connection, context: VenueContext, feed: Feed) {
    this.#connection = connection
    this.#context = context
    this.#trades = new TradeSubscriptions({ connection, context, feed })
    this.#heartbeat = setInterval(() => {
      if (this.#trades.names.length > 0) connection.send('{"channel":"heartbeat"}')
    }, context.protocolSecondMs)
    const status = { api_version: 'v2', connection_id: connection.id, system: 'online' }
    this.#say({ channel: 'status', type: 'update', data: [{ ...status, version: '2.0.0' }] })
  }

  receive(text: string): void {
    const read = request.safeParse(parsed(text))
    if (!read.success) {
      this.#refuse({ error: 'Malformed request' })
      return
    }
    const { method, params, req_id: id } = read.data
    const asked = id === undefined ? {} : { req_id: id }
    if (method === 'ping') {
      // Everything due by then goes first.
      this.#say({ method: 'pong', ...asked, ...timing(this.#context.flush()) })
    } else if (method !== 'subscribe' && method !== 'unsubscribe') {
      this.#refuse({ ...asked, error: 'Unsupported method' })
    } else if (params?.channel !== 'trade') {
      this.#refuse({ method, ...asked, error: 'Unsupported channel' })
    } else {
      for (const symbol of params.symbol) {
        this.#carryOut({ method, asked, symbol, snapshot: params.snapshot })
      }
    }
  }

  end(): void {
    clearInterval(this.#heartbeat)
    this.#trades.leave(this.#trades.names)
  }

  /** Each pair is answered by itself. */
  #carryOut({ asked, method, snapshot, symbol }: Change): void {
    const { market, refuses } = this.#context
    if (findInstrument(market, symbol) === undefined || refuses(symbol)) {
      this.#refuse({ method, ...asked, symbol, error: `Currency pair not supported ${symbol}` })
      return
    }
    const subscribes = method === 'subscribe'
    if (subscribes) this.#trades.join([symbol])
    else this.#trades.leave([symbol])
    const result = { channel: 'trade', ...(subscribes && { snapshot }), symbol }
    const times = timing(this.#context.now())
    this.#say({ method, ...asked, result, success: true, ...times })
    if (!subscribes || !snapshot) return
    const trades = lastTrades(this.#context, symbol, snapshotTrades)
    this.#connection.send(tradePush('snapshot', trades))
  }

  #refuse(facts: object): void {
    this.#say({ ...facts, success: false, ...timing(this.#context.now()) })
  }

  #say(message: object): void {
    this.#connection.send(JSON.stringify(message))
  }
}

interface Change {
  readonly method: 'subscribe' | 'unsubscribe'
  readonly asked: { readonly req_id?: number }
  readonly symbol: string
  readonly snapshot: boolean
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
