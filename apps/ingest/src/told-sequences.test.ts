import { describe, expect, it } from 'vitest'

import { ToldSequences } from './told-sequences.ts'

function watch() {
  const caughtUp: (readonly [string, number])[] = []
  const told = new ToldSequences((instrument, time) => caughtUp.push([instrument, time]))
  const tell = (time: number, lastSequence: number | undefined) =>
    told.told({ instrument: 'BTC-USD', time, lastSequence })
  return { caughtUp, tell, told }
}

describe('what a venue tells of its last trade', () => {
  it('holds at once where that trade has come', () => {
    const { caughtUp, tell, told } = watch()
    told.seen('BTC-USD', 7)
    expect(tell(1_000, 7)).toBeUndefined()
    expect(tell(2_000, 7)).toBeUndefined()
    expect(caughtUp).toEqual([
      ['BTC-USD', 1_000],
      ['BTC-USD', 2_000],
    ])
  })

  it('holds when the trade comes behind it', () => {
    const { caughtUp, tell, told } = watch()
    told.seen('BTC-USD', 7)
    expect(tell(1_000, 9)).toBeUndefined()
    told.seen('BTC-USD', 8)
    told.seen('ETH-USD', 9)
    expect(caughtUp).toEqual([])
    told.seen('BTC-USD', 9)
    expect(caughtUp).toEqual([['BTC-USD', 1_000]])
  })

  it('shows what is missing when it is told again', () => {
    const { caughtUp, tell, told } = watch()
    told.seen('BTC-USD', 7)
    tell(1_000, 9)
    // The last of these may be on its way still.
    expect(tell(2_000, 10)).toEqual({ from: 8, to: 9 })
    expect(tell(3_000, 12)).toEqual({ from: 8, to: 9 })
    told.seen('BTC-USD', 9)
    expect(caughtUp).toEqual([['BTC-USD', 1_000]])
  })

  it.each([undefined, 7])('holds where nothing came to compare it with: %s', (last) => {
    const { caughtUp, tell } = watch()
    expect(tell(1_000, last)).toBeUndefined()
    expect(caughtUp).toEqual([['BTC-USD', 1_000]])
  })

  it('is not compared with what came before an end of the subscription', () => {
    const { caughtUp, tell, told } = watch()
    told.seen('BTC-USD', 7)
    tell(1_000, 9)
    told.forget(['BTC-USD'])
    expect(tell(5_000, 20)).toBeUndefined()
    expect(caughtUp).toEqual([['BTC-USD', 5_000]])
  })
})
