/** Who receives frames: one socket. */
export interface Subscriber {
  send(frame: Buffer): void
}

/** Changes what leaves on the wire; see faults/. Undefined leaves the frame as it is. */
export type FrameFilter = (frame: string) => readonly string[] | undefined

/** The subscriptions of one venue, by the name of the channel or stream. */
export class Channels {
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  readonly #filter: FrameFilter

  constructor(filter: FrameFilter) {
    this.#filter = filter
  }

  /** @returns whether the channel had no subscriber before */
  subscribe(channel: string, subscriber: Subscriber): boolean {
    const present = this.#subscribers.get(channel)
    if (present !== undefined) {
      present.add(subscriber)
      return false
    }
    this.#subscribers.set(channel, new Set([subscriber]))
    return true
  }

  /** @returns whether the channel has no subscriber left */
  unsubscribe(channel: string, subscriber: Subscriber): boolean {
    const present = this.#subscribers.get(channel)
    present?.delete(subscriber)
    if (present?.size !== 0) return false
    this.#subscribers.delete(channel)
    return true
  }

  has(channel: string): boolean {
    return this.#subscribers.has(channel)
  }

  /**
   * Encodes the frame once, whatever the number of subscribers.
   *
   * @returns whether there is any subscriber
   */
  publish(channel: string, frame: string): boolean {
    const subscribers = this.#subscribers.get(channel)
    if (subscribers === undefined) return false
    for (const text of this.#filter(frame) ?? [frame]) {
      const bytes = Buffer.from(text)
      for (const subscriber of subscribers) subscriber.send(bytes)
    }
    return true
  }
}
