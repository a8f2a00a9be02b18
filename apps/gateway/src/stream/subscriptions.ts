import { matchesPattern } from '@tickertape/market-api'
import type { StreamErrorCode, Subscribe } from '@tickertape/market-api'

import type { MarketView } from '../market-view.ts'
import { positionOf } from '../position-text.ts'
import type { Receiver } from './fan-out.ts'
import type { MarketIndex } from './market-index.ts'
import { errorText, plainText, snapshotTexts } from './messages.ts'
import type { Following, NameIndex } from './name-index.ts'
import type { StreamOptions } from './settings.ts'
import { missedTexts, mostItems, snapshotOf } from './snapshot.ts'

/** Patterns in all subscriptions of a connection: each is held against every name. */
const mostPatterns = 50

/** What a resume came to. */
export type ResumeResult = 'resumed' | 'position_too_old' | 'position_unknown'

export interface SubscriptionsOptions<R extends Receiver> {
  readonly view: MarketView
  readonly index: MarketIndex<R>
  readonly receiver: R
  readonly limits: Pick<StreamOptions['limits'], 'subscriptions' | 'instruments' | 'snapshotItems'>
  readonly onResume: (result: ResumeResult) => void
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

/** What a subscription begins with. */
interface Missed {
  /** Messages since its position; undefined: a snapshot instead. */
  readonly texts: readonly string[] | undefined
  /** Why there is no going on from its position. */
  readonly reset: Exclude<ResumeResult, 'resumed'> | null
}

/**
 * What one connection has subscribed to. Answers go into its outbox: everything here happens in one turn of
 * the event loop, so that a snapshot and the updates behind it have neither a hole nor a double.
 */
export class Subscriptions<R extends Receiver> {
  readonly #options: SubscriptionsOptions<R>
  readonly #open = new Map<string, OpenSubscription<R>>()
  #names = 0
  #patterns = 0
  /** Candles and trades of snapshots that have not been taken from the outbox. */
  #waitingItems = 0

  constructor(options: SubscriptionsOptions<R>) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  subscribe(request: Subscribe): void {
    const { outbox } = this.#options.receiver
    const refused = this.#refusal(request) ?? this.#begin(request)
    if (refused !== undefined) outbox.append(errorText(refused.code, request.id, refused.message))
  }

  unsubscribe(id: string): void {
    const { outbox } = this.#options.receiver
    if (this.#end(id)) {
      outbox.append(plainText({ type: 'unsubscribed', id }))
    } else {
      const message = `There is no subscription "${id}" on this connection`
      outbox.append(errorText('unknown_subscription', id, message))
    }
  }

  endAll(): void {
    for (const id of this.#open.keys()) this.#end(id)
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
    if (this.#open.has(request.id)) {
      const message = `"${request.id}" is a subscription of this connection already: unsubscribe it first, or choose another id`
      return { code: 'subscription_exists', message }
    }
    if (this.#open.size >= subscriptions) {
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

  #begin(request: Subscribe): Refused | undefined {
    const { limits, view } = this.#options
    const known = knownNames(view, request)
    const names = namesOf(request, known)
    if (this.#names + names.size > limits.instruments) {
      const message = `A connection may follow ${limits.instruments} instruments in all of its subscriptions, and this would make it ${this.#names + names.size}`
      return { code: 'too_many_instruments', message }
    }
    const most = mostItems(request, names.size)
    if (this.#waitingItems + most > limits.snapshotItems) {
      const message = `The snapshot could have ${most} items, and a connection may wait for ${limits.snapshotItems}: ask for fewer candles or trades of each instrument, or for fewer instruments`
      return { code: 'too_many_instruments', message }
    }
    const unknown = namesAsked(request).filter((name) => !name.includes('*') && !known.has(name))
    this.#answer(request, names, unknown)
    this.#follow(request, names)
    return undefined
  }

  #answer(request: Subscribe, names: ReadonlySet<string>, unknown: readonly string[]): void {
    const { receiver, view } = this.#options
    const { id, channel } = request
    const { texts, reset } = this.#missedBy(request, names)
    const resumed = texts !== undefined
    receiver.outbox.append(
      plainText({ type: 'subscribed', id, channel, resumed, reset, unknown: [...unknown] }),
    )
    if (resumed) {
      this.#appendMade(texts.length, texts.values())
    } else {
      const resources = snapshotOf(view, request, names)
      this.#appendMade(resources.length, snapshotTexts(id, channel, resources))
    }
  }

  /** What came since the position that the request goes on from; without texts it begins with a snapshot. */
  #missedBy(request: Subscribe, names: ReadonlySet<string>): Missed {
    const { resume, channel } = request
    // Statistics have no place in the stream: the present ones are all there is to know.
    if (resume === undefined || channel === 'stats') return { texts: undefined, reset: null }
    const { view, limits, onResume } = this.#options
    const position = positionOf(resume)
    const topics = [channel === 'candles' ? 'candles' : 'market-events'] as const
    const since = position === undefined ? 'unknown' : view.since(position, topics)
    if (typeof since === 'string') {
      const reset = `position_${since}` as const
      onResume(reset)
      return { texts: undefined, reset }
    }
    const texts = missedTexts(view, request, names, since)
    if (this.#waitingItems + texts.length > limits.snapshotItems) {
      onResume('position_too_old')
      return { texts: undefined, reset: 'position_too_old' }
    }
    onResume('resumed')
    return { texts, reset: null }
  }

  #appendMade(items: number, texts: Iterator<string>): void {
    this.#waitingItems += items
    const taken = (): void => {
      this.#waitingItems -= items
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
    this.#patterns += patterns.length
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
