import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { waitUntil } from '@tickertape/testing'

import { connectDeribit } from './feed-deribit.ts'
import { localVenue } from './testing/local-venue.ts'

interface Request {
  readonly id: number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** A venue that answers with what the test says of each method, and keeps what it was asked. */
async function deribitAnswering(answers: Readonly<Record<string, (request: Request) => object>>) {
  const requests: Request[] = []
  const clients: WebSocket[] = []
  const { handed, options } = await localVenue({
    onFrame: (text, client) => {
      // What the client under test writes.
      const request = JSON.parse(text) as Request
      requests.push(request)
      if (!clients.includes(client)) clients.push(client)
      const answer = answers[request.method]?.(request) ?? { result: 'ok' }
      client.send(JSON.stringify({ jsonrpc: '2.0', id: request.id, ...answer }))
    },
  })
  const notify = (message: object): void => {
    for (const each of clients) each.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
  }
  return { handed, options, requests, notify }
}

const account = { clientId: 'an-id', clientSecret: 'a-secret' }

// The answer to test_request went out without an id, so the venue's reply had none either and was taken
// for a malformed frame, one each ten seconds.
it('answers a test_request so that the reply is known as one', async () => {
  const venue = await deribitAnswering({})
  using connection = await connectDeribit(venue.options, { interval: '100ms', account: undefined })
  await connection.venueTime()
  venue.notify({ method: 'heartbeat', params: { type: 'test_request' } })
  await waitUntil('an answer to the test_request', () =>
    venue.requests.some(({ method }) => method === 'public/test'),
  )
  // Its answer is behind the reply to our public/test.
  await connection.venueTime()
  expect(venue.handed.malformed).toEqual([])
})

describe('with an account', () => {
  it('the session is authorized before it subscribes', async () => {
    const venue = await deribitAnswering({
      'public/auth': () => ({ result: { access_token: 't', expires_in: 900 } }),
      'public/subscribe': ({ params }) => ({ result: params['channels'] }),
    })
    using connection = await connectDeribit(venue.options, { interval: 'raw', account })
    expect(await connection.subscribe(['BTC-PERPETUAL'])).toEqual({ refused: [] })
    expect(venue.requests.map(({ method }) => method)).toEqual([
      'public/set_heartbeat',
      'public/auth',
      'public/subscribe',
    ])
    expect(venue.requests[1]?.params).toEqual({
      grant_type: 'client_credentials',
      client_id: 'an-id',
      client_secret: 'a-secret',
    })
  })

  it('that the venue does not take, the connection ends and the secret is told to nobody', async () => {
    const venue = await deribitAnswering({
      'public/auth': () => ({ error: { code: 13004, message: 'invalid_credentials' } }),
    })
    const failed = connectDeribit(venue.options, { interval: 'raw', account })
    await expect(failed).rejects.toThrow(
      'the account in INGEST_DERIBIT_CLIENT_ID is not authorized: Deribit answered 13004 invalid_credentials',
    )
    await expect(failed).rejects.not.toThrow(/a-secret/)
  })

  it('the token is asked for anew before it ends', async () => {
    const venue = await deribitAnswering({
      'public/auth': () => ({ result: { access_token: 't', expires_in: 0.1 } }),
    })
    using connection = await connectDeribit(venue.options, { interval: 'raw', account })
    await waitUntil(
      'three authorizations',
      () => venue.requests.filter(({ method }) => method === 'public/auth').length >= 3,
    )
    await connection.venueTime()
    expect(venue.handed.errors).toEqual([])
  })

  it('whose token is not renewed the connection ends, for its channels do', async () => {
    let asked = 0
    const venue = await deribitAnswering({
      'public/auth': () => {
        asked += 1
        return asked === 1
          ? { result: { access_token: 't', expires_in: 0.05 } }
          : { error: { code: 13004, message: 'invalid_credentials' } }
      },
    })
    using connection = await connectDeribit(venue.options, { interval: 'raw', account })
    expect(await connection.closed).toBe('ended by us')
    expect(venue.handed.errors).toEqual([expect.stringContaining('is not authorized')])
  })
})

it('many options come over one channel, and those of others are not handed over', async () => {
  const venue = await deribitAnswering({
    'public/subscribe': ({ params }) => ({ result: params['channels'] }),
  })
  using connection = await connectDeribit(venue.options, { interval: '100ms', account: undefined })
  const options = Array.from({ length: 60 }, (_, index) => `BTC-26MAR27-${index + 50}000-C`)
  expect(await connection.subscribe(options)).toEqual({ refused: [] })
  const channel = 'trades.option.BTC.100ms'
  expect(venue.requests.at(-1)?.params).toEqual({ channels: [channel] })
  const rows = [options[7], 'BTC-26MAR27-10000-C'].map((instrument_name, index) => ({
    instrument_name,
    trade_seq: index + 1,
    trade_id: String(index),
    timestamp: 1,
    price: 0.01,
    amount: 1,
    direction: 'buy',
  }))
  venue.notify({ method: 'subscription', params: { channel, data: rows } })
  await connection.venueTime()
  expect(venue.handed.trades.map(({ sequence }) => sequence)).toEqual([1])
})

it('an instrument whose channel is missing from the answer is refused', async () => {
  const venue = await deribitAnswering({
    'public/subscribe': () => ({ result: ['trades.BTC-PERPETUAL.100ms'] }),
  })
  using connection = await connectDeribit(venue.options, { interval: '100ms', account: undefined })
  expect(await connection.subscribe(['BTC-PERPETUAL', 'BTC-1JAN20'])).toEqual({
    refused: ['BTC-1JAN20'],
  })
})

it('too many requests are told, though a request waits for the answer: the next connection does', async () => {
  const venue = await deribitAnswering({
    'public/subscribe': () => ({ error: { code: 10028, message: 'too_many_requests' } }),
  })
  using connection = await connectDeribit(venue.options, { interval: '100ms', account: undefined })
  const said = 'Deribit answered 10028 too_many_requests'
  await expect(connection.subscribe(['BTC-PERPETUAL'])).rejects.toThrow(said)
  expect(venue.handed.errors).toEqual([said])
})
