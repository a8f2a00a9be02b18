import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { Connection } from './connection.ts'
import { frameText } from './frame-text.ts'
import type { Venue } from './market/venue-name.ts'
import type { VenueContext } from './venue.ts'

/** One client's conversation with a venue. */
export interface VenueSession {
  receive(text: string): void
  /** The socket is gone. */
  end(): void
}

/** Takes a client in: what it sends reaches its session until its socket is gone. */
export function openSession<Session extends VenueSession>(
  { connections }: VenueContext,
  venue: Venue,
  { socket, transport }: { readonly socket: WebSocket; readonly transport: Duplex },
  converse: (connection: Connection) => Session,
): Session {
  const connection = new Connection(connections.nextId(), venue, socket, transport)
  connections.add(connection)
  const session = converse(connection)
  socket.on('message', (bytes) => session.receive(frameText(bytes)))
  // A reset connection is no news to a server; what follows is the close event.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    connections.remove(connection)
    session.end()
  })
  return session
}
