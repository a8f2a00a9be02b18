import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'

import type { FeedHandlers } from './feed.ts'
import { ImportProblem } from './import-arguments.ts'
import type { MappingContext } from './mapped-trade.ts'
import type { RestClient } from './rest-client.ts'
import type { Venue } from './venue.ts'

export interface FramePlayerOptions {
  readonly venue: Venue
  readonly instrument: string
  readonly frames: AsyncIterable<string>
  readonly rest: RestClient
  readonly mapping: () => MappingContext
  readonly handlers: FeedHandlers
  /** Waited for between frames, so that what they bring has room. */
  readonly whenRoom: () => Promise<void>
}

/** Frames between two looks at whether there is room. */
const framesAtOnce = 100

const connectMs = 10_000

/** Nobody watches for silence: we are the venue. */
const forEver = 2 ** 31 - 1

/**
 * Reads recorded frames with the venue's own feed: a WebSocket server of ours sends them as the venue did,
 * so that they go through the same code as live ones. Resolves when all have been handed over.
 *
 * @throws ImportProblem if the feed wants answers that a recording does not give; what `frames` throws.
 */
export async function playFrames(options: FramePlayerOptions, signal: AbortSignal): Promise<void> {
  const { frames, handlers, instrument, mapping, rest, venue, whenRoom } = options
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  try {
    await once(server, 'listening', { signal })
    // A server on a TCP port has such an address.
    const { port } = server.address() as AddressInfo
    const accepted = once(server, 'connection', { signal })
    const late = new AbortController()
    const tooLate = setTimeout(() => late.abort(new Error('it waits for an answer')), connectMs)
    const connecting = venue.connect({
      url: `ws://127.0.0.1:${port}`,
      connectTimeoutMs: connectMs,
      idleTimeoutMs: forEver,
      rest,
      mapping,
      handlers,
      isPlayed: true,
      signal: AbortSignal.any([signal, late.signal]),
    })
    using connection = await connecting
      .finally(() => clearTimeout(tooLate))
      .catch((error: unknown) => {
        signal.throwIfAborted()
        throw new ImportProblem(
          `The feed of ${venue.name} cannot begin on a recording: ${String(error)}`,
          { cause: error },
        )
      })
    // No answer comes, and none is needed: the feed knows by it whose trades are wanted.
    connection.subscribe([instrument]).catch(() => undefined)
    // The event's only argument.
    const [socket] = (await accepted) as [WebSocket]
    await send(socket, frames, whenRoom, signal)
    socket.close(1000)
    await connection.closed
  } finally {
    for (const client of server.clients) client.terminate()
    server.close()
  }
}

async function send(
  socket: WebSocket,
  frames: AsyncIterable<string>,
  whenRoom: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let waiting = 0
  for await (const frame of frames) {
    signal.throwIfAborted()
    waiting += 1
    if (waiting < framesAtOnce) {
      socket.send(frame)
      continue
    }
    waiting = 0
    await new Promise<void>((resolve) => {
      socket.send(frame, () => resolve())
    })
    await whenRoom()
  }
}
