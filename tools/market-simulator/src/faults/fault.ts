import type { z } from 'zod'
import type { FrameRoute } from '../channels.ts'
import type { Connections } from '../connections.ts'
import type { Venue } from '../market/instrument.ts'
import type { Market } from '../market/market.ts'

/** A fault that cannot be armed as asked; the message says why. */
export class UnfitFaultError extends Error {
  override readonly name = 'UnfitFaultError'
}

/** What a fault may reach. */
export interface FaultContext {
  readonly connections: Connections
  readonly markets: readonly Market[]
  /** Puts all due trades on the sockets and returns the venue's time. */
  readonly flush: () => number
}

/** An answer over HTTP that says no. */
export interface TurnedAway {
  readonly status: number
  readonly retryAfter?: string
  readonly body: string
}

/**
 * Something that goes wrong on demand: `POST /control/<name>` arms it.
 *
 * A new fault is a file with one of these and a line in the table of faults/index.ts.
 */
export interface Fault<Params = unknown> {
  readonly name: string
  readonly params: z.ZodType<Params>
  /**
   * @returns what the control answers: the facts that a test needs afterwards
   * @throws UnfitFaultError if there is nothing for it to happen to.
   */
  arm(params: Params): unknown
  /** The frames to send instead of this one; undefined leaves it as it is. */
  frames?(frame: string, route: FrameRoute): readonly string[] | undefined
  /** Whether the trade stays off the WebSocket; history holds it all the same. */
  readonly withholds?: (venue: Venue, instrument: string, sequence: number) => boolean
  /** Whether the venue refuses subscriptions to the instrument. */
  readonly refuses?: (instrument: string) => boolean
  /** What the next request or attempt to connect is answered with; undefined lets it through. */
  turnsAway?(what: 'connect' | 'request'): TurnedAway | undefined
}
