import type { AddressInfo } from 'node:net'

import { expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'

import { waitUntil } from '@tickertape/testing'

import { connectDeribit } from './feed-deribit.ts'
import { RestClient } from './rest-client.ts'

// The answer to test_request went out without an id, so the venue's reply had none either and was taken
// for a malformed frame, one each ten seconds.
it('answers a test_request so that the reply is known as one', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  let tests = 0
  server.on('connection', (client) => {
    client.on('message', (frame: Buffer) => {
      // What the client under test writes.
      const request = JSON.parse(frame.toString('utf8')) as { id?: number; method: string }
      // As Deribit does: the id of the request, where it has one.
      client.send(JSON.stringify({ jsonrpc: '2.0', id: request.id, result: 'ok' }))
      if (request.method === 'public/test') tests += 1
      else client.send('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}')
    })
  })
  const malformed: string[] = []
  const connection = await connectDeribit(
    {
      // A server on a TCP port has such an address.
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      connectTimeoutMs: 5_000,
      idleTimeoutMs: 60_000,
      rest: new RestClient({
        url: 'http://127.0.0.1:1',
        timeoutMs: 1_000,
        budget: { capacity: 1, refillPerSecond: 1 },
        saysRateLimited: () => false,
        saysRefused: () => false,
        onAnswer: () => undefined,
      }),
      mapping: () => ({ feedId: 'deribit', receivedAt: 0, futureToleranceMs: 0 }),
      handlers: {
        trades: () => undefined,
        malformed: (frame) => malformed.push(frame),
        venueError: () => undefined,
      },
      signal: new AbortController().signal,
    },
    { interval: '100ms', account: undefined },
  )
  onTestFinished(() => {
    connection[Symbol.dispose]()
    for (const client of server.clients) client.terminate()
    server.close()
  })
  await waitUntil('an answer to the test_request', () => tests > 0)
  // Its answer is behind the reply to our public/test.
  await connection.venueTime()
  expect(malformed).toEqual([])
})
