/** Publishes one venue's frames as its clock goes on. */
export interface Feed {
  /**
   * Publishes every frame that is due by this venue time.
   *
   * @param flush true publishes unfinished slices too: afterwards each trade up to `to` is out.
   */
  advance(to: number, flush: boolean): void
  /** A channel got its first subscriber. */
  open(channel: string): void
  /** A channel lost its last subscriber. */
  close(channel: string): void
}

/** Whether a fault withholds this trade from the WebSocket. */
export type TradeFilter = (instrument: string, sequence: number) => boolean
