/** A message that is followed on its way to the sockets; of each client one of these is told, once. */
export interface Sending {
  /** The socket has taken it. */
  written(): void
  /** A later message took its place before it was sent. */
  conflated(): void
  /** The client has gone, or wants it no more. */
  lost(): void
}
