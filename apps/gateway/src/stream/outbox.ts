import type { Sending } from './sending.ts'

/** What one key tells for now; the next one stands for it. Made once, and shared by all who get it. */
export interface Latest {
  /** The message. */
  readonly text: string
  /** Of an open candle, in ms since the epoch; 0 where there is no window. */
  readonly windowStart: number
  /** Of a message that is followed. */
  readonly sending?: Sending | undefined
}

/** A message that is followed. */
class FollowedText {
  readonly text: string
  readonly sending: Sending

  constructor(text: string, sending: Sending) {
    this.text = text
    this.sending = sending
  }
}

/**
 * What one client is still to be sent. Two kinds of messages, and two promises:
 *
 * 1. What is appended (finals, trades, answers) is sent completely and in its order.
 * 2. Of what is replaced (open candles, statistics) only the latest for each key is sent, and never behind a
 *    final of the same window.
 *
 * So whatever has been left out, a client to whom everything here has been sent stands where the view stands.
 * Keys are compared by identity.
 */
export class Outbox {
  #ordered: (string | FollowedText | Iterator<string>)[] = []
  /** Entries before it have been taken. */
  #head = 0
  #bytes = 0
  readonly #latest = new Map<object, Latest>()
  /** Of the messages that were taken last. */
  #taken: Sending[] | undefined

  /** Length of the messages appended, in characters; those that are made on taking do not count. */
  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#head === this.#ordered.length && this.#latest.size === 0
  }

  append(text: string, sending?: Sending): void {
    this.#ordered.push(sending === undefined ? text : new FollowedText(text, sending))
    this.#bytes += text.length
  }

  /** A final candle: nothing of its window or an earlier one is open any more. */
  appendFinal(key: object, { text, windowStart, sending }: Latest): void {
    const open = this.#latest.get(key)
    if (open !== undefined && open.windowStart <= windowStart) {
      this.#latest.delete(key)
      open.sending?.conflated()
    }
    this.append(text, sending)
  }

  /** Messages that are made one by one as they are taken: a snapshot must not stand here as text. */
  appendMade(texts: Iterator<string>): void {
    this.#ordered.push(texts)
  }

  /** @returns whether a message that had not been sent was replaced. */
  replace(key: object, latest: Latest): boolean {
    const before = this.#latest.get(key)
    this.#latest.set(key, latest)
    before?.sending?.conflated()
    return before !== undefined
  }

  /** Nothing more is sent of what may be replaced under this key. */
  forget(key: object): void {
    this.#latest.get(key)?.sending?.lost()
    this.#latest.delete(key)
  }

  clear(): void {
    for (const entry of this.#ordered.slice(this.#head)) {
      if (entry instanceof FollowedText) entry.sending.lost()
    }
    for (const { sending } of this.#latest.values()) sending?.lost()
    this.#ordered = []
    this.#head = 0
    this.#bytes = 0
    this.#latest.clear()
  }

  /**
   * Takes the next messages: those appended first, the others when none of these is left.
   *
   * @param most length from which on no further message is added.
   * @param last a message that is added if it is the very last one.
   * @returns a JSON array; undefined if there is nothing.
   */
  take(most: number, last?: string): string | undefined {
    this.#taken = undefined
    const texts: string[] = []
    const room = this.#takeOrdered(texts, most)
    if (room > 0) this.#takeLatest(texts, room)
    if (last !== undefined && this.isEmpty) texts.push(last)
    return texts.length === 0 ? undefined : `[${texts.join(',')}]`
  }

  /** Those of the messages that `take` gave last that are followed; undefined: none is. */
  get taken(): readonly Sending[] | undefined {
    return this.#taken
  }

  /** @returns the room that is left; none while something ordered is left. */
  #takeOrdered(texts: string[], most: number): number {
    let room = most
    while (this.#head < this.#ordered.length) {
      if (room <= 0) {
        this.#dropTaken()
        return 0
      }
      const text = this.#nextOrdered()
      if (text === undefined) continue
      texts.push(text)
      room -= text.length
    }
    this.#ordered = []
    this.#head = 0
    return room
  }

  /** @returns undefined where an entry turns out to have no further message. */
  #nextOrdered(): string | undefined {
    const entry = this.#ordered[this.#head]
    if (typeof entry === 'string') {
      this.#head += 1
      this.#bytes -= entry.length
      return entry
    }
    if (entry instanceof FollowedText) {
      this.#head += 1
      this.#bytes -= entry.text.length
      this.#follow(entry.sending)
      return entry.text
    }
    const made = entry?.next()
    if (made === undefined || made.done === true) {
      this.#head += 1
      return undefined
    }
    return made.value
  }

  #takeLatest(texts: string[], most: number): void {
    let room = most
    for (const [key, { text, sending }] of this.#latest) {
      if (room <= 0) return
      texts.push(text)
      if (sending !== undefined) this.#follow(sending)
      room -= text.length
      this.#latest.delete(key)
    }
  }

  #follow(sending: Sending): void {
    this.#taken ??= []
    this.#taken.push(sending)
  }

  /** Taking from the front of an array moves the rest: it is done in large pieces. */
  #dropTaken(): void {
    if (this.#head < 1_000) return
    this.#ordered.splice(0, this.#head)
    this.#head = 0
  }
}
