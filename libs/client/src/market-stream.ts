import type { ServerMessage, StatsSpan, StreamErrorCode, Subscribe } from '@tickertape/market-api'
import { closeCodes } from '@tickertape/market-api/close-codes'

import { backoffMs } from './backoff.ts'
import { Connection } from './connection.ts'
import type { ConnectionEnd } from './connection.ts'
import type { StatsOf } from './rest.ts'
import type {
  CandleEvent,
  Notice,
  StatsEvent,
  StreamEvent,
  StreamState,
  TradeEvent,
} from './stream-events.ts'
import { StreamSubscription } from './subscription.ts'
import type { Handlers, Request, Subscription } from './subscription.ts'

/** How long a connection without subscriptions stays, for the next one often follows. */
const lingerMs = 5_000

/** Least wait after these closes, in ms: coming back at once would be refused again. */
const leastWaitMs = new Map<number, number>([
  [closeCodes.invalidMessages, 15_000],
  [closeCodes.tooManyConnections, 10_000],
  [closeCodes.tooManyMessages, 5_000],
  [closeCodes.slowConsumer, 1_000],
])

/** What is no refusal where the subscription is open: the limit then keeps out later instruments alone. */
const noticeCodes: ReadonlySet<StreamErrorCode> = new Set([
  'instrument_not_followed',
  'too_many_instruments',
])

export interface CandlesRequest {
  /** instrumentIds, or patterns in which `*` stands for any characters: `binance:*`. */
  readonly instruments: readonly string[]
  readonly intervals: Extract<Subscribe, { channel: 'candles' }>['intervals']
  /** Open windows as well; true unless told otherwise. */
  readonly live?: boolean
  /** Latest candles of each window length to begin with, 300 at most; 1 unless told otherwise. */
  readonly snapshot?: number
}

export interface TradesRequest {
  readonly instruments: readonly string[]
  /** Latest trades of each instrument to begin with, 300 at most; 50 unless told otherwise. */
  readonly snapshot?: number
}

export interface StatsRequest<Subject extends keyof StatsOf> {
  readonly of: Subject
  readonly span: StatsSpan
  /** instrumentIds, tokens (`BTC`) or pairs (`BTC/USD`), or patterns of them. */
  readonly names: readonly string[]
}

/**
 * Subscriptions over one WebSocket. It is opened with the first subscription, comes back by itself when it is lost,
 * goes on from the last cursor, and says `reset` where that was not possible.
 */
export class MarketStream {
  readonly #url: string
  readonly #token: () => string | undefined
  readonly #isRefused: () => Promise<boolean>
  readonly #subscriptions = new Set<StreamSubscription>()
  readonly #listeners = new Set<(state: StreamState) => void>()
  #state: StreamState = { status: 'idle' }
  #connection: Connection | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #cursor: string | undefined
  #tries = 0
  #ids = 0

  /** @param isRefused whether the gateway refuses the token: a browser does not tell why a handshake failed. */
  constructor(url: string, token: () => string | undefined, isRefused: () => Promise<boolean>) {
    this.#url = url
    this.#token = token
    this.#isRefused = isRefused
  }

  get state(): StreamState {
    return this.#state
  }

  /** Calls `listener` with each change of the connection's state until disposed. */
  onState(listener: (state: StreamState) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  candles(request: CandlesRequest, handlers?: Handlers<CandleEvent>): Subscription<CandleEvent> {
    const { instruments, intervals, live = true, snapshot = 1 } = request
    return this.#subscribe(
      { channel: 'candles', instruments: [...instruments], intervals, live, snapshot },
      handlers,
    )
  }

  trades(request: TradesRequest, handlers?: Handlers<TradeEvent>): Subscription<TradeEvent> {
    const { instruments, snapshot = 50 } = request
    return this.#subscribe({ channel: 'trades', instruments: [...instruments], snapshot }, handlers)
  }

  stats<Subject extends keyof StatsOf>(
    { of, span, names }: StatsRequest<Subject>,
    handlers?: Handlers<StatsEvent<Subject>>,
  ): Subscription<StatsEvent<Subject>> {
    return this.#subscribe({ channel: 'stats', of, span, names: [...names] }, handlers)
  }

