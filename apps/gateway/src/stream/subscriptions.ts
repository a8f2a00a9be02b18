import { matchesPattern } from '@tickertape/market-api'
import type { StreamErrorCode, Subscribe } from '@tickertape/market-api'

import type { MarketView } from '../market-view.ts'
import { positionOf } from '../position-text.ts'
import type { Receiver } from './fan-out.ts'
import type { MarketIndex } from './market-index.ts'
import { errorText, plainText, snapshotTexts } from './messages.ts'
import type { Following, NameIndex } from './name-index.ts'
import type { StreamOptions } from './settings.ts'
import { encodingSteps, missedTexts, mostItems, snapshotOf } from './snapshot.ts'

/** Patterns in all subscriptions of a connection: each is held against every name. */
const mostPatterns = 50

/** Candles that are encoded in one turn of the event loop, or little more: some milliseconds. */
const itemsInTurn = 500

/** What an answer costs besides its items, in items: names are resolved, and followed. */
const itemsOfAnswer = 25

/** What a resume came to. */
export type ResumeResult = 'resumed' | 'position_too_old' | 'position_unknown'

export interface SubscriptionsOptions<R extends Receiver> {
  readonly view: MarketView
  readonly index: MarketIndex<R>
  readonly receiver: R
  readonly limits: Pick<StreamOptions['limits'], 'subscriptions' | 'instruments' | 'snapshotItems'>
  readonly onResume: (result: ResumeResult) => void
  /** There is work: `step` is to be called, in a turn of its own. */
  readonly callTurn: () => void
}

interface OpenSubscription<R> {
  readonly names: ReadonlySet<string>
  readonly patterns: number
  readonly followings: readonly Following<R>[]
}

/** A request that cannot be met, in the terms of the protocol. */
interface Refused {
  readonly code: StreamErrorCode
  readonly message: string
}

type ResetReason = Exclude<ResumeResult, 'resumed'>

/** A request that has not been answered. */
interface Waiting {
  readonly request: Subscribe
  /** Why there is no going on from its position, once that is known. */
  reset: ResetReason | null
  /** What its snapshot is made of is being encoded. */
  encoding: Iterator<number> | undefined
}

/**
 * What one connection has subscribed to. Requests wait for their turns, in order, and for the room that
 * snapshots before them take. Each is answered in one turn of the event loop, so that a snapshot and the
 * updates behind it have neither a hole nor a double; what makes that long is done in the turns before it.
 */
export class Subscriptions<R extends Receiver> {
  readonly #options: SubscriptionsOptions<R>
  readonly #open = new Map<string, OpenSubscription<R>>()
  #waiting: Waiting[] = []
  #names = 0
  /** Of requests that wait as well. */
  #patterns = 0
  /** Candles and trades of snapshots that have not been taken from the outbox. */
  #waitingItems = 0

  constructor(options: SubscriptionsOptions<R>) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  /** Some requests have not been answered: no position says anything of what they miss. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  subscribe(request: Subscribe): void {
    const refused = this.#refusal(request)
    if (refused !== undefined) {
      this.#refuse(request, refused)
      return
    }
    this.#patterns += patternsOf(request).length
    this.#waiting.push({ request, reset: null, encoding: undefined })
    this.#options.callTurn()
  }

  /** Answers what waits, as much as one turn may take. @returns whether there is more that can be done now. */
  step(): boolean {
    for (let items = 0; items < itemsInTurn;) {
      const waiting = this.#waiting[0]
      if (waiting === undefined) return false
      const encoded = waiting.encoding?.next()
      if (encoded?.done === false) {
        items += encoded.value
        continue
      }
      const outcome = this.#begin(waiting)
      if (outcome === 'noRoom') return false
      if (outcome === 'encoding') continue
      this.#waiting.shift()
      if (outcome !== 'begun') {
        this.#patterns -= patternsOf(waiting.request).length
        this.#refuse(waiting.request, outcome)
      }
      // Whoever goes on from a position has had all that came since looked through.
      items += waiting.request.resume === undefined ? itemsOfAnswer : itemsInTurn
    }
    return this.isWaiting
  }

