import type { Delivery } from './delivery.ts'
import { untilAborted } from './until-aborted.ts'

/** An open session, as far as its instruments can change. */
export interface ChangeableSession {
  /** Subscribes them and catches up. What fails ends the session, and the next one has them too. */
  add(deliveries: readonly Delivery[]): void
  /**
   * Waits until everything that the venue had sent before this call, and what was missed before the
   * session, has been delivered.
   *
   * @returns false if the session ended before that.
   */
  settled(): Promise<boolean>
  /** Nothing of them is delivered from now on. */
  remove(instruments: readonly string[]): void
}

/** What is at work now on the instruments of a feed: a session, or none between two of them. */
export class LiveInstruments {
  #session: ChangeableSession | undefined
  #next = Promise.withResolvers<ChangeableSession>()

  attach(session: ChangeableSession): void {
    this.#session = session
    this.#next.resolve(session)
  }

  detach(session: ChangeableSession): void {
    if (this.#session !== session) return
    this.#session = undefined
    this.#next = Promise.withResolvers()
  }

  /** Without a session there is nothing to do: the next one begins with all instruments. */
  add(deliveries: readonly Delivery[]): void {
    this.#session?.add(deliveries)
  }

  remove(instruments: readonly string[]): void {
    this.#session?.remove(instruments)
  }

  /** Waits, over as many sessions as it takes, until everything that there is has been delivered. */
  async settled(signal: AbortSignal): Promise<void> {
    for (;;) {
      const session = this.#session ?? (await untilAborted(this.#next.promise, signal))
      if (await untilAborted(session.settled(), signal)) return
    }
  }
}
