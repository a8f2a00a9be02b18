import { expect, it } from 'vitest'

import type { VenueSettings } from './venue-settings.ts'
import { playFrames } from './frame-player.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { RestClient } from './rest-client.ts'
import { venueNames, venues } from './venue-registry.ts'

const settings: VenueSettings = {
  deribit: {
    interval: 'raw',
    account: { clientId: 'somebody', clientSecret: 'a secret' },
    archiveUrl: undefined,
  },
  binance: { stream: 'auto', apiKey: '' },
  okx: { channel: 'trades-all' },
}

function rest(): RestClient {
  return new RestClient({
    url: 'http://127.0.0.1:9',
    timeoutMs: 1_000,
    budget: { capacity: 1_000, refillPerSecond: 1_000 },
    saysRateLimited: () => false,
    saysRefused: () => false,
    onAnswer: () => undefined,
  })
}

async function* frames(text: string): AsyncGenerator<string> {
  await Promise.resolve()
  yield text
}

async function played(
  name: (typeof venueNames)[number],
  text: string,
): Promise<{ readonly trades: readonly MappedTrade[]; readonly malformed: readonly string[] }> {
  const trades: MappedTrade[] = []
  const malformed: string[] = []
  const venue = venues[name](settings)
  await playFrames(
    {
      venue,
      instrument: venue.instruments[0] ?? '',
      frames: frames(text),
      rest: rest(),
      mapping: () => ({ feedId: 'f', receivedAt: Date.now(), futureToleranceMs: 5_000 }),
      handlers: {
        trades: (read) => trades.push(...read),
        malformed: (frame) => malformed.push(frame),
        venueError: () => undefined,
      },
      whenRoom: () => Promise.resolve(),
    },
    new AbortController().signal,
  )
  return { trades, malformed }
}

it.each(venueNames)('a recording of %s is read, though nobody answers', async (name) => {
  expect((await played(name, '{ no frame')).malformed).toEqual(['{ no frame'])
})

// With an account in the settings an import waited for the answer to its login, and failed.
it('a recording of Deribit wants no login', async () => {
  const row = {
    instrument_name: 'BTC-PERPETUAL',
    trade_id: '7',
    trade_seq: 7,
    timestamp: Date.UTC(2026, 0, 5),
    price: 100,
    amount: 10,
    direction: 'buy',
  }
  const params = { channel: 'trades.BTC-PERPETUAL.raw', data: [row] }
  const frame = JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params })
  const { trades } = await played('deribit', frame)
  expect(trades.map(({ kind, sequence }) => [kind, sequence])).toEqual([['trade', 7]])
})
