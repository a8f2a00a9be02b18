import type { VenueSocket } from './venue-socket.ts'

/** Questions whose answers carry no id: the venue answers them in the order in which they come. */
export class AnswersInOrder {
  readonly #waiting: number[] = []

  /**
   * @param send puts the question on the wire.
   * @throws ConnectionLost
   */
  async ask(socket: VenueSocket, send: () => void): Promise<void> {
    await socket.question((id) => {
      this.#waiting.push(id)
      send()
    })
  }

  /** @returns whether anybody waited for it. */
  answered(socket: VenueSocket): boolean {
    const id = this.#waiting.shift()
    return id !== undefined && socket.answer(id, undefined)
  }
}
