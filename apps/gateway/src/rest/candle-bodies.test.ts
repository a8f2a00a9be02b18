import { expect, it } from 'vitest'

import type { EncodedCandle } from '../market-view.ts'
import { CandleBodies } from './candle-bodies.ts'

function encoded(json: string): EncodedCandle {
  const of = { instrumentId: 'v:A', interval: '1s', revision: 0, rebuildId: null } as const
  return { ...of, windowStart: 0, final: true, json }
}

/** Asks for the body of candles, and tells whether it was made for that. */
function ask(bodies: CandleBodies, key: string, held: readonly EncodedCandle[]) {
  let isMade = false
  const bytes = bodies.of(key, held, () => {
    isMade = true
    return held.map(({ json }) => json).join(',')
  })
  return { text: bytes.toString(), isMade }
}

// Every request joined and encoded its page anew, some 80 kB, however many asked for the same one.
it('a body is made once for each change of its candles', () => {
  const bodies = new CandleBodies(10_000)
  const [a, b] = [encoded('a'), encoded('bé')]
  expect(ask(bodies, 'page', [a, b])).toEqual({ text: 'a,bé', isMade: true })
  expect(ask(bodies, 'page', [a, b])).toEqual({ text: 'a,bé', isMade: false })
  expect(ask(bodies, 'page', [a, encoded('c')])).toEqual({ text: 'a,c', isMade: true })
  expect(ask(bodies, 'page', [a])).toEqual({ text: 'a', isMade: true })
  expect(ask(bodies, 'other', [a])).toEqual({ text: 'a', isMade: true })
  // Of a memory that was made anew a candle may say something else under the same window and revision.
  expect(ask(bodies, 'other', [encoded('a')]).isMade).toBe(true)
})

it('the body that was not asked for for the longest time is forgotten first', () => {
  const bodies = new CandleBodies(2_040)
  const held = [encoded('0123456789')]
  ask(bodies, 'first', held)
  ask(bodies, 'second', held)
  expect(ask(bodies, 'first', held).isMade).toBe(false)
  ask(bodies, 'third', held)
  expect(ask(bodies, 'first', held).isMade).toBe(false)
  expect(ask(bodies, 'second', held).isMade).toBe(true)
  const large = [encoded('x'.repeat(521))]
  expect(ask(bodies, 'large', large).isMade).toBe(true)
  expect(ask(bodies, 'large', large).isMade).toBe(true)
})
