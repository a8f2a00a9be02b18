import type { Outbox } from './outbox.ts'
import type { Sending } from './send-traces.ts'

/** Messages of one client that are followed, from its outbox to its socket. */
export class Deliveries {
  readonly #outbox: Outbox
  /** In the outbox, in its order. */
  #waiting: { readonly sending: Sending; readonly place: number }[] = []
  /** In frames that the socket has not taken. */
  readonly #underway = new Set<Sending>()

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** Follows the message that was appended to the outbox last. */
  add(sending: Sending): void {
    this.#waiting.push({ sending, place: this.#outbox.appended })
  }

  /**
   * To be asked for every frame, when it has been taken from the outbox.
   *
   * @param written to be called when the socket has taken the frame.
   * @returns what to call instead: the same where nothing in the frame is followed.
   */
  inFrame(written: () => void): (error?: Error | null) => void {
    const { taken } = this.#outbox
    const [first] = this.#waiting
    if (first === undefined || first.place > taken) return written
    const next = this.#waiting.findIndex(({ place }) => place > taken)
    const count = next < 0 ? this.#waiting.length : next
    const sendings = this.#waiting.splice(0, count).map(({ sending }) => sending)
    for (const sending of sendings) this.#underway.add(sending)
    return (error) => {
      for (const sending of sendings) {
        // Whoever has ended is told of already.
        if (!this.#underway.delete(sending)) continue
        if (error) sending.lost()
        else sending.written()
      }
      written()
    }
  }

  /** The outbox is given up: what is in it is never sent. */
  giveUpWaiting(): void {
    for (const { sending } of this.#waiting) sending.lost()
    this.#waiting = []
  }

  /** The connection is over. */
  end(): void {
    this.giveUpWaiting()
    for (const sending of this.#underway) sending.lost()
    this.#underway.clear()
  }
}
