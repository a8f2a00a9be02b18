import { describe, expect, it } from 'vitest'

import { noneOffered } from './delivery.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { RecordingLog } from './testing/recording-log.ts'
import { unsequencedTrades as trades } from './testing/sample-trade.ts'
import { UnsequencedDelivery } from './unsequenced-delivery.ts'

function given(tradeIds?: readonly string[]) {
  const recording = new RecordingLog()
  const names = { feedId: 'f', replicaId: 'a', instrument: 'X', instrumentId: 'sample:X' }
  const cursor =
    tradeIds === undefined
      ? undefined
      : {
          ...names,
          sequence: null,
          eventTime: Number(tradeIds.at(-1) ?? 0) * 1_000,
          tradeIds,
        }
  const delivery = new UnsequencedDelivery({ ...names, cursor, log: recording.log })
  const stream = (...offered: readonly MappedTrade[]): number => {
    const counts = noneOffered()
    for (const mapped of offered) delivery.offer(mapped, counts)
    return counts.delivered
  }
  const ids = (): readonly string[] =>
    recording.events.flatMap(({ type, value }) => (type === 'Trade' ? [value.tradeId] : []))
  return { delivery, recording, stream, ids }
}

describe('trades without a sequence', () => {
  it('are delivered once each, as they come', () => {
    const { stream, ids } = given([])
    expect(stream(...trades(3, 4), ...trades(1, 4))).toBe(4)
    expect(ids()).toEqual(['3', '4', '1', '2'])
  })

  it('are whole behind a cut if one that was delivered is among the last: the rest is delivered', () => {
    const { delivery, stream, ids } = given(['8', '9'])
    stream(...trades(10, 11))
    delivery.cut()
    // The next connection delivers before the venue's answer comes.
    stream(...trades(15, 15))
    expect(delivery.match(trades(5, 15), 99_000, noneOffered())).toEqual({ outcome: 'whole' })
    // Those before the first one that was delivered are older than what is remembered.
    expect(ids()).toEqual(['10', '11', '15', '12', '13', '14'])
  })

  it('that came behind a cut prove nothing of what came before them', () => {
    const { delivery, stream, ids } = given(['9'])
    delivery.cut()
    stream(...trades(20, 21))
    expect(delivery.match(trades(15, 21), 99_000, noneOffered())).toEqual({
      outcome: 'unproven',
      fromTime: 9_000,
      toTime: 15_001,
    })
    // What the venue still tells is delivered all the same.
    expect(ids()).toEqual(['20', '21', '15', '16', '17', '18', '19'])
  })

  // A process that was killed between a new connection's first trades and the venue's answer had written
  // cursors of those trades: the next one took them for proof, and what the cut had cost was never told.
  it('leave the cursor before a cut until it is judged', () => {
    const { delivery, stream } = given(['8', '9'])
    delivery.cut()
    stream(...trades(20, 21))
    expect(delivery.cursor).toMatchObject({ tradeIds: ['8', '9'], eventTime: 9_000 })
    delivery.match(trades(15, 21), 99_000, noneOffered())
    expect(delivery.cursor).toMatchObject({ eventTime: 21_000 })
    expect(delivery.cursor?.tradeIds.at(-1)).toBe('19')
  })

  it('are unproven up to now if the venue refuses to tell', () => {
    const { delivery } = given(['9'])
    delivery.cut()
    expect(delivery.match('unknown', 30_000, noneOffered())).toEqual({
      outcome: 'unproven',
      fromTime: 9_000,
      toTime: 30_001,
    })
  })

  it('are all ours where the venue had none when we began', () => {
    const { delivery, ids } = given([])
    expect(delivery.match(trades(1, 3), 99_000, noneOffered())).toEqual({ outcome: 'whole' })
    expect(ids()).toEqual(['1', '2', '3'])
  })

  it('begin behind those that the venue had before we subscribed', () => {
    const { delivery, stream, ids } = given()
    expect(delivery.cursor).toBeUndefined()
    delivery.beginBehindRecent(trades(1, 30))
    expect(delivery.cursor).toMatchObject({ sequence: null, eventTime: 30_000 })
    expect(delivery.cursor?.tradeIds).toEqual(
      Array.from({ length: 20 }, (_, at) => String(at + 11)),
    )
    stream(...trades(30, 31))
    expect(ids()).toEqual(['31'])
  })

  it('of a connection that overlapped the one before were never cut off', () => {
    const { delivery, stream } = given(['9'])
    const before = {}
    delivery.cut(before)
    // The first try to connect beside it has failed.
    delivery.cut(before)
    delivery.overlapped(before)
    stream(...trades(10, 11))
    expect(delivery.match(trades(11, 12), 99_000, noneOffered())).toEqual({ outcome: 'whole' })
  })

  // A planned hand-over while the history was still asked for what a cut had cost took that cut back as
  // well: trades from behind it then passed for proof that nothing was missing before them.
  it('of connections that overlapped behind a cut prove nothing of what came before it', () => {
    const { delivery, stream } = given(['9'])
    const before = {}
    delivery.cut()
    stream(...trades(20, 21))
    delivery.cut(before)
    delivery.overlapped(before)
    expect(delivery.cursor).toMatchObject({ tradeIds: ['9'] })
    const unproven = { outcome: 'unproven', fromTime: 9_000, toTime: 15_001 }
    expect(delivery.match(trades(15, 22), 99_000, noneOffered())).toEqual(unproven)
  })

  it('of an instrument that is subscribed anew during an overlap are cut off all the same', () => {
    const { delivery, stream } = given(['9'])
    const before = {}
    delivery.cut(before)
    delivery.cut()
    delivery.overlapped(before)
    stream(...trades(20, 21))
    expect(delivery.match(trades(15, 22), 99_000, noneOffered()).outcome).toBe('unproven')
  })

  it('are told apart from later versions of them', () => {
    const { delivery, stream } = given([])
    const [first] = trades(1, 1)
    if (first?.kind !== 'trade') throw new Error('no trade')
    expect(stream(first, { ...first, trade: { ...first.trade, version: 1 } }, first)).toBe(2)
    expect(delivery.cursor?.tradeIds).toEqual(['1', '1 1'])
  })
})
