/** Arbitrary logs for tests: a few instruments of two feeds, with all that can go wrong in one. */
import type { Decimal, MarketEvent, SequenceGap, Trade } from '@tickertape/market-model'
import type { Correction, Step } from './market-logs-steps.ts'
import { instrumentIdOf } from '@tickertape/market-model'
import fc from 'fast-check'
import { epoch, heartbeat, instrumentStatus, tradeEvent } from './market-logs.ts'
import { instruments, steps } from './market-logs-steps.ts'

/** A log of up to `maxLength` records, with disorder, duplicates, lateness, faults, gaps and silence. */
export function marketLogs(maxLength: number): fc.Arbitrary<readonly MarketEvent[]> {
  const list = fc.array(steps, { maxLength, size: 'max' })
  return fc.tuple(list, fc.boolean()).map(([chosen, described]) => recordsOf(chosen, described))
}

/** The same, where each instrument may change to the other feed and back. */
export function movingMarketLogs(maxLength: number): fc.Arbitrary<readonly MarketEvent[]> {
  const moves = fc.array(fc.nat(12), { minLength: 1, maxLength: 30 })
  return fc.tuple(marketLogs(maxLength), moves).map(([log, drawn]) => {
    const others = new Set<string>()
    return log.map((event, at) => {
      if (event.type !== 'Trade' && event.type !== 'InstrumentStatus') return event
      const { value } = event
      const id = event.type === 'Trade' ? instrumentIdOf(event.value) : event.value.instrumentId
      if (drawn[at % drawn.length] === 0 && !others.delete(id)) others.add(id)
      const other = value.feedId === 'deribit' ? 'binance' : 'deribit'
      const feedId = others.has(id) ? other : value.feedId
      return event.type === 'Trade'
        ? { type: event.type, value: { ...event.value, feedId } }
        : { type: event.type, value: { ...event.value, feedId } }
    })
  })
}

/** Behind a log: both feeds have delivered everything, and all windows close. */
export function withAllClosed(events: readonly MarketEvent[]): MarketEvent[] {
  const times = events.flatMap((event) => {
    if (event.type === 'Trade') return [event.value.eventTime, event.value.receivedAt]
    return event.type === 'FeedHeartbeat' ? [event.value.upTo] : []
  })
  const end = Math.max(epoch, ...times) + 1_000_000
  return [...events, heartbeat(end), heartbeat(end, 'binance')]
}

function recordsOf(list: readonly Step[], isDescribed: boolean): MarketEvent[] {
  const story = new Story()
  if (isDescribed) story.describeAll()
  for (const step of list) story.tell(step)
  return story.events
}

type Instrument = (typeof instruments)[number]

