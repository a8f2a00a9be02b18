import type { Notice, StreamEvent } from './stream-events.ts'

/** Most events that wait for a reader. */
const capacity = 20_000

/**
 * What waits for the reader of an iterable. A candle in progress takes the place of the one before it of the same
 * window, for the later one says all that the earlier one did; nothing else is left out.
 */
export class EventQueue<Event extends StreamEvent | Notice> {
  /** In the order of arrival; by window for candles in progress, by a running number for the rest. */
  readonly #waiting = new Map<string | number, Event>()
  #pushed = 0
  #wake: (() => void) | undefined
  #ended = false
  #error: Error | undefined

  /** @returns false if the queue was full: its events are gone, and the reader needs a reset. */
  push(event: Event): boolean {
    const key = openWindowOf(event) ?? (this.#pushed += 1)
    const fits = this.#waiting.has(key) || this.#waiting.size < capacity
    if (fits) this.#waiting.set(key, event)
    else this.#waiting.clear()
    this.#wake?.()
    return fits
  }

  /** Events that wait are still read; then the iteration ends, or throws the error. */
  end(error?: Error): void {
    this.#ended = true
    this.#error ??= error
    this.#wake?.()
  }

  async *read(): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      for (const [key, event] of this.#waiting) {
        this.#waiting.delete(key)
        yield event
      }
      if (this.#waiting.size > 0) continue
      if (this.#error !== undefined) throw this.#error
      if (this.#ended) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

function openWindowOf(event: StreamEvent | Notice): string | undefined {
  if (event.type !== 'update' || !('candle' in event) || event.candle.final) return undefined
  const { instrumentId, interval, windowStart } = event.candle
  return `${instrumentId}|${interval}|${windowStart}`
}
