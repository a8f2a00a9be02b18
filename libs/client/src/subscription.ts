import type { ServerMessage, StreamErrorCode, Subscribe } from '@tickertape/market-api'

import { EventQueue } from './event-queue.ts'
import { selectsNames } from './name-selection.ts'
import { ReplayFilter } from './replay-filter.ts'
import type { StatsOf } from './rest.ts'
import { SubscriptionError } from './stream-events.ts'
import type { Notice, ResetReason, StreamEvent } from './stream-events.ts'

/** What a subscription asks for: a Subscribe message but for what the connection adds. */
export type Request = Subscribe extends infer Kind
  ? Kind extends Subscribe
    ? Omit<Kind, 'type' | 'id' | 'resume'>
    : never
  : never

/** Called with each event of a subscription, in their order. */
export interface Handlers<Event extends StreamEvent> {
  event(event: Event): void
  /** The gateway refused the subscription, which has ended; without this it is reported as uncaught. */
  error?(error: SubscriptionError): void
  /** The gateway says something of the subscription, which goes on. */
  notice?(notice: Notice): void
}

/**
 * A subscription, iterable where it was made without handlers: its events wait, in a bounded queue, until
 * they are read. Leaving the loop closes it.
 */
export interface Subscription<Event extends StreamEvent>
  extends AsyncIterable<Event | Notice>, Disposable {
  close(): void
}

type SnapshotPart = Extract<ServerMessage, { type: 'snapshot' }>
type Subscribed = Extract<ServerMessage, { type: 'subscribed' }>

/** One subscription through all connections that it lives on. */
export class StreamSubscription {
  readonly request: Request
  /** Chosen anew for each snapshot that is asked for, so that a late answer is not taken for another one. */
  id = ''
  /** The stream of events has begun, so it can be resumed. */
  isReady = false
  readonly #handlers: Handlers<StreamEvent> | undefined
  readonly #queue = new EventQueue<StreamEvent | Notice>()
  readonly #selects: (name: string) => boolean
  readonly #filter = new ReplayFilter()
  readonly #resubscribe: () => void
  #snapshot: SnapshotPart[] = []
  /** How much of the answer to the latest subscribe message has come. */
  #answer: 'none' | 'begun' | 'whole' = 'none'

  constructor(
    request: Request,
    handlers: Handlers<StreamEvent> | undefined,
    resubscribe: () => void,
  ) {
    this.request = request
    this.#handlers = handlers
    this.#resubscribe = resubscribe
    this.#selects = selectsNames(request.channel === 'stats' ? request.names : request.instruments)
  }

  /** A new subscribe message is on its way, which is answered by a snapshot or resumed. */
  begin(id: string): void {
    this.id = id
    this.#snapshot = []
    this.#answer = 'none'
  }

  /**
   * Whether a cursor counts for it: what it missed, or its snapshot, stands before whatever cursor comes now. The
   * gateway sends a cursor behind the whole of an answer that it has begun.
   */
  get isAnswered(): boolean {
    return this.#answer === 'whole'
  }

  /** Whether the gateway has it open. */
  get isAccepted(): boolean {
    return this.#answer !== 'none'
  }

  /** The gateway has taken it: a snapshot is next, or what was missed since the position resumed from. */
  accept({ resumed, reset }: Subscribed): void {
    this.#answer = resumed ? 'whole' : 'begun'
    if (reset !== null) this.reset(reset)
  }

  /** The stream cannot be gone on from: a snapshot is next. */
  reset(reason: ResetReason): void {
    this.isReady = false
    this.#filter.forget()
    this.#tell({ type: 'reset', reason })
  }

  snapshotPart(part: SnapshotPart): void {
    this.#snapshot.push(part)
    if (!part.last) return
    const parts = this.#snapshot
    this.#snapshot = []
    this.#answer = 'whole'
    this.isReady = true
    if (this.request.channel === 'candles') {
      const candles = parts.flatMap((each) => each.candles ?? [])
      for (const candle of candles) this.#filter.takesCandle(candle)
      this.#tell({ type: 'snapshot', candles })
    } else if (this.request.channel === 'trades') {
      const trades = parts.flatMap((each) => each.trades ?? [])
      for (const trade of trades) this.#filter.takesTrade(trade)
      this.#tell({ type: 'snapshot', trades })
    } else {
      this.#tell({ type: 'snapshot', stats: parts.flatMap((each) => each.stats ?? []) })
    }
  }

  /** Takes an update if it belongs here, the stream has begun and it says something new. */
  offer(message: Extract<ServerMessage, { type: 'candle' | 'trade' | 'stats' }>): void {
    if (!this.isReady) return
    const { request } = this
    if (message.type === 'candle' && request.channel === 'candles') {
      const { candle } = message
      if (!request.intervals.includes(candle.interval)) return
      if (!candle.final && !request.live) return
      if (!this.#selects(candle.instrumentId) || !this.#filter.takesCandle(candle)) return
      const isRevision = candle.final && (candle.revision > 0 || candle.rebuildId !== null)
      this.#tell(isRevision ? { type: 'revision', candle } : { type: 'update', candle })
    } else if (message.type === 'trade' && request.channel === 'trades') {
      const { trade } = message
      if (!this.#selects(trade.instrumentId) || !this.#filter.takesTrade(trade)) return
      this.#tell(trade.version > 0 ? { type: 'revision', trade } : { type: 'update', trade })
    } else if (message.type === 'stats' && request.channel === 'stats') {
      const { of, stats } = message
      if (of !== request.of || stats.span !== request.span || !this.#selects(nameOf(stats))) return
      this.#tell({ type: 'update', stats })
    }
  }

  /** Everything that was offered lies before a cursor. */
  passCursor(): void {
    this.#filter.forget()
  }

  notice(code: StreamErrorCode, message: string): void {
    this.#tell({ type: 'notice', code, message })
  }

  refuse(code: StreamErrorCode, message: string): void {
    const error = new SubscriptionError(message, code)
    if (this.#handlers === undefined) this.#queue.end(error)
    else if (this.#handlers.error === undefined) reportUncaught(error)
    else this.#handlers.error(error)
  }

  end(): void {
    this.#queue.end()
  }

  read(): AsyncGenerator<StreamEvent | Notice, void, undefined> {
    return this.#queue.read()
  }

  #tell(event: StreamEvent | Notice): void {
    if (this.#handlers === undefined) {
      if (this.#queue.push(event)) return
      this.reset('fell_behind')
      this.#resubscribe()
      return
    }
    try {
      if (event.type === 'notice') this.#handlers.notice?.(event)
      else this.#handlers.event(event)
    } catch (error) {
      // One handler's fault must not cost the other subscriptions their events.
      reportUncaught(error)
    }
  }
}

function nameOf(stats: StatsOf[keyof StatsOf]): string {
  if ('instrumentId' in stats) return stats.instrumentId
  return 'token' in stats ? stats.token : `${stats.base}/${stats.quote}`
}

function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
