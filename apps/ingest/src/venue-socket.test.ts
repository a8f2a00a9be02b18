import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'

import { waitUntil } from '@tickertape/testing'

import { ConnectionLost } from './feed.ts'
import { VenueSocket } from './venue-socket.ts'

async function connect(
  serve: (socket: WebSocket) => void,
  options: { readonly idleTimeoutMs?: number; readonly endAt?: string } = {},
) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', serve)
  await new Promise((resolve) => server.once('listening', resolve))
  const received: string[] = []
  // A server on a TCP port has such an address.
  const { port } = server.address() as AddressInfo
  const socket = await VenueSocket.connect({
    url: `ws://127.0.0.1:${port}`,
    connectTimeoutMs: 5_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    onMessage: (text, from) => {
      received.push(text)
      if (text === options.endAt) from[Symbol.dispose]()
    },
    signal: new AbortController().signal,
  })
  onTestFinished(() => {
    socket[Symbol.dispose]()
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return { socket, received, server }
}

it('is closed when the venue closes it, with its reason', async () => {
  const { socket } = await connect((client) => client.close(1011, 'maintenance'))
  expect(await socket.closed).toBe('closed by the venue with 1011 maintenance')
})

it('is closed when the venue falls silent without closing', async () => {
  const { socket } = await connect(() => undefined, { idleTimeoutMs: 100 })
  expect(await socket.closed).toMatch(/^silent for \d+ ms$/)
})

// Heartbeats wait for the answer to the question for the time: without a bound they stood still for ever.
it('is taken for dead when it sends and answers nothing', async () => {
  const { socket } = await connect(
    (client) => {
      const timer = setInterval(() => client.send('x'), 10)
      client.on('close', () => clearInterval(timer))
    },
    { idleTimeoutMs: 100 },
  )
  await expect(socket.request({ method: 'time' })).rejects.toThrow(ConnectionLost)
  expect(await socket.closed).toMatch(/^sends, and has answered nothing for \d+ ms$/)
})

it('is not taken for dead while answers come, however many are behind', async () => {
  const { socket } = await connect(
    (client) => {
      const timer = setInterval(() => client.send('x'), 10)
      client.on('close', () => clearInterval(timer))
    },
    { idleTimeoutMs: 100 },
  )
  let closed = false
  void socket.closed.then(() => (closed = true))
  socket.request({ method: 'never answered' }).catch(() => undefined)
  const startedAt = performance.now()
  await waitUntil('more than the timeout', () => {
    let asked = 0
    void socket.requestNumbered((id) => ({ asked: (asked = id) }))
    socket.answer(asked, undefined)
    return performance.now() - startedAt > 600
  })
  expect(closed).toBe(false)
})

// The timer of silence came before the frames that had waited meanwhile: whatever kept the process busy for longer than
// the timeout cost the connection.
it('is not taken for dead when we were busy and frames wait', async () => {
  const { socket, received, server } = await connect(() => undefined, { idleTimeoutMs: 200 })
  let closed = false
  void socket.closed.then(() => (closed = true))
  for (const client of server.clients) client.send('x')
  const until = performance.now() + 500
  while (performance.now() < until);
  await waitUntil('the frame', () => received.length > 0 || closed)
  expect(closed).toBe(false)
})

it('is not taken for dead while it is we who do not read', async () => {
  const { socket, received } = await connect(
    (client) => {
      const timer = setInterval(() => client.send('x'), 10)
      client.on('close', () => clearInterval(timer))
    },
    { idleTimeoutMs: 200 },
  )
  let closed = false
  void socket.closed.then(() => (closed = true))
  await waitUntil('frames', () => received.length > 3)
  socket.pause()
  const pausedAt = performance.now()
  await waitUntil('more than the timeout', () => performance.now() - pausedAt > 500)
  expect(closed).toBe(false)
  const before = received.length
  socket.resume()
  await waitUntil('frames again', () => received.length > before)
})

// A frame that cannot be read goes to Kafka as it came; one that no record can hold would throw in the
// socket's callback, where nobody catches it.
it('is closed by a frame beyond 2 MiB, which it does not hand over', async () => {
  const { socket, received } = await connect((client) => client.send('x'.repeat(2 * 1024 ** 2 + 1)))
  expect(await socket.closed).toBe('Max payload size exceeded')
  expect(received).toEqual([])
})

it('hands over nothing once it was ended, though more frames have been read', async () => {
  const { socket, received } = await connect(
    (client) => {
      for (let count = 0; count < 50; count += 1) client.send(String(count))
    },
    { endAt: '3' },
  )
  expect(await socket.closed).toBe('ended by us')
  await new Promise((resolve) => setImmediate(resolve))
  expect(received).toEqual(['0', '1', '2', '3'])
})

it('pairs answers with requests, and fails those that are open when it ends', async () => {
  const requests: unknown[] = []
  const { socket } = await connect((client) => {
    client.on('message', (text) => requests.push(JSON.parse(String(text))))
  })
  const first = socket.request({ method: 'a' })
  const second = socket.request({ method: 'b' })
  const third = socket.request({ method: 'c' })
  await waitUntil('requests', () => requests.length === 3)
  expect(requests).toEqual([
    { method: 'a', id: 1 },
    { method: 'b', id: 2 },
    { method: 'c', id: 3 },
  ])
  expect(socket.answer(2, 'for b')).toBe(true)
  expect(socket.answer(2, 'again')).toBe(false)
  expect(await second).toBe('for b')
  expect(socket.fail(1, 'refused')).toBe(true)
  await expect(first).rejects.toThrow('refused')
  socket[Symbol.dispose]()
  await expect(third).rejects.toBeInstanceOf(ConnectionLost)
  await expect(socket.request({ method: 'd' })).rejects.toBeInstanceOf(ConnectionLost)
})

it('gives up a host that takes the connection and says nothing', async () => {
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
  })
  // A server on a TCP port has such an address.
  const { port } = server.address() as AddressInfo
  const connecting = VenueSocket.connect({
    url: `ws://127.0.0.1:${port}`,
    connectTimeoutMs: 50,
    idleTimeoutMs: 60_000,
    onMessage: () => undefined,
    signal: new AbortController().signal,
  })
  await expect(connecting).rejects.toBeInstanceOf(ConnectionLost)
})
