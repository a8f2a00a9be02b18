/** The same draws for the same seed, on every machine. */
export interface Random {
  /** In [0, 1). */
  real(): number
  /** An integer in [from, below). */
  between(from: number, below: number): number
  chance(probability: number): boolean
}

/**
 * @param name draws of one name do not move when another part draws more: a change of one fault leaves
 *   the others where they were.
 */
export function seededRandom(seed: number, name: string): Random {
  let state = seed >>> 0
  for (let at = 0; at < name.length; at += 1) {
    state = Math.imul(state ^ name.charCodeAt(at), 0x01000193) >>> 0
  }
  // mulberry32 by Tommy Ettinger, public domain.
  const real = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    real,
    between: (from, below) => from + Math.floor(real() * (below - from)),
    chance: (probability) => real() < probability,
  }
}
