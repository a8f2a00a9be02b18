/** First wait after a connection was lost, in ms; it doubles from try to try. */
const firstMs = 250
const mostMs = 15_000

/**
 * How long to wait before the next try: at least half of an exponential wait, the rest by chance, so that the
 * clients of a gateway that restarts do not come back in one moment.
 *
 * @param tries failed in a row, 0 for the first.
 * @param random within [0, 1).
 */
export function backoffMs(tries: number, random: number): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(tries, 20))
  return Math.round(whole / 2 + (whole / 2) * random)
}
