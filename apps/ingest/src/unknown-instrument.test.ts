import { expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import { waitUntil } from '@tickertape/testing'

import { connectDeribit } from './feed-deribit.ts'
import { localVenue } from './testing/local-venue.ts'
import { sampleTrade } from './testing/sample-trade.ts'
import { heartbeat, scriptedFeed } from './testing/scripted-feed.ts'

// They were counted as a complaint of the venue's, and their bytes were nowhere.
it('a frame with trades of instruments that are not read is rejected as it came, once', async () => {
  const feed = scriptedFeed()
  void feed.connect()
  await heartbeat(feed.recording)
  feed.scripted.frame(
    sampleTrade(1, 'Y'),
    sampleTrade(11),
    sampleTrade(2, 'Y'),
    sampleTrade(7, 'Z'),
  )
  const [rejected, ...others] = feed.recording.records.filter(({ topic }) => topic === 'rejected')
  expect(others).toEqual([])
  expect(String(rejected?.value)).toBe('scripted frame')
  expect(rejectedOrigin(rejected?.headers)).toMatchObject({
    stage: 'ingest',
    reason: 'unknown_instrument',
    message: 'trades of Y, Z, which this feed does not read',
  })
  expect(feed.recording.sequences).toEqual([11])
})

function answer(text: string, client: WebSocket): void {
  // As our own client has written it.
  const { id, params } = JSON.parse(text) as { id: number; params: { channels?: string[] } }
  client.send(JSON.stringify({ jsonrpc: '2.0', id, result: params.channels ?? 'ok' }))
}

function notification(channel: string, instrument: string): string {
  const trade = { instrument_name: instrument, trade_id: '1', trade_seq: 1, timestamp: 1, price: 1 }
  const params = { channel, data: [{ ...trade, amount: 1, direction: 'buy' }] }
  return JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params })
}

it("Deribit's common channels bring others' trades by design, a channel of one instrument does not", async () => {
  let client: WebSocket | undefined
  const venue = await localVenue({
    onConnect: (each) => (client = each),
    onFrame: answer,
  })
  using connection = await connectDeribit(venue.options, { account: undefined, interval: '100ms' })
  await connection.subscribe(['BTC-PERPETUAL'])
  client?.send(notification('trades.option.BTC.100ms', 'BTC-27NOV26-100000-C'))
  client?.send(notification('trades.BTC-PERPETUAL.100ms', 'ETH-PERPETUAL'))
  await waitUntil('the foreign trade', () => venue.handed.trades.length > 0)
  expect(
    venue.handed.trades.map((mapped) =>
      mapped.kind === 'trade' ? mapped.trade.instrument : mapped.instrument,
    ),
  ).toEqual(['ETH-PERPETUAL'])
})
