import { describe, expect, it } from 'vitest'

import { deribitChannels } from './deribit-channels.ts'
import { isDeribitCombo, readDeribitName } from './deribit-names.ts'

describe("an instrument's name tells its group", () => {
  it.each([
    ['BTC-PERPETUAL', { kind: 'future', currency: 'BTC' }],
    ['BTC-7AUG26', { kind: 'future', currency: 'BTC' }],
    ['SOL_USDC-PERPETUAL', { kind: 'future', currency: 'USDC' }],
    ['ETH-26MAR27-2800-P', { kind: 'option', currency: 'ETH' }],
    ['XRP_USDC-30JUN26-0d525-C', { kind: 'option', currency: 'USDC' }],
    ['BTC-FS-26JUN26_PERP', { kind: 'future_combo', currency: 'BTC' }],
    ['BTC-CS-19MAY26-70000_75000', { kind: 'option_combo', currency: 'BTC' }],
    ['BTC_USDC', { kind: 'spot', currency: 'USDC' }],
    ['BTC', undefined],
    ['BTC-', undefined],
    ['-PERPETUAL', undefined],
  ])('%s', (name, expected) => {
    expect(readDeribitName(name)).toEqual(expected)
  })

  it('only combinations have prices at and below zero', () => {
    expect(isDeribitCombo('BTC-FS-26JUN26_PERP')).toBe(true)
    expect(isDeribitCombo('BTC-26MAR27-2800-P')).toBe(false)
  })
})

describe('channels', () => {
  it('of few instruments are their own', () => {
    expect([...deribitChannels(['BTC-PERPETUAL', 'ODD'], '100ms')]).toEqual([
      ['trades.BTC-PERPETUAL.100ms', ['BTC-PERPETUAL']],
      ['trades.ODD.100ms', ['ODD']],
    ])
  })

  it('of many of a kind and a currency are one', () => {
    const options = Array.from({ length: 60 }, (_, index) => `BTC-26MAR27-${50 + index}000-C`)
    const channels = deribitChannels([...options, 'ETH-26MAR27-2800-P'], 'raw')
    expect([...channels.keys()]).toEqual(['trades.option.BTC.raw', 'trades.ETH-26MAR27-2800-P.raw'])
    expect(channels.get('trades.option.BTC.raw')).toEqual(options)
  })
})