  /** Does not wait any longer for the next try: for the moment in which a network comes back. */
  retryNow(): void {
    if (this.#state.status !== 'waiting') return
    this.#tries = 0
    this.#connect()
  }

  /** Connects again with the token as it is now, and goes on from where it was. */
  reconnect(): void {
    if (this.#state.status === 'closed' || this.#subscriptions.size === 0) return
    this.#tries = 0
    this.#connect()
  }

  /** Ends every subscription; it can't be opened again. */
  close(): void {
    this.#disconnect()
    for (const subscription of this.#subscriptions) subscription.end()
    this.#subscriptions.clear()
    this.#become({ status: 'closed' })
  }

  #subscribe<Event extends StreamEvent>(
    request: Request,
    handlers: Handlers<Event> | undefined,
  ): Subscription<Event> {
    if (this.#state.status === 'closed') throw new Error('The stream is closed: make a new client')
    const subscription = new StreamSubscription(request, handlers, () => {
      this.#connection?.send({ type: 'unsubscribe', id: subscription.id })
      this.#begin(subscription)
    })
    this.#subscriptions.add(subscription)
    if (this.#state.status === 'live') {
      if (this.#subscriptions.size === 1) clearTimeout(this.#timer)
      this.#begin(subscription)
    } else if (this.#state.status === 'idle') {
      this.#connect()
    }
    const close = (): void => this.#end(subscription)
    return {
      close,
      [Symbol.dispose]: close,
      async *[Symbol.asyncIterator]() {
        try {
          // The gateway answers a request with events of its channel, so of this type.
          yield* subscription.read() as AsyncGenerator<Event | Notice, void, undefined>
        } finally {
          close()
        }
      },
    }
  }

  #end(subscription: StreamSubscription): void {
    if (!this.#subscriptions.delete(subscription)) return
    subscription.end()
    this.#connection?.send({ type: 'unsubscribe', id: subscription.id })
    this.#lingerIfUnused()
  }

  #lingerIfUnused(): void {
    if (this.#subscriptions.size > 0 || this.#state.status === 'closed') return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => this.#leaveIfUnused(),
      this.#state.status === 'live' ? lingerMs : 0,
    )
  }

  #leaveIfUnused(): void {
    if (this.#subscriptions.size === 0) {
      this.#disconnect()
      this.#cursor = undefined
      this.#become({ status: 'idle' })
    } else if (this.#connection === undefined && this.#state.status !== 'unauthenticated') {
      // Opened before this timer fired, which took the place of the one for the next try.
      this.#connect()
    }
  }

  #connect(): void {
    this.#disconnect()
    this.#become({ status: 'connecting' })
    const connection = new Connection(this.#url, this.#token(), {
      message: (message) => this.#receive(message),
      ended: (end) => {
        this.#connection = undefined
        void this.#lost(end)
      },
    })
    this.#connection = connection
  }

  #disconnect(): void {
    clearTimeout(this.#timer)
    this.#connection?.close()
    this.#connection = undefined
  }

  async #lost(end: ConnectionEnd): Promise<void> {
    const refused =
      end.code === closeCodes.unauthenticated || (!end.opened && (await this.#isRefused()))
    // Whoever closed or reconnected meanwhile has decided.
    if (this.#connection !== undefined || this.#state.status === 'closed') return
    if (this.#subscriptions.size === 0) {
      this.#become({ status: 'idle' })
      return
    }
    if (refused) {
      this.#become({ status: 'unauthenticated' })
      return
    }
    const waitMs = Math.max(leastWaitMs.get(end.code) ?? 0, backoffMs(this.#tries, Math.random()))
    this.#tries += 1
    this.#timer = setTimeout(() => this.#connect(), waitMs)
    this.#become({
      status: 'waiting',
      retryAt: Date.now() + waitMs,
      tries: this.#tries,
      reason: end.reason === '' ? `closed with code ${end.code}` : end.reason,
    })
  }

  /** Asks for a snapshot, or to go on from the cursor. */
  #begin(subscription: StreamSubscription): void {
    this.#ids += 1
    subscription.begin(`s${this.#ids}`)
    const { request, id, isReady } = subscription
    const resume = isReady && request.channel !== 'stats' ? this.#cursor : undefined
    if (isReady && resume === undefined && request.channel !== 'stats') {
      subscription.reset('no_position')
    }
    this.#connection?.send({
      ...request,
      type: 'subscribe',
      id,
      ...(resume === undefined ? {} : { resume }),
    })
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#become({ status: 'live', instance: message.instance })
        for (const subscription of this.#subscriptions) this.#begin(subscription)
        return
      case 'candle':
      case 'trade':
      case 'stats':
        for (const subscription of this.#subscriptions) subscription.offer(message)
        return
      case 'cursor':
        this.#passCursor(message.position)
        return
      case 'heartbeat':
        // Only a connection that lives ends the growing of waits: one that is closed at once does not.
        this.#tries = 0
        return
      case 'subscribed':
        this.#named(message.id)?.accept(message)
        return
      case 'snapshot':
        this.#named(message.id)?.snapshotPart(message)
        return
      case 'error':
        this.#takeError(message)
        return
      case 'pong':
      case 'unsubscribed':
        return
      // A message of a later protocol is passed over.
      default:
    }
  }

  /**
   * A cursor that comes before a subscription is answered says nothing of what that one missed: resumed from there
   * the next time, it would have a hole. The last cursor stands until one comes that speaks for all.
   */
  #passCursor(position: string): void {
    for (const subscription of this.#subscriptions) if (!subscription.isAnswered) return
    this.#cursor = position
    for (const subscription of this.#subscriptions) subscription.passCursor()
  }

  /**
   * Of a subscription that it has open the gateway may say that an instrument that came later is not in it; any
   * other error ends it.
   */
  #takeError({ id, code, message }: Extract<ServerMessage, { type: 'error' }>): void {
    const subscription = id === null ? undefined : this.#named(id)
    if (subscription === undefined) return
    if (subscription.isAccepted) {
      if (noticeCodes.has(code)) {
        subscription.notice(code, message)
        return
      }
      this.#connection?.send({ type: 'unsubscribe', id: subscription.id })
    }
    this.#subscriptions.delete(subscription)
    subscription.refuse(code, message)
    this.#lingerIfUnused()
  }

  #named(id: string): StreamSubscription | undefined {
    for (const subscription of this.#subscriptions) {
      if (subscription.id === id) return subscription
    }
    return undefined
  }

  #become(state: StreamState): void {
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }
}
