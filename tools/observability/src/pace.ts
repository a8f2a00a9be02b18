/**
 * How fast rules go. All that they wait for, look back over or allow is a time in seconds of ordinary running; a
 * test that has no minutes to wait divides them.
 */
export class Pace {
  readonly #divisor: number

  /** @param divisor 1 for what is run; 20 makes 5 minutes 15 seconds. */
  constructor(divisor = 1) {
    this.#divisor = divisor
  }

  /** A threshold, in seconds. */
  seconds(ordinary: number): number {
    return ordinary / this.#divisor
  }

  /** As Prometheus writes it: `90s`, `5m`, `1h`, `1500ms`. */
  span(ordinarySeconds: number): string {
    const ms = Math.round((ordinarySeconds * 1000) / this.#divisor)
    if (ms % 1000 !== 0) return `${ms}ms`
    const seconds = ms / 1000
    if (seconds % 3600 === 0) return `${seconds / 3600}h`
    return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
  }
}

export const minute = 60
export const hour = 3_600
export const day = 86_400
