import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'

import { expect, it, onTestFinished } from 'vitest'

import { RestClient } from './rest-client.ts'

const never = new AbortController().signal

async function clientOf(answer: RequestListener, timeoutMs = 5_000) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const statuses: number[] = []
  const client = new RestClient({
    url: `http://127.0.0.1:${address.port}/base`,
    timeoutMs,
    budget: { capacity: 1_000, refillPerSecond: 1_000 },
    saysRateLimited: (body) => body.includes('10028'),
    saysRefused: (body) => body.includes('-1121'),
    onAnswer: (status) => statuses.push(status),
  })
  return { client, statuses, server }
}

it('appends path and query to the base address', async () => {
  const { client } = await clientOf((request, response) => response.end(request.url))
  expect(await client.get('/trades', { from: 5, symbol: 'A&B' }, 1, never)).toBe(
    '/base/trades?from=5&symbol=A%26B',
  )
})

// What is refused is given up at once, and its trades are lost: a passing failure must not be taken for
// it, whatever its status.
it.each([
  [429, '', 'rate_limited'],
  [418, '', 'rate_limited'],
  [400, '{"error":{"code":10028}}', 'rate_limited'],
  [400, '{"code":-1121}', 'refused'],
  [404, '{"code":-1121}', 'refused'],
  [400, '{"error":{"code":10041}}', 'unavailable'],
  [404, 'no such page', 'unavailable'],
  [403, 'blocked by a firewall', 'rate_limited'],
  [451, '', 'unavailable'],
  [503, '{"code":-1121}', 'unavailable'],
  [503, '', 'unavailable'],
])('an answer of %i with "%s" is %s', async (status, body, code) => {
  const { client, statuses } = await clientOf((_request, response) => {
    response.statusCode = status
    response.end(body)
  })
  await expect(client.get('/x', {}, 1, never)).rejects.toMatchObject({ code })
  expect(statuses).toEqual([status])
})

it('sends nothing before Retry-After has passed', async () => {
  const askedAt: number[] = []
  const { client } = await clientOf((_request, response) => {
    askedAt.push(performance.now())
    if (askedAt.length === 1) response.writeHead(429, { 'retry-after': '0.3' })
    response.end('body')
  })
  await expect(client.get('/x', {}, 1, never)).rejects.toMatchObject({ code: 'rate_limited' })
  expect(await client.get('/x', {}, 1, never)).toBe('body')
  const [first = 0, second = 0] = askedAt
  expect(second - first).toBeGreaterThanOrEqual(290)
})

it('takes a venue that does not answer for unavailable', async () => {
  const { client, statuses } = await clientOf(() => undefined, 20)
  await expect(client.get('/x', {}, 1, never)).rejects.toMatchObject({ code: 'unavailable' })
  expect(statuses).toEqual([0])
})

it('takes a venue that is not there for unavailable', async () => {
  const { client, server } = await clientOf(() => undefined)
  server.close()
  await expect(client.get('/x', {}, 1, never)).rejects.toMatchObject({ code: 'unavailable' })
})

it('ends a request with the reason of its signal', async () => {
  const stop = new AbortController()
  const { client, statuses } = await clientOf(() => stop.abort(new Error('told to stop')))
  await expect(client.get('/x', {}, 1, stop.signal)).rejects.toThrow('told to stop')
  expect(statuses).toEqual([])
})