/** The records so far, and what the next ones go on from. */
class Story {
  readonly events: MarketEvent[] = []
  #now = epoch
  /** Every record of a trade, also one that was withheld. */
  readonly #trades: Trade[] = []
  readonly #gaps: SequenceGap[] = []
  readonly #sequences = new Map<Instrument, { last: number; readonly holes: number[] }>(
    instruments.map((instrument) => [instrument, { last: 0, holes: [] }]),
  )
  #withoutSequence = 0

  describeAll(): void {
    for (const { names, terms } of instruments) {
      const id = instrumentIdOf(names)
      this.events.push(instrumentStatus('listed', epoch, id, names.feedId, terms))
    }
  }

  tell(step: Step): void {
    switch (step.kind) {
      case 'pass':
        this.#now += step.ms
        return
      case 'heartbeat': {
        const feedId = step.feed === 3 ? 'binance' : 'deribit'
        this.events.push(heartbeat(this.#now - step.lag, feedId, this.#now))
        return
      }
      case 'trade':
        this.#trade(step)
        return
      case 'again': {
        const again = this.#trades[step.which % Math.max(this.#trades.length, 1)]
        if (again !== undefined) this.#record({ ...again, receivedAt: this.#receivedAt(again) })
        return
      }
      case 'correction': {
        const trade = this.#trades[step.which % Math.max(this.#trades.length, 1)]
        if (trade !== undefined) this.#correct(trade, step.version, step.correction)
        return
      }
      case 'gap':
        this.#gap(step)
        return
      case 'status': {
        const { names, terms } = instrumentAt(step.at)
        const id = instrumentIdOf(names)
        const time = this.#now - step.age
        this.events.push(
          instrumentStatus(step.status, time, id, names.feedId, step.isDescribed ? terms : {}),
        )
      }
    }
  }

  #trade({ at, age, odd, facts, correction }: Step & { readonly kind: 'trade' }): void {
    const instrument = instrumentAt(at)
    const isSequenced =
      instrument.sequenced === 'always' || (instrument.sequenced === 'sometimes' && age % 100 === 0)
    const sequence = isSequenced ? this.#nextSequence(instrument, odd) : null
    const eventTime = this.#now - age
    const trade = tradeEvent({
      ...instrument.names,
      ...facts,
      ...(instrument.terms.kind === 'combo' ? comboPrice(facts.price) : {}),
      ...faulty(odd),
      tradeId: sequence === null ? this.#idFor(instrument, odd) : `id-${sequence}`,
      sequence,
      eventTime,
      receivedAt: odd === 'future' ? eventTime - 5_001 : this.#now,
    }).value
    if (odd !== 'withheld') this.#record(trade)
    this.#trades.push(trade)
    if (odd === 'withheld') this.#correct(trade, 1, correction)
  }

  #nextSequence(instrument: Instrument, odd: (Step & { readonly kind: 'trade' })['odd']): number {
    const state = this.#sequences.get(instrument) ?? { last: 0, holes: [] }
    const hole = odd === 'filling' ? state.holes.pop() : undefined
    if (hole !== undefined) return hole
    if (odd === 'ahead') state.holes.push(state.last + 1, state.last + 2)
    state.last += odd === 'ahead' ? 3 : 1
    return state.last
  }

  /** Ids sort in other ways by UTF-16 units, by code points and by number. */
  #idFor({ names }: Instrument, odd: (Step & { readonly kind: 'trade' })['odd']): string {
    const id = instrumentIdOf(names)
    const earlier = this.#trades.filter(
      (trade) => trade.sequence === null && instrumentIdOf(trade) === id,
    )
    const reused = odd === 'reused' ? earlier.at(-1 - (this.#now % 3)) : undefined
    if (reused !== undefined) return reused.tradeId
    this.#withoutSequence += 1
    return `${['a', '\u{1F4C8}', '\uFF21', 'b'][this.#withoutSequence % 4]}${this.#withoutSequence}`
  }

  #correct(trade: Trade, version: number, { shift = 0, ...facts }: Correction): void {
    const corrected = { ...trade, ...facts, version, eventTime: trade.eventTime + shift }
    const record = { ...corrected, receivedAt: this.#receivedAt(corrected) }
    this.#record(record)
    this.#trades.push(record)
  }

  #receivedAt({ eventTime }: Trade): number {
    return Math.max(this.#now, eventTime)
  }

  #record(trade: Trade): void {
    this.events.push({ type: 'Trade', value: trade })
  }

  /** Records of one gap agree on its time; an instrument's may be narrower than that of its feed. */
  #gap(step: Step & { readonly kind: 'gap' }): void {
    const { which, age, span, isNew, state, isOfFeed } = step
    const instrument = instrumentAt(which)
    const { feedId } = instrument.names
    const instrumentId = isOfFeed ? null : instrumentIdOf(instrument.names)
    const ofFeed = this.#gaps.filter((gap) => gap.feedId === feedId)
    const known = isNew ? undefined : ofFeed[which % Math.max(ofFeed.length, 1)]
    const isNarrower =
      step.isNarrower &&
      ofFeed.some((gap) => gap.gapId === known?.gapId && gap.instrumentId === null)
    const sequences =
      step.hasSequences && !isOfFeed ? this.#sequences.get(instrument)?.holes.slice(-2) : undefined
    const fromTime = known?.fromTime ?? this.#now - age
    const toTime = known?.toTime ?? fromTime + span
    const gap: SequenceGap = {
      gapId: known?.gapId ?? `gap-${this.#gaps.length}`,
      feedId,
      replicaId: 'a',
      instrumentId,
      fromTime,
      toTime: isNarrower && !isOfFeed ? Math.max(fromTime + 250, toTime - 250) : toTime,
      fromSequence: sequences?.[0] ?? null,
      toSequence: sequences?.at(-1) ?? null,
      state,
    }
    this.#gaps.push(gap)
    this.events.push({ type: 'SequenceGap', value: gap })
  }
}

function instrumentAt(at: number): Instrument {
  return instruments[at % instruments.length] ?? instruments[0]
}

/** Zero and below among others: -1, 0, 1, ... */
function comboPrice(price: Decimal | undefined): Partial<Trade> {
  const mantissa = (Number(price?.mantissa ?? 0) % 7) - 2
  return { price: mantissa === 0 ? { mantissa: 0, exponent: 0 } : { mantissa, exponent: -1 } }
}

function faulty(odd: (Step & { readonly kind: 'trade' })['odd']): Partial<Trade> {
  switch (odd) {
    case 'pending':
    case 'cancelled':
      return { status: odd }
    case 'invalid quantity':
      return { quantity: { mantissa: 0, exponent: 0 } }
    case 'invalid price':
      return { price: { mantissa: -1, exponent: 0 } }
    case 'invalid exponent':
      return { quantity: { mantissa: 1, exponent: -401 } }
    default:
      return {}
  }
}
