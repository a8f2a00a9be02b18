import { normalizeDecimal } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'

import { replicas, tradeDelivery } from './reference-market-delivery.ts'
import type { Connections, Delivery, RejectIntent, Replica } from './reference-market-delivery.ts'
import type { Hole } from './reference-market-gaps.ts'
import { isWithin } from './reference-market-instruments.ts'
import type { MarketInstrument, Timeline } from './reference-market-instruments.ts'
import { seededRandom } from './reference-market-random.ts'
import type { Random } from './reference-market-random.ts'
import { forgottenAfterMs } from './reference-market-settings.ts'

/** Of a thousand trades of an instrument that trades on a screen. */
const perThousand = {
  late: 3,
  hopeless: 1,
  hopelessVersion: 1,
  correction: 4,
  cancel: 3,
  conflict: 2,
  contradiction: 1,
  invalid: 0.5,
  future: 0.5,
  skewed: 1,
} as const

/** A version comes within this time: its trade's window is not forgotten by then. */
const versionWithinMs = 30_000
const lateWithinMs = 45_000

/**
 * One instrument's trades as two replicas write them: twice, behind each other, late, corrected, taken
 * back and contradicted.
 */
export class TradeDeliveries {
  readonly deliveries: Delivery[] = []
  readonly #instrument: MarketInstrument
  readonly #connections: Connections
  readonly #timeline: Timeline
  readonly #hole: Hole | undefined
  readonly #random: Random
  #filled = 0

  constructor(
    instrument: MarketInstrument,
    market: {
      readonly connections: Connections
      readonly timeline: Timeline
      readonly holes: readonly Hole[]
      readonly seed: number
    },
  ) {
    const { instrumentId } = instrument
    this.#instrument = instrument
    this.#connections = market.connections
    this.#timeline = market.timeline
    this.#hole = market.holes.find((hole) => hole.instrumentId === instrumentId)
    this.#random = seededRandom(market.seed, `faults of ${instrumentId}`)
  }

  add(trade: Trade): void {
    const hole = this.#hole
    if (hole !== undefined && isWithin(trade.eventTime, hole.span)) {
      this.#fill(hole, trade)
    } else if (this.#instrument.negotiated) {
      this.#negotiate(trade)
    } else {
      this.#trade(trade)
    }
  }