  #refuse({ id }: Subscribe, { code, message }: Refused): void {
    this.#options.receiver.outbox.append(errorText(code, id, message))
  }

  unsubscribe(id: string): void {
    const { outbox } = this.#options.receiver
    if (this.#end(id) || this.#forgetWaiting(id)) {
      outbox.append(plainText({ type: 'unsubscribed', id }))
    } else {
      const message = `There is no subscription "${id}" on this connection`
      outbox.append(errorText('unknown_subscription', id, message))
    }
  }

  endAll(): void {
    for (const id of this.#open.keys()) this.#end(id)
    this.#waiting = []
  }

  #forgetWaiting(id: string): boolean {
    const waiting = this.#waiting.find(({ request }) => request.id === id)
    if (waiting === undefined) return false
    this.#waiting = this.#waiting.filter((one) => one !== waiting)
    this.#patterns -= patternsOf(waiting.request).length
    // Whatever is behind it may have the room that it waited for.
    if (this.isWaiting) this.#options.callTurn()
    return true
  }

  #end(id: string): boolean {
    const subscription = this.#open.get(id)
    if (subscription === undefined) return false
    this.#open.delete(id)
    this.#names -= subscription.names.size
    this.#patterns -= subscription.patterns
    for (const following of subscription.followings) {
      for (const left of following.end()) this.#options.receiver.outbox.forget(left)
    }
    return true
  }

  #refusal(request: Subscribe): Refused | undefined {
    const { subscriptions } = this.#options.limits
    const isWaiting = this.#waiting.some(({ request: { id } }) => id === request.id)
    if (isWaiting || this.#open.has(request.id)) {
      const message = `"${request.id}" is a subscription of this connection already: unsubscribe it first, or choose another id`
      return { code: 'subscription_exists', message }
    }
    if (this.#open.size + this.#waiting.length >= subscriptions) {
      const message = `This connection has ${subscriptions} subscriptions, the most it may have: put more instruments into one, or end some`
      return { code: 'too_many_subscriptions', message }
    }
    const patterns = patternsOf(request).length
    if (this.#patterns + patterns > mostPatterns) {
      const message = `A connection may have ${mostPatterns} patterns in all of its subscriptions, and this would make it ${this.#patterns + patterns}`
      return { code: 'too_many_instruments', message }
    }
    return undefined
  }

  #begin(waiting: Waiting): 'begun' | 'encoding' | 'noRoom' | Refused {
    const { limits, view } = this.#options
    const { request } = waiting
    const known = knownNames(view, request)
    const names = namesOf(request, known)
    if (this.#names + names.size > limits.instruments) {
      const message = `A connection may follow ${limits.instruments} instruments in all of its subscriptions, and this would make it ${this.#names + names.size}`
      return { code: 'too_many_instruments', message }
    }
    const most = mostItems(request, names.size)
    if (most > limits.snapshotItems) {
      const message = `The snapshot could have ${most} items, and a connection may wait for ${limits.snapshotItems}: ask for fewer candles or trades of each instrument, or for fewer instruments`
      return { code: 'too_many_instruments', message }
    }
    const unknown = namesAsked(request).filter((name) => !name.includes('*') && !known.has(name))
    const missed = waiting.reset ?? this.#missedBy(request, names)
    if (missed === 'noRoom') return missed
    if (typeof missed === 'object' && missed !== null) {
      this.#answer(request, { resumed: true, reset: null, unknown })
      this.#appendMade(missed.length, missed.values())
    } else {
      waiting.reset = missed
      if (!this.#hasRoom(most)) return 'noRoom'
      if (waiting.encoding === undefined) {
        waiting.encoding = encodingSteps(view, request, names)
        return 'encoding'
      }
      const resources = snapshotOf(view, request, names)
      this.#answer(request, { resumed: false, reset: missed, unknown })
      this.#appendMade(resources.length, snapshotTexts(request.id, request.channel, resources))
    }
    this.#follow(request, names)
    return 'begun'
  }

  /** Whoever waits for nothing has room for all that is allowed at once. */
  #hasRoom(items: number): boolean {
    return this.#waitingItems + items <= this.#options.limits.snapshotItems
  }

  #answer(
    { id, channel }: Subscribe,
    facts: {
      readonly resumed: boolean
      readonly reset: ResetReason | null
      readonly unknown: string[]
    },
  ): void {
    this.#options.receiver.outbox.append(plainText({ type: 'subscribed', id, channel, ...facts }))
  }

  /**
   * Messages of what came since the position that the request goes on from.
   *
   * @returns null if it asks for none; or why there is no going on from it.
   */
  #missedBy(
    request: Subscribe,
    names: ReadonlySet<string>,
  ): readonly string[] | ResetReason | 'noRoom' | null {
    const { resume, channel } = request
    // Statistics have no place in the stream: the present ones are all there is to know.
    if (resume === undefined || channel === 'stats') return null
    const { view, limits, onResume } = this.#options
    const position = positionOf(resume)
    const since = position === undefined ? 'unknown' : view.since(position)
    const texts = typeof since === 'string' ? since : missedTexts(view, request, names, since)
    if (typeof texts === 'string' || texts.length > limits.snapshotItems) {
      const reset = typeof texts === 'string' ? (`position_${texts}` as const) : 'position_too_old'
      onResume(reset)
      return reset
    }
    if (!this.#hasRoom(texts.length)) return 'noRoom'
    onResume('resumed')
    return texts
  }

  #appendMade(items: number, texts: Iterator<string>): void {
    this.#waitingItems += items
    const taken = (): void => {
      this.#waitingItems -= items
      if (this.isWaiting) this.#options.callTurn()
    }
    this.#options.receiver.outbox.appendMade(noting(texts, taken))
  }

  #follow(request: Subscribe, begin: ReadonlySet<string>): void {
    const { receiver, limits } = this.#options
    const names = new Set(begin)
    const patterns = patternsOf(request)
    let toldOfLimit = false
    const admits = (name: string): boolean => {
      if (names.has(name)) return true
      if (!patterns.some((pattern) => matchesPattern(name, pattern))) return false
      if (this.#names < limits.instruments) {
        names.add(name)
        this.#names += 1
        return true
      }
      if (!toldOfLimit) {
        toldOfLimit = true
        const message = `Subscription "${request.id}" goes on without ${name}, which came to fit it: the connection follows ${limits.instruments} instruments, the most it may. Later ones are not told of`
        receiver.outbox.append(errorText('instrument_not_followed', request.id, message))
      }
      return false
    }
    const live = request.channel !== 'candles' || request.live
    const followings = this.#indexesOf(request).map((index) =>
      index.follow({ follower: receiver, live, names: begin, admits }, patterns.length > 0),
    )
    this.#names += names.size
    this.#open.set(request.id, { names, patterns: patterns.length, followings })
  }

  #indexesOf(request: Subscribe): readonly NameIndex<R>[] {
    const { index } = this.#options
    switch (request.channel) {
      case 'candles':
        return [...new Set(request.intervals)].map((interval) => index.candles(interval))
      case 'trades':
        return [index.trades]
      default:
        return [index.stats(request.of, request.span)]
    }
  }
}

function namesAsked(request: Subscribe): readonly string[] {
  return request.channel === 'stats' ? request.names : request.instruments
}

function patternsOf(request: Subscribe): readonly string[] {
  return [...new Set(namesAsked(request))].filter((name) => name.includes('*'))
}

function knownNames(view: MarketView, request: Subscribe): ReadonlySet<string> {
  return request.channel === 'stats'
    ? new Set(view.stats(request.of, request.span).keys())
    : new Set(view.instrumentIds())
}

/** Those named, known or not, and of the known ones those that fit a pattern. */
function namesOf(request: Subscribe, known: ReadonlySet<string>): ReadonlySet<string> {
  const names = new Set(namesAsked(request).filter((name) => !name.includes('*')))
  const patterns = patternsOf(request)
  if (patterns.length === 0) return names
  for (const name of known) {
    if (patterns.some((pattern) => matchesPattern(name, pattern))) names.add(name)
  }
  return names
}

function* noting(texts: Iterator<string>, taken: () => void): Generator<string> {
  for (let next = texts.next(); next.done !== true; next = texts.next()) yield next.value
  taken()
}
