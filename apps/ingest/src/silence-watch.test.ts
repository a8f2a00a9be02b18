import { expect, it } from 'vitest'

import { SilenceWatch } from './silence-watch.ts'

/** A watch that has heard `count` frames, one each `everyMs`, the last one at the returned time. */
function heard(count: number, everyMs: number): { watch: SilenceWatch; at: number } {
  const watch = new SilenceWatch()
  for (let frame = 0; frame < count; frame += 1) watch.heard(frame * everyMs)
  return { watch, at: (count - 1) * everyMs }
}

it('a busy connection that brings no trade for half a minute is dead', () => {
  const { watch, at } = heard(1_000, 20)
  expect(watch.verdict(at + 30_000)).toBeUndefined()
  expect(watch.verdict(at + 30_001)).toBe(
    'no trade for 30001 ms, where one comes every 20 ms: the venue has stopped sending',
  )
})

it('a connection of quiet instruments is given fifty times what is usual between its trades', () => {
  const { watch, at } = heard(100, 60_000)
  expect(watch.verdict(at + 50 * 60_000)).toBeUndefined()
  expect(watch.verdict(at + 50 * 60_000 + 1)).toBeDefined()
})

it('nothing is said of a connection before it is known what is usual', () => {
  const { watch, at } = heard(50, 10)
  expect(watch.verdict(at + 86_400_000)).toBeUndefined()
})

it('the time in which we did not read is no silence', () => {
  const { watch, at } = heard(1_000, 20)
  watch.restart()
  expect(watch.verdict(at + 600_000)).toBeUndefined()
  watch.heard(at + 600_000)
  expect(watch.verdict(at + 630_000)).toBeUndefined()
})
