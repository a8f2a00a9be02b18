import type { Duplex } from 'node:stream'
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
  readonly #transport: Duplex
  #corked = false
  #isSilent = false

  /** @param transport the TCP connection under the socket */
  constructor(id: number, venue: Venue, socket: WebSocket, transport: Duplex) {
    this.id = id
    this.venue = venue
    this.#socket = socket
    this.#transport = transport
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  /**
   * Frames of one turn of the event loop leave together: a write for each frame would halve the
   * number of frames a second.
   */
  send(frame: Buffer | string): void {
    if (this.#isSilent || this.#socket.readyState !== this.#socket.OPEN) return
    if (!this.#corked) {
      this.#corked = true
      this.#transport.cork()
      process.nextTick(() => this.flush())
    }
    this.#socket.send(frame, { binary: false })
    if (this.#socket.bufferedAmount > slowReaderBytes) this.#socket.terminate()
  }

  /** Hands what was sent to the kernel. */
  flush(): void {
    if (!this.#corked) return
    this.#corked = false
    this.#transport.uncork()
  }

  ping(payload: string): void {
    if (this.#isSilent || this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.ping(payload)
  }

  /** Sends nothing any more, and stays open: what a client sees of a host that is gone. */
  fallSilent(): void {
    this.#isSilent = true
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
