import { expect, it } from 'vitest'

import { InstrumentDelivery } from './instrument-delivery.ts'
import { noneOffered } from './delivery.ts'
import { sampleTrade } from './testing/sample-trade.ts'
import { scriptedFeed } from './testing/scripted-feed.ts'

/** A feed of X, which has a cursor, and Y, which has none; X is vouched for from 12 s on. */
function given() {
  const { deliveries, delivery: x, recording, state } = scriptedFeed()
  const names = { feedId: 'f', replicaId: 'a', instrument: 'Y', instrumentId: 'sample:Y' }
  const y = new InstrumentDelivery({ ...names, log: recording.log, cursor: undefined })
  y.beginWithStream()
  deliveries.set('Y', y)
  const { heartbeats } = state
  heartbeats.subscribed([x, y])
  heartbeats.tell(11_000)
  heartbeats.tell(12_000)
  expect(heartbeats.vouchesFrom(x)).toBe(12_000)
  return { deliveries, heartbeats, x, y }
}

// Cursors of the others went on to vouch from the same time as X's last one: another replica that stopped reading X took
// X's absence for covered, though nobody read it.
it('an instrument that is no longer read ends what is vouched for together with it', () => {
  const { deliveries, heartbeats, x, y } = given()
  y.offer(sampleTrade(20), noneOffered())
  heartbeats.tell(13_000)
  heartbeats.tell(14_000)
  expect(heartbeats.vouchesFrom(y)).toBe(14_000)
  deliveries.delete('X')
  heartbeats.unsubscribed(x)
  expect([x, y].map((each) => heartbeats.vouchesFrom(each))).toEqual([undefined, undefined])
  heartbeats.tell(15_000)
  heartbeats.tell(16_000)
  expect([x, y].map((each) => heartbeats.vouchesFrom(each))).toEqual([undefined, 16_000])
  // It comes back, and is as new.
  deliveries.set('X', x)
  heartbeats.subscribed([x])
  expect(heartbeats.vouchesFrom(y)).toBeUndefined()
})

// A venue refused Y with the first subscription and accepted it later: its first cursor vouched for it from before.
it('an instrument without a cursor is vouched for behind its first trade only', () => {
  const { heartbeats, x, y } = given()
  expect(heartbeats.vouchesFrom(y)).toBeUndefined()
  heartbeats.subscribed([y])
  expect(heartbeats.vouchesFrom(x)).toBe(12_000)
  y.offer(sampleTrade(20), noneOffered())
  expect(y.cursor).toBeDefined()
  expect(heartbeats.vouchesFrom(y)).toBeUndefined()
  heartbeats.tell(21_000)
  heartbeats.tell(22_000)
  expect([x, y].map((each) => heartbeats.vouchesFrom(each))).toEqual([22_000, 22_000])
})
