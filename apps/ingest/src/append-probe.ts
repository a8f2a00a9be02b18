import type { IngestEvents } from './events.ts'
import type { MarketLog } from './market-log.ts'

/**
 * Measures how long what comes with a frame takes into Kafka: of one frame at a time, the next one when the one before is
 * acknowledged. So it costs as little at 60,000 frames a second as at one, and tells of each delay of Kafka's.
 */
export class AppendProbe {
  readonly #log: Pick<MarketLog, 'acknowledged'>
  readonly #events: Pick<IngestEvents, 'appended'>
  #isUnderWay = false

  constructor(log: Pick<MarketLog, 'acknowledged'>, events: Pick<IngestEvents, 'appended'>) {
    this.#log = log
    this.#events = events
  }

  /** To be called behind the frame's last record. @param receivedAt of the frame, ms since the epoch. */
  frameWritten(receivedAt: number): void {
    if (this.#isUnderWay) return
    this.#isUnderWay = true
    this.#log.acknowledged().then(
      () => {
        this.#isUnderWay = false
        this.#events.appended(Math.max(0, Date.now() - receivedAt) / 1000)
      },
      // The producer has failed, and its owner ends by that.
      () => undefined,
    )
  }
}
