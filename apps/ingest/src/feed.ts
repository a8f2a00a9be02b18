import type { MappedTrade } from './mapped-trade.ts'

/** What a connection hands over while it is read, in the order in which the venue sent it. */
export interface FeedHandlers {
  /** @param frame as the venue sent it. */
  trades(trades: readonly MappedTrade[], frame: string): void
  /** A frame that cannot be read. */
  malformed(frame: string, message: string): void
  /** The venue complains of something that nobody waits for. */
  venueError(message: string): void
  /** The venue announces that it ends this connection soon: another one beside it loses nothing. */
  closing?(message: string): void
}

export interface Subscribed {
  /** Instruments that the venue does not deliver; all others it does, from now on. */
  readonly refused: readonly string[]
}

/** An open connection to a venue's WebSocket. Disposing it stops all reading at once. */
export interface FeedConnection extends Disposable {
  /** Settles with the reason when the connection has ended, by whichever side. */
  readonly closed: Promise<string>
  /** @throws ConnectionLost */
  subscribe(instruments: readonly string[]): Promise<Subscribed>
  /**
   * Ends the delivery of instruments while the connection goes on. Where the venue has no such request
   * they end with the connection.
   */
  unsubscribe?(instruments: readonly string[]): void
  /**
   * Asks for the venue's time. When it settles, everything that the venue had sent before it told the
   * time has been handed over.
   *
   * @returns milliseconds since the epoch; undefined if the venue did not tell.
   * @throws ConnectionLost
   */
  venueTime(): Promise<number | undefined>
  /** Stops reading; what the socket has read already is still handed over. */
  pause(): void
  resume(): void
}

/** A venue that takes no connection because there were too many, or too much was asked. */
export interface Refusal {
  /** The HTTP status of the handshake's answer. */
  readonly status: number
  /** Of the header Retry-After. */
  readonly retryAfter: string | null
  readonly body: string
}

/** The connection ended while something was waited for. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  readonly refusal: Refusal | undefined

  constructor(
    message: string,
    options?: ErrorOptions & { readonly refusal?: Refusal | undefined },
  ) {
    super(message, options)
    this.refusal = options?.refusal
  }
}
