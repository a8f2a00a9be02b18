import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { frameBytes, idOf, numberOf, symbols, tradeAt, tradeEvent } from './binance-frames.ts'

it('each symbol counts its trades without holes, and a trade is found by its id', () => {
  const ids = new Map<string, number>()
  for (let number = 0; number < 1_000; number += 1) {
    const { symbol, id } = tradeAt(number)
    expect(id).toBe((ids.get(symbol) ?? id - 1) + 1)
    ids.set(symbol, id)
    expect(numberOf(symbol, id)).toBe(number)
  }
  expect(ids.size).toBe(symbols.length)
  expect(idOf(symbols.length)).toBe(idOf(0) + 1)
})

it('a WebSocket client reads the frames one by one, short and long ones', async () => {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  const texts = [
    'a',
    tradeEvent(7, 1_779_235_200_000),
    'x'.repeat(125),
    'y'.repeat(126),
    'é'.repeat(300),
  ]
  server.on('upgrade', (request, transport, head) => {
    sockets.handleUpgrade(request, transport, head, () => transport.write(frameBytes(texts)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server on a TCP port has such an address.
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    client.terminate()
    server.close()
  })
  const received: string[] = []
  await new Promise<void>((resolve) => {
    client.on('message', (data: Buffer) => {
      received.push(data.toString())
      if (received.length === texts.length) resolve()
    })
  })
  expect(received).toEqual(texts)
})
