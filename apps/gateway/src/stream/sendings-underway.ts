import type { Sending } from './sending.ts'

/** Messages of one client that are followed, in frames that its socket has not taken. */
export class SendingsUnderway {
  readonly #underway = new Set<Sending>()

  /**
   * @param sendings in a frame that is about to be sent; undefined: none.
   * @param written to be called when the socket has taken the frame.
   * @returns what to call instead.
   */
  inFrame(
    sendings: readonly Sending[] | undefined,
    written: () => void,
  ): (error?: Error | null) => void {
    if (sendings === undefined) return written
    for (const sending of sendings) this.#underway.add(sending)
    return (error) => {
      for (const sending of sendings) {
        // Those of a connection that is over are told of already.
        if (!this.#underway.delete(sending)) continue
        if (error) sending.lost()
        else sending.written()
      }
      written()
    }
  }

  /** The connection is over. */
  end(): void {
    for (const sending of this.#underway) sending.lost()
    this.#underway.clear()
  }
}
