import type { InstrumentProgress } from './instrument-progress.ts'
import type { OpenWindow } from './open-window.ts'
import { Agenda } from './agenda.ts'
import { FeedGaps } from './gaps.ts'

/** Open windows of one feed with the same start. */
interface WindowBucket {
  readonly start: number
  readonly end: number
  windows: OpenWindow[]
}

/** One feed of the partition: its watermark and what waits for it to move. */
export class FeedProgress {
  readonly feedId: string
  /** The watermark; null before the first heartbeat. */
  upTo: number | null = null
  /** Every window that ends at or before this is closed. */
  closedUntil = 0
  /** Windows of the lowest interval that end at or before this are forgotten, unless held. */
  forgottenUntil = 0
  readonly gaps = new FeedGaps()
  readonly instruments = new Set<InstrumentProgress>()
  /** Stored windows that must be asked what they come to. */
  readonly agenda = new Agenda()
  /** Instruments with windows above the lowest interval to come; sorted when it is read. */
  roster: InstrumentProgress[] = []
  /** Instruments that came from another feed since the last heartbeat. */
  readonly joining = new Set<InstrumentProgress>()
  /** The earliest window end above the lowest interval that the roster waits for. */
  nextParentEnd = Infinity
  /** Ascending. */
  readonly #buckets: WindowBucket[] = []

  constructor(feedId: string) {
    this.feedId = feedId
  }

  /** The earliest window end, of any interval, at which there is something to do. */
  get nextEnd(): number {
    return Math.min(this.#buckets[0]?.end ?? Infinity, this.nextParentEnd, this.agenda.nextEnd)
  }

  addWindow(window: OpenWindow): void {
    const buckets = this.#buckets
    // New windows are the latest or nearly so.
    let at = buckets.length
    for (; at > 0; at -= 1) {
      const bucket = buckets[at - 1]
      if (bucket === undefined || bucket.start < window.start) break
      if (bucket.start === window.start) {
        bucket.windows.push(window)
        return
      }
    }
    buckets.splice(at, 0, { start: window.start, end: window.end, windows: [window] })
  }

  removeWindow(window: OpenWindow): void {
    const at = this.#buckets.findIndex((bucket) => bucket.start === window.start)
    const bucket = this.#buckets[at]
    if (bucket === undefined) return
    bucket.windows = bucket.windows.filter((other) => other !== window)
    if (bucket.windows.length === 0) this.#buckets.splice(at, 1)
  }

  /** The open windows that end at exactly this time; they leave the feed. */
  takeWindowsEndingAt(end: number): OpenWindow[] {
    if (this.#buckets[0]?.end !== end) return []
    return this.#buckets.shift()?.windows ?? []
  }

  /** Open windows that began to take records before an offset. */
  windowsSince(offset: number): OpenWindow[] {
    return this.#buckets.flatMap(({ windows }) =>
      windows.filter(({ firstOffset }) => firstOffset < offset),
    )
  }

  /** Offset of the first record that an open window holds; Infinity if none is open. */
  firstNeededOffset(): number {
    let first = Infinity
    for (const bucket of this.#buckets) {
      for (const window of bucket.windows) first = Math.min(first, window.firstOffset)
    }
    return first
  }

  /** Remembers that the instrument has windows above the lowest interval to come. */
  enlist(instrument: InstrumentProgress, nextEnd: number): void {
    if (nextEnd < this.nextParentEnd) this.nextParentEnd = nextEnd
    if (instrument.enlisted || nextEnd === Infinity) return
    instrument.enlisted = true
    this.roster.push(instrument)
  }

  /** Everything of the instrument that waits for this feed goes to another. */
  release(instrument: InstrumentProgress, to: FeedProgress): void {
    this.instruments.delete(instrument)
    to.instruments.add(instrument)
    for (const window of instrument.openWindows.values()) {
      this.removeWindow(window)
      to.addWindow(window)
    }
    this.agenda.move(instrument, to.agenda)
    this.roster = this.roster.filter((other) => other !== instrument)
    instrument.enlisted = false
    this.joining.delete(instrument)
  }
}