  #trade(trade: Trade): void {
    const random = this.#random
    let roll = random.real() * 1_000
    const is = (kind: keyof typeof perThousand): boolean => {
      const before = roll
      roll -= perThousand[kind]
      return before >= 0 && roll < 0
    }
    const { eventTime } = trade
    if (is('late')) this.#sendBoth(trade, eventTime + random.between(2_500, lateWithinMs))
    else if (is('hopeless')) this.#hopeless(trade)
    else if (is('hopelessVersion')) {
      this.#live(trade)
      const isCancel = random.chance(0.5)
      this.#hopeless(isCancel ? cancelled(trade, 1) : { ...repriced(trade), version: 1 })
    } else if (is('correction')) this.#correct(trade)
    else if (is('cancel')) {
      this.#live(trade)
      this.#sendBoth(cancelled(trade, 1), this.#soonAfter(trade))
    } else if (is('conflict')) this.#conflict(trade)
    else if (is('contradiction')) this.#contradict(trade)
    else if (is('invalid')) {
      this.#live(trade)
      this.#sendBoth(this.#invalid(trade), eventTime + 50, 'invalid')
    } else if (is('future')) {
      this.#live(trade)
      this.#future(trade)
    } else if (is('skewed')) this.#skewed(trade)
    else this.#live(trade)
  }

  /** Pending first, confirmed or cancelled later, changed now and then, in whatever order that comes. */
  #negotiate(trade: Trade): void {
    const random = this.#random
    if (random.chance(0.3)) {
      this.#correct(trade)
      return
    }
    this.#live({ ...trade, status: 'pending' })
    if (random.chance(0.1)) return
    const settled = random.chance(0.25) ? cancelled(trade, 1) : { ...trade, version: 1 }
    this.#sendBoth(settled, this.#soonAfter(trade))
    if (random.chance(0.1)) this.#sendBoth(cancelled(trade, 2), this.#soonAfter(trade))
  }

  #correct(trade: Trade): void {
    const random = this.#random
    this.#live(trade)
    const moved = random.chance(0.3)
      ? Math.max(this.#timeline.begin, trade.eventTime + random.between(-10_000, 2_000))
      : trade.eventTime
    const first = { ...repriced(trade), version: 1, eventTime: moved }
    this.#sendBoth(first, this.#soonAfter(trade))
    if (!random.chance(0.3)) return
    const second = random.chance(0.3) ? cancelled(first, 2) : { ...repriced(first), version: 2 }
    this.#sendBoth(second, this.#soonAfter(trade))
  }

  /** The same identity says something else; the first one wins. */
  #conflict(trade: Trade): void {
    const first = this.#live(trade)
    if (first === undefined || first >= trade.eventTime + 950) return
    const { sequenced } = this.#instrument
    // On a sequence of a closed window the facts are not at hand, and nothing is said.
    const at = sequenced || this.#random.chance(0.5) ? first + 1 : first + 5_000
    this.#send(contradicting(trade, this.#random), at, 'b', 'conflict')
  }

  #contradict(trade: Trade): void {
    this.#live(trade)
    if (!this.#instrument.sequenced) return
    const after = this.#random.between(6_000, versionWithinMs)
    this.#send(contradicting(trade, this.#random), trade.eventTime + after, 'b')
  }

  #hopeless(trade: Trade): void {
    const after = forgottenAfterMs + 15_000 + this.#random.between(0, 100_000)
    const canBe = trade.eventTime + after < this.#timeline.end - 10_000
    if (!this.#instrument.steady || !canBe) {
      if (trade.version === 0) this.#live(trade)
      return
    }
    this.#sendBoth(trade, trade.eventTime + after, 'late')
  }

  #future(trade: Trade): void {
    const at = trade.eventTime + 100
    const eventTime = at + this.#random.between(5_001, 60_000)
    const facts = { ...trade, tradeId: `${trade.tradeId}-ahead`, sequence: null, eventTime }
    this.#send(facts, at, 'a', 'future')
  }

  /** A venue's clock may be ahead by no more than the tolerance. */
  #skewed(trade: Trade): void {
    const { feedId, eventTime } = trade
    for (const replica of replicas) {
      const at = eventTime + this.#connections.lag(feedId, replica, eventTime)
      if (this.#connections.isDown(feedId, replica, at)) continue
      const { instrumentId } = this.#instrument
      const received = { ...trade, receivedAt: eventTime - 5_000 }
      this.deliveries.push(tradeDelivery(received, at, instrumentId, null))
    }
  }

  #invalid(trade: Trade): Trade {
    const facts = { ...trade, tradeId: `${trade.tradeId}-invalid` }
    const quantities = [
      { mantissa: 0, exponent: 0 },
      { mantissa: -1, exponent: -1 },
      { mantissa: 1, exponent: 401 },
      { mantissa: 1, exponent: -401 },
    ]
    const form = this.#random.between(0, 6)
    const quantity = quantities[form]
    if (quantity !== undefined) return { ...facts, quantity }
    if (form === 4 || this.#instrument.kind === 'combo') return { ...facts, eventTime: -1 }
    return { ...facts, price: { mantissa: this.#random.between(-1, 1), exponent: 0 } }
  }

  #fill(hole: Hole, trade: Trade): void {
    if (hole.filledAt === null || trade.eventTime >= hole.filledUntil) return
    this.#filled += 1
    // As REST answers: in pages, many trades at once, and the other replica asks too.
    const at = hole.filledAt + Math.floor(this.#filled / 20)
    const intent = hole.tooLate ? 'late' : null
    this.#send(trade, at, 'a', intent)
    if (this.#random.chance(0.5)) this.#send(trade, at + 700, 'b', intent)
  }

  /** @returns when the first replica delivers it. */
  #live(trade: Trade): number | undefined {
    const random = this.#random
    const { feedId, eventTime } = trade
    const up = replicas.filter((replica) => !this.#connections.isDown(feedId, replica, eventTime))
    // One replica misses it; never both.
    const missing = up.length === 2 && random.chance(0.01) ? up[random.between(0, 2)] : undefined
    let first: number | undefined
    for (const replica of up) {
      if (replica === missing) continue
      const jitter = random.chance(0.9) ? random.between(0, 60) : random.between(0, 700)
      const at = eventTime + this.#connections.lag(feedId, replica, eventTime) + jitter
      if (!this.#send(trade, at, replica)) continue
      first = Math.min(first ?? at, at)
    }
    // It was on its way when the feed died.
    if (first === undefined && this.#hole !== undefined) this.#fill(this.#hole, trade)
    return first
  }

  /** Before the trade's window is forgotten. */
  #soonAfter({ eventTime }: Trade): number {
    return eventTime + this.#random.between(100, versionWithinMs)
  }

  /** Both replicas hear of it at this time, and deliver it each with its own lag. */
  #sendBoth(trade: Trade, at: number, intent: RejectIntent | null = null): void {
    const { feedId } = trade
    for (const replica of replicas) {
      const lag = this.#connections.lag(feedId, replica, at)
      this.#send(trade, at + lag + this.#random.between(0, 40), replica, intent)
    }
  }

  #send(trade: Trade, at: number, replica: Replica, intent: RejectIntent | null = null): boolean {
    if (this.#connections.isDown(trade.feedId, replica, at)) return false
    // What a replica knows besides makes no other trade of it.
    const knowsMore = replica === 'b' && this.#random.chance(0.05)
    const own = { ...trade, receivedAt: at, tickDirection: knowsMore ? 1 : null }
    this.deliveries.push(tradeDelivery(own, at, this.#instrument.instrumentId, intent))
    return true
  }
}

function cancelled(trade: Trade, version: number): Trade {
  return { ...trade, version, status: 'cancelled' }
}

function repriced(trade: Trade): Trade {
  const { mantissa, exponent } = trade.quantity
  const quantity = normalizeDecimal({ mantissa: BigInt(mantissa) * 3n, exponent })
  const { price } = trade
  return {
    ...trade,
    price: normalizeDecimal({
      mantissa: BigInt(price.mantissa) * 1_001n,
      exponent: price.exponent - 3,
    }),
    quantity,
  }
}

function contradicting(trade: Trade, random: Random): Trade {
  if (random.chance(0.5)) return repriced(trade)
  return { ...trade, takerSide: trade.takerSide === 'buy' ? 'sell' : 'buy' }
}
