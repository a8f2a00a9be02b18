import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'

import { waitUntil } from '@tickertape/testing'

import { withinLimits } from './limited-connections.ts'
import { RestClient } from './rest-client.ts'
import type { ConnectOptions, Venue } from './venue.ts'
import { venueNames, venues } from './venue-registry.ts'
import type { VenueName } from './venue-registry.ts'

interface Answer {
  readonly status: number
  readonly body?: string
  readonly retryAfter?: string
}

/** How a venue says over REST that it was asked too much, and for how long it is left alone then, in ms. */
interface Told {
  readonly answer: Answer
  readonly forMs: number
}

const untoldMs = 2_000
const retryAfter: Told = { answer: { status: 429, retryAfter: '7' }, forMs: 7_000 }

function banned(): Told {
  const until = Date.now() + 90_000
  const body = `{"code":-1003,"msg":"Way too many requests; IP banned until ${until}."}`
  return { answer: { status: 418, body }, forMs: 90_000 }
}

const ofBinance: readonly Told[] = [
  {
    answer: { status: 429, retryAfter: '7', body: '{"code":-1003,"msg":"Too many"}' },
    forMs: 7_000,
  },
  { answer: { status: 418, retryAfter: '300' }, forMs: 300_000 },
  banned(),
  { answer: { status: 418 }, forMs: 120_000 },
  { answer: { status: 403, body: '<html>' }, forMs: 60_000 },
]

const ofBybit: readonly Told[] = [
  {
    answer: { status: 200, body: '{"retCode":10006,"retMsg":"Too many visits"}' },
    forMs: untoldMs,
  },
  { answer: { status: 403, body: 'access too frequent' }, forMs: 60_000 },
]

const ofCoinbase: readonly Told[] = [
  { answer: { status: 429, body: '{"message":"Public rate limit exceeded"}' }, forMs: untoldMs },
]

/** Besides 429 with Retry-After, which all of them may send. */
const told: Readonly<Record<VenueName, readonly Told[]>> = {
  deribit: [
    {
      answer: { status: 400, body: '{"error":{"code":10028,"message":"too_many_requests"}}' },
      forMs: untoldMs,
    },
  ],
  binance: ofBinance,
  'binance-usdm': ofBinance,
  'binance-coinm': ofBinance,
  coinbase: ofCoinbase,
  'coinbase-advanced': ofCoinbase,
  kraken: [
    { answer: { status: 200, body: '{"error":["EAPI:Rate limit exceeded"]}' }, forMs: untoldMs },
  ],
  okx: [
    {
      answer: { status: 429, body: '{"code":"50011","msg":"Too Many Requests","data":[]}' },
      forMs: untoldMs,
    },
    {
      answer: { status: 200, body: '{"code":"50011","msg":"Too Many Requests","data":[]}' },
      forMs: untoldMs,
    },
  ],
  'bybit-spot': ofBybit,
  'bybit-linear': ofBybit,
  'bybit-inverse': ofBybit,
  otc: [],
  swaps: [],
}

/** What a venue says over a WebSocket that was used too much: a frame, or the end of it. */
const complaints: Readonly<Record<VenueName, (client: WebSocket) => void>> = {
  deribit: (client) =>
    client.send('{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}}'),
  binance: (client) => client.close(1008, 'Too many requests'),
  'binance-usdm': (client) => client.close(1008, 'Too many requests'),
  'binance-coinm': (client) => client.close(1008, 'Too many requests'),
  coinbase: (client) => client.send('{"type":"error","message":"rate limit exceeded"}'),
  'coinbase-advanced': (client) => client.send('{"type":"error","message":"rate limit exceeded"}'),
  kraken: (client) => client.send('{"error":"Exceeded msg rate","success":false}'),
  okx: (client) =>
    client.send('{"event":"error","code":"60014","msg":"Requests too frequent","connId":"1"}'),
  'bybit-spot': (client) => client.send('{"success":false,"ret_msg":"Too many visits","op":""}'),
  'bybit-linear': (client) => client.send('{"success":false,"ret_msg":"Too many visits","op":""}'),
  'bybit-inverse': (client) => client.send('{"success":false,"ret_msg":"Too many visits","op":""}'),
  otc: (client) => client.send('{"error":"too many requests"}'),
  swaps: (client) => client.send('{"error":"too many requests"}'),
}

