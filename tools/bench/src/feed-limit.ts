import { WebSocket } from 'ws'

import { statusOf } from './simulated-market.ts'
import type { SimulatorAddress } from './simulated-market.ts'

/**
 * Reads a held market to its end and throws it away: the most that any client could read here.
 *
 * @returns trades a second.
 */
export async function drainFeed(address: SimulatorAddress): Promise<number> {
  const socket = new WebSocket(address.wsUrl)
  const subscribed = Promise.withResolvers<void>()
  let trades = 0
  let last = 0
  socket.on('message', (frame: Buffer) => {
    const text = frame.toString('latin1')
    if (!text.includes('"trades.')) return
    if (text.includes('"result"')) {
      subscribed.resolve()
      return
    }
    for (let at = text.indexOf('"trade_seq"'); at >= 0; at = text.indexOf('"trade_seq"', at + 11)) {
      trades += 1
    }
    last = performance.now()
  })
  socket.on('error', subscribed.reject)
  socket.on('open', () => {
    const channels = address.instruments.map((instrument) => `trades.${instrument}.100ms`)
    socket.send(
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels } }),
    )
  })
  await subscribed.promise
  const began = performance.now()
  await fetch(`${address.controlUrl}/start`, { method: 'POST' })
  await finished(address)
  socket.terminate()
  return trades / ((last - began) / 1000)
}

async function finished(address: SimulatorAddress): Promise<void> {
  for (;;) {
    if ((await statusOf(address)).finished) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
