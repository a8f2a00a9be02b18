import { ConnectionLost } from './feed.ts'

/** Questions whose answers carry no id: the venue answers them in the order in which they come. */
export class AnswersInOrder {
  readonly #waiting: PromiseWithResolvers<void>[] = []
  #ended: string | undefined

  /** @param closed settles with the reason when the connection has ended. */
  constructor(closed: Promise<string>) {
    void closed.then((reason) => {
      this.#ended = reason
      for (const { reject } of this.#waiting.splice(0)) reject(new ConnectionLost(reason))
    })
  }

  /**
   * @param send puts the question on the wire.
   * @throws ConnectionLost
   */
  ask(send: () => void): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(new ConnectionLost(this.#ended))
    const answer = Promise.withResolvers<void>()
    this.#waiting.push(answer)
    send()
    return answer.promise
  }

  /** @returns whether anybody waited for it. */
  answered(): boolean {
    const first = this.#waiting.shift()
    first?.resolve()
    return first !== undefined
  }
}
