import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import { expect, it } from 'vitest'

import { Outbox } from './outbox.ts'

const keys = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]

interface Message {
  readonly kind: 'open' | 'final' | 'trade' | 'made' | 'cursor'
  readonly key: string
  readonly windowStart: number
  /** Rises with every message that the market makes. */
  readonly number: number
}

/** What somebody knows who has been told messages in order: the view, or a client. */
class Known {
  readonly ordered: number[] = []
  /** By window. */
  readonly finals = new Map<string, number>()
  /** The newest open window of each key. */
  readonly open = new Map<string, Message>()

  apply(message: Message): void {
    const { kind, key, windowStart, number } = message
    if (kind === 'cursor') return
    if (kind === 'open') {
      this.open.set(key, message)
      return
    }
    this.ordered.push(number)
    if (kind !== 'final') return
    this.finals.set(`${key} ${windowStart}`, number)
    const open = this.open.get(key)
    if (open !== undefined && open.windowStart <= windowStart) this.open.delete(key)
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('open'), key: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close'), key: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revise'), key: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('trade'), key: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('made'), count: fc.nat({ max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take'), most: fc.nat({ max: 400 }) }) },
)

/** A market whose windows close one after the other, told to a view and put into an outbox. */
class Market {
  readonly view = new Known()
  readonly client = new Known()
  readonly outbox = new Outbox()
  readonly #window = [0, 0, 0]
  #number = 0

  /** @returns as `take` does. */
  step(one: { kind: string; key?: number; count?: number; most?: number }): boolean {
    const { kind, key = 0, count = 0, most = 0 } = one
    if (kind === 'take') return this.take(most)
    if (kind === 'made') this.#made(count)
    else this.#change(kind, key)
    return false
  }

  /** @returns whether a cursor came where something was missing: it says that nothing is. */
  take(most: number): boolean {
    const frame = this.outbox.take(most, JSON.stringify({ kind: 'cursor' }))
    if (frame === undefined) return false
    // Written above and below as such.
    const messages = JSON.parse(frame) as Message[]
    for (const message of messages) this.client.apply(message)
    const cursor = messages.findIndex(({ kind }) => kind === 'cursor')
    return (
      cursor !== -1 &&
      (cursor !== messages.length - 1 || !isDeepStrictEqual(this.client, this.view))
    )
  }

  #change(kind: string, index: number): void {
    const key = keys[index]
    const window = this.#window[index]
    if (key === undefined || window === undefined) throw new Error('There are three keys')
    if (kind === 'open') {
      const text = this.#tell('open', key.name, window)
      this.outbox.replace(key, { text, windowStart: window })
    } else if (kind === 'trade') {
      this.outbox.append(this.#tell('trade', key.name, window))
    } else {
      const windowStart = kind === 'close' ? window : window - 1
      if (kind === 'close') this.#window[index] = window + 1
      const text = this.#tell('final', key.name, windowStart)
      this.outbox.appendFinal(key, { text, windowStart })
    }
  }

  #made(count: number): void {
    const texts = Array.from({ length: count }, () => this.#tell('made', '', 0))
    this.outbox.appendMade(texts[Symbol.iterator]())
  }

  #tell(kind: Message['kind'], key: string, windowStart: number): string {
    this.#number += 1
    const message: Message = { kind, key, windowStart, number: this.#number }
    this.view.apply(message)
    return JSON.stringify(message)
  }
}

it('whoever takes everything stands where the view stands, with every final and trade in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const market = new Market()
      for (const one of steps) {
        expect(market.step(one)).toBe(false)
        // At any time: what came is the beginning of what was told.
        const { ordered } = market.client
        expect(ordered).toEqual(market.view.ordered.slice(0, ordered.length))
      }
      while (!market.outbox.isEmpty) market.take(1)
      expect(market.client).toEqual(market.view)
      expect(market.outbox.bytes).toBe(0)
    }),
  )
})

it('a frame ends with the message that fills it', () => {
  const outbox = new Outbox()
  for (let count = 0; count < 5; count += 1) outbox.append('"1234567890"')
  expect(outbox.take(13)).toBe('["1234567890","1234567890"]')
  expect(outbox.bytes).toBe(3 * 12)
})

it('nothing is sent of a key that was forgotten', () => {
  const outbox = new Outbox()
  const [key, other] = [{}, {}]
  outbox.replace(key, { text: '1', windowStart: 0 })
  outbox.replace(other, { text: '2', windowStart: 0 })
  outbox.forget(key)
  expect(outbox.take(100)).toBe('[2]')
  expect(outbox.isEmpty).toBe(true)
})

it('the order stands however much is appended between two takings', () => {
  const outbox = new Outbox()
  const taken: unknown[] = []
  for (let count = 0; count < 10_000; count += 1) {
    outbox.append(String(count))
    if (count % 3 > 0) taken.push(...(JSON.parse(outbox.take(1) ?? '[]') as unknown[]))
  }
  while (!outbox.isEmpty) taken.push(...(JSON.parse(outbox.take(100) ?? '[]') as unknown[]))
  expect(taken).toEqual(Array.from({ length: 10_000 }, (_, number) => number))
})
