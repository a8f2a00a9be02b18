import { createServer } from 'node:http'

import { onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'

import type { MappedTrade } from '../mapped-trade.ts'
import { RestClient } from '../rest-client.ts'
import type { ConnectOptions } from '../venue.ts'

/** A venue's sockets and REST interface on this machine, as a test writes them; it ends with the test. */
export interface LocalVenue {
  readonly options: ConnectOptions
  readonly handed: {
    readonly trades: MappedTrade[]
    readonly malformed: string[]
    readonly errors: string[]
    readonly closing: string[]
  }
  /** Addresses asked for over REST. */
  readonly asked: readonly string[]
}

export interface LocalVenueScript {
  readonly onConnect?: (client: WebSocket) => void
  /** Called for each frame of the client's. */
  readonly onFrame?: (text: string, client: WebSocket) => void
  /** @returns the body for an address. */
  readonly onGet?: (address: string) => string
}

export async function localVenue({
  onConnect,
  onFrame,
  onGet,
}: LocalVenueScript): Promise<LocalVenue> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const address = request.url ?? ''
    asked.push(address)
    response.end(onGet?.(address) ?? '')
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (client) => {
    onConnect?.(client)
    // The default binaryType gives Buffers.
    client.on('message', (frame: Buffer) => onFrame?.(frame.toString('utf8'), client))
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
  const handed: LocalVenue['handed'] = { trades: [], malformed: [], errors: [], closing: [] }
  return {
    handed,
    asked,
    options: {
      url: `ws://127.0.0.1:${address.port}`,
      connectTimeoutMs: 5_000,
      idleTimeoutMs: 60_000,
      rest: new RestClient({
        url: `http://127.0.0.1:${address.port}`,
        timeoutMs: 5_000,
        budget: { capacity: 1_000_000, refillPerSecond: 1_000_000 },
        saysRateLimited: () => false,
        saysRefused: () => false,
        onAnswer: () => undefined,
      }),
      mapping: () => ({ feedId: 'local', receivedAt: Date.now(), futureToleranceMs: 5_000 }),
      handlers: {
        trades: (trades) => void handed.trades.push(...trades),
        malformed: (frame) => void handed.malformed.push(frame),
        venueError: (message) => void handed.errors.push(message),
        closing: (message) => void handed.closing.push(message),
      },
      signal: stop.signal,
    },
  }
}
