import { waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { Turns } from './turns.ts'

/** Notes each of its steps, of which it has so many. */
function worker(name: string, steps: number, taken: string[]) {
  let left = steps
  return {
    step: () => {
      taken.push(name)
      left -= 1
      return left > 0
    },
  }
}

// A connection that asked for 20,000 candles had them encoded in one turn of the event loop: nobody else was
// heard meanwhile.
it('whoever has much to do lets everybody else have a turn between two of its own', async () => {
  using turns = new Turns()
  const taken: string[] = []
  turns.call(worker('long', 4, taken))
  turns.call(worker('short', 1, taken))
  const atImmediate: number[] = []
  setImmediate(() => atImmediate.push(taken.length))
  expect(taken).toEqual([])
  await waitUntil('all steps', () => taken.length === 5)
  expect(taken).toEqual(['long', 'short', 'long', 'long', 'long'])
  // What else waits for a turn of the loop has it between two steps.
  expect(atImmediate).toEqual([1])
})

it('one that calls again while it waits has one turn, and none after the end', async () => {
  const turns = new Turns()
  const taken: string[] = []
  const once = worker('once', 1, taken)
  turns.call(once)
  turns.call(once)
  await waitUntil('its step', () => taken.length > 0)
  const never = worker('never', 1, taken)
  turns.call(never)
  turns[Symbol.dispose]()
  await new Promise((resolve) => setImmediate(resolve))
  expect(taken).toEqual(['once'])
})
