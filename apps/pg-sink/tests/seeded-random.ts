/** The same draws for the same seed, on every machine. */
export interface Random {
  /** An integer in [from, below). */
  between(from: number, below: number): number
  chance(probability: number): boolean
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  // mulberry32 by Tommy Ettinger, public domain.
  const real = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    between: (from, below) => from + Math.floor(real() * (below - from)),
    chance: (probability) => real() < probability,
  }
}
