import { expect, it } from 'vitest'

import { createClient } from '../src/index.ts'
import { LocalGateway } from './local-gateway.ts'

it('reads every instrument of all pages', async () => {
  await using gateway = await LocalGateway.open()
  using client = createClient({ url: gateway.url })
  const ids: string[] = []
  for await (const { instrumentId } of client.eachInstrument({ search: 'a' }))
    ids.push(instrumentId)
  expect(ids).toEqual(['binance:A', 'binance:B'])
})

it('a problem document becomes an error that says what happened', async () => {
  await using gateway = await LocalGateway.open()
  using client = createClient({ url: `${gateway.url}/` })
  await expect(client.pipeline()).rejects.toMatchObject({
    name: 'GatewayError',
    code: 'not_found',
    status: 404,
    message: 'Refused: Nothing is served at /v1/pipeline',
    retryable: false,
    problem: { instance: '1' },
  })
})

it('sends the token as it is now', async () => {
  await using gateway = await LocalGateway.open()
  gateway.token = 'right'
  using client = createClient({ url: gateway.url, token: 'wrong' })
  await expect(client.instruments()).rejects.toMatchObject({
    code: 'unauthenticated',
    retryAfterMs: 7_000,
  })
  client.setToken('right')
  await expect(client.instruments()).resolves.toMatchObject({ next: 'two' })
})

it("a proxy's page is told from an answer of the gateway", async () => {
  await using gateway = await LocalGateway.open()
  using client = createClient({ url: gateway.url })
  await expect(client.feeds()).rejects.toMatchObject({
    code: 'not_ready',
    status: 502,
    retryable: true,
  })
})

it('a gateway that is not there is an error that may pass', async () => {
  const gateway = await LocalGateway.open()
  const { url } = gateway
  await gateway[Symbol.asyncDispose]()
  using client = createClient({ url })
  await expect(client.instruments()).rejects.toMatchObject({
    code: 'unreachable',
    status: undefined,
    retryable: true,
  })
})
