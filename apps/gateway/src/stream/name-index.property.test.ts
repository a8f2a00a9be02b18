import { matchesPattern } from '@tickertape/market-api'
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { NameIndex } from './name-index.ts'
import type { Following } from './name-index.ts'

const names = ['x:BTC', 'x:ETH', 'y:BTC', 'y:ETH', 'y:SOL']
const patterns = ['x:*', '*BTC', '*', 'y:S*', ...names]

const step = fc.oneof(
  fc.record({ kind: fc.constant('hear' as const), name: fc.constantFrom(...names) }),
  fc.record({
    kind: fc.constant('follow' as const),
    follower: fc.constantFrom('p', 'q', 'r'),
    pattern: fc.constantFrom(...patterns),
    live: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('end' as const), which: fc.nat() }),
)

interface Open {
  readonly follower: string
  readonly pattern: string
  readonly live: boolean
  readonly following: Following<string>
}

it('an update finds those whose subscriptions fit its name, as often as they subscribed, and nobody else', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new NameIndex<string>()
      const heard = new Set<string>()
      const found: unknown[] = []
      const expected: unknown[] = []
      let open: Open[] = []
      for (const one of steps) {
        if (one.kind === 'hear') {
          heard.add(one.name)
          found.push(structuredClone(Object.fromEntries(index.heardOf(one.name).followers)))
          expected.push(expectedOf(open, one.name))
        } else if (one.kind === 'follow') {
          open.push({ ...one, following: follow(index, heard, one) })
        } else if (open.length > 0) {
          const at = one.which % open.length
          open[at]?.following.end()
          open = open.filter((_, place) => place !== at)
        }
      }
      for (const { following } of open) following.end()
      expect(found).toEqual(expected)
      // What is kept is what was heard of, however many names were asked for.
      expect(index.size).toBe(heard.size)
    }),
  )
})

function follow(
  index: NameIndex<string>,
  heard: ReadonlySet<string>,
  { follower, pattern, live }: Omit<Open, 'following'>,
): Following<string> {
  const isPattern = pattern.includes('*')
  // Of those heard of some may be away, and among nobody's names.
  const known = isPattern
    ? [...heard].filter((name, at) => at % 2 === 0 && matchesPattern(name, pattern))
    : [pattern]
  return index.follow(
    { follower, live, names: known, admits: (name) => matchesPattern(name, pattern) },
    isPattern,
  )
}

function expectedOf(open: readonly Open[], name: string) {
  const expected: Record<string, { subscriptions: number; live: number }> = {}
  for (const { follower, pattern, live } of open) {
    if (!matchesPattern(name, pattern)) continue
    const interest = (expected[follower] ??= { subscriptions: 0, live: 0 })
    interest.subscriptions += 1
    interest.live += live ? 1 : 0
  }
  return expected
}

it('an end tells of which names nothing but finals is wanted any more', () => {
  const index = new NameIndex<string>()
  const request = { follower: 'p', admits: () => false }
  const live = index.follow({ ...request, live: true, names: ['a', 'b'] }, false)
  index.follow({ ...request, live: true, names: ['a'] }, false)
  index.follow({ ...request, live: false, names: ['b'] }, false)
  expect(live.end().map(({ name }) => name)).toEqual(['b'])
})

// A token without a candle for 24 hours leaves the statistics. Whoever subscribed to a pattern meanwhile never
// got it when it returned: the index knew its name, and held only new names against patterns.
it('a name that was away when a pattern came is found again, once, and no name comes back to who has ended', () => {
  const index = new NameIndex<string>()
  index.heardOf('BTC')
  const admitted: string[] = []
  const admits = (name: string): boolean => {
    admitted.push(name)
    return name.startsWith('B')
  }
  const ended = index.follow({ follower: 'q', live: true, names: [], admits }, true)
  ended.end()
  index.follow({ follower: 'p', live: true, names: [], admits }, true)
  expect([...index.heardOf('BTC').followers.keys()]).toEqual(['p'])
  index.heardOf('BTC')
  expect(admitted).toEqual(['BTC'])
})