/** A venue behind its limits, on this machine. */
async function given(
  name: VenueName,
  {
    answer,
    onConnect,
  }: { readonly answer?: Answer; readonly onConnect?: (client: WebSocket) => void },
) {
  const asked: string[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url ?? '')
    response.statusCode = answer?.status ?? 500
    if (answer?.retryAfter !== undefined) response.setHeader('Retry-After', answer.retryAfter)
    response.end(answer?.body ?? '')
  })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    asked.push('upgrade')
    if (onConnect !== undefined) return sockets.handleUpgrade(request, socket, head, onConnect)
    const wait = answer?.retryAfter === undefined ? '' : `Retry-After: ${answer.retryAfter}\r\n`
    socket.end(`HTTP/1.1 ${answer?.status ?? 500} No\r\n${wait}Content-Length: 0\r\n\r\n`)
    return undefined
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const stop = new AbortController()
  onTestFinished(() => {
    stop.abort()
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const venue: Venue = venues[name]({
    deribit: { interval: '100ms', account: undefined, archiveUrl: undefined },
    binance: { stream: 'auto', apiKey: '' },
    okx: { channel: 'trades-all' },
  })
  const rest = new RestClient({
    url: `http://127.0.0.1:${address.port}`,
    timeoutMs: 5_000,
    budget: venue.restBudget,
    connects: venue.connectBudget,
    saysRateLimited: venue.saysRateLimited,
    saysRefused: venue.saysRefused,
    onAnswer: () => undefined,
  })
  const options: ConnectOptions = {
    url: `ws://127.0.0.1:${address.port}`,
    connectTimeoutMs: 5_000,
    idleTimeoutMs: 60_000,
    rest,
    mapping: () => ({ feedId: 'local', receivedAt: Date.now(), futureToleranceMs: 5_000 }),
    handlers: { trades: () => undefined, malformed: () => undefined, venueError: () => undefined },
    signal: stop.signal,
  }
  return { asked, options, rest, signal: stop.signal, venue: withinLimits(venue, rest.limits) }
}

/** What is left of a silence, between what the machine may have taken of it and all. */
function expectSilence({ limits }: RestClient, forMs: number): void {
  // Of a longer one than any other cause has, so that a wrong cause shows.
  expect(limits.silentForMs).toBeGreaterThan(forMs > 60_000 ? forMs / 2 : 0)
  expect(limits.silentForMs).toBeLessThanOrEqual(forMs)
}

describe.each(venueNames)('%s, asked too much', (name) => {
  it.each([retryAfter, ...told[name]])(
    'is left alone for as long as it says over REST: $answer',
    async ({ answer, forMs }) => {
      const { asked, rest, signal, venue } = await given(name, { answer })
      await expect(venue.catalog(rest, signal)).rejects.toMatchObject({ code: 'rate_limited' })
      expect(asked.length).toBe(1)
      expectSilence(rest, forMs)
    },
  )

  it('is left alone for as long as it says where it takes no connection', async () => {
    const { options, rest, venue } = await given(name, { answer: retryAfter.answer })
    await expect(venue.connect(options)).rejects.toThrow('429')
    expectSilence(rest, retryAfter.forMs)
  })

  it('is left alone for a while where it says so over the WebSocket', async () => {
    const { options, rest, venue } = await given(name, { onConnect: complaints[name] })
    using connection = await venue.connect(options)
    await waitUntil('silence', () => rest.limits.silentForMs > 0)
    expectSilence(rest, untoldMs)
    expect(connection).toBeDefined()
  })
})
