import type { WebSocket } from 'ws'
import type { Subscriber } from './channels.ts'
import type { Venue } from './market/instrument.ts'

/** A reader that lags behind by this many bytes is cut off, as venues do. */
const slowReaderBytes = 64 * 1024 * 1024

/** One client's WebSocket, at either venue. */
export class Connection implements Subscriber {
  readonly id: number
  readonly venue: Venue
  /** The names that the client subscribed to, in the order of subscription. */
  readonly subscriptions = new Set<string>()
  readonly #socket: WebSocket

  constructor(id: number, venue: Venue, socket: WebSocket) {
    this.id = id
    this.venue = venue
    this.#socket = socket
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(frame: Buffer | string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.send(frame, { binary: false })
    if (this.#socket.bufferedAmount > slowReaderBytes) this.#socket.terminate()
  }

  ping(payload: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(payload)
  }

  /** Closes with a close frame. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  /** Cuts the TCP connection. */
  terminate(): void {
    this.#socket.terminate()
  }
}
