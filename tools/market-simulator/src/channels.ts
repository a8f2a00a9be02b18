/** Who receives frames: one socket. */
export interface Subscriber {
  send(frame: Buffer): void
}

/** Where a frame goes. */
export interface FrameRoute {
  /** Of all venues, this channel alone has this name. */
  readonly name: string
  /** Sends a frame to those who are subscribed by then, past every filter. */
  readonly send: (frame: string) => void
}

/** Changes what leaves on the wire; see faults/. Undefined leaves the frame as it is. */
export type FrameFilter = (frame: string, route: FrameRoute) => readonly string[] | undefined

/** The subscriptions of one venue, by the name of the channel or stream. */
export class Channels {
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  readonly #routes = new Map<string, FrameRoute>()
  readonly #venue: string
  readonly #filter: FrameFilter

  constructor(venue: string, filter: FrameFilter) {
    this.#venue = venue
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
    if (!this.#subscribers.has(channel)) return false
    for (const text of this.#filter(frame, this.#routeOf(channel)) ?? [frame]) {
      this.#send(channel, text)
    }
    return true
  }

  #routeOf(channel: string): FrameRoute {
    const known = this.#routes.get(channel)
    if (known !== undefined) return known
    const send = (text: string): void => this.#send(channel, text)
    const route = { name: `${this.#venue} ${channel}`, send }
    this.#routes.set(channel, route)
    return route
  }

  #send(channel: string, text: string): void {
    const bytes = Buffer.from(text)
    for (const subscriber of this.#subscribers.get(channel) ?? []) subscriber.send(bytes)
  }
}
