/**
 * Close codes of the WebSocket besides the standard ones (1000, 1001, 1009). A module of its own, without
 * zod, that a browser can take alone.
 */
export const closeCodes = {
  /** The client sent something that is not a message of the protocol, again and again. */
  invalidMessages: 4400,
  /** No key or token, or one that is not valid any more. */
  unauthenticated: 4401,
  /** More connections than the address or the key may have. */
  tooManyConnections: 4429,
  /** The client sent more messages than it may. */
  tooManyMessages: 4430,
  /** It did not answer pings. */
  noPong: 4408,
  /** It reads more slowly than finals come: its buffer was full, or a write took too long. */
  slowConsumer: 4409,
  /** The gateway lost its own stream: come again, with the cursor. */
  streamReset: 4503,
} as const

export type CloseReason = keyof typeof closeCodes
