import type { Instrument } from './instrument.ts'
import { hashText, randomNumbers } from './random.ts'

/** Time is cut in blocks of a minute, counted from here, so a trade's sequence follows from its time. */
export const firstBlockTime = Date.UTC(2020, 0, 1)

export const blockMs = 60_000

/** The trades of one instrument in one block, by column, in order of time. */
export interface TradeBlock {
  readonly startTime: number
  /** Milliseconds after startTime. */
  readonly offsets: Uint16Array
  /** Price in ticks. */
  readonly ticks: Float64Array
  /** Quantity in lots. */
  readonly lots: Float64Array
  /** 1 where the taker buys. */
  readonly buys: Uint8Array
}

type Pace = 'steady' | 'burst' | 'quiet'

/** One trade in this many is part of the same sweep, and of the same millisecond, as the one before. */
const sweepShare = 0.3

/**
 * Computes a block from the seed alone: always the same, whichever blocks were computed before.
 *
 * @param count trades in the block
 * @param index number of the block since firstBlockTime
 */
export function computeBlock(
  seed: string,
  instrument: Instrument,
  count: number,
  index: number,
): TradeBlock {
  const identity = `${seed}/${instrument.venue}:${instrument.name}`
  const random = randomNumbers(hashText(`${identity}/${index}`))
  const startTime = firstBlockTime + index * blockMs
  const offsets = tradeOffsets(choosePace(random()), count, random)
  const ticks = new Float64Array(count)
  const lots = new Float64Array(count)
  const buys = new Uint8Array(count)
  const tick = instrument.tickUnits * 10 ** -instrument.priceDecimals
  const level = priceLevel(identity, instrument.basePrice)
  let previousOffset = -1
  for (let place = 0; place < count; place += 1) {
    const offset = offsets[place] ?? 0
    const previous = place - 1
    if (offset === previousOffset) {
      // A sweep eats the book: one side, each fill at the same price or a worse one.
      const buy = buys[previous] ?? 0
      const step = random() < 0.5 ? 0 : 1
      buys[place] = buy
      ticks[place] = Math.max(1, (ticks[previous] ?? 1) + (buy === 1 ? step : -step))
    } else {
      const buy = random() < 0.5 ? 1 : 0
      const spread = 1 + random() * 4
      buys[place] = buy
      ticks[place] = Math.max(
        1,
        Math.round(level(startTime + offset) / tick + (buy === 1 ? spread : -spread)),
      )
    }
    lots[place] = tradeLots(random)
    previousOffset = offset
  }
  return { startTime, offsets, ticks, lots, buys }
}

/** The smooth part of an instrument's price: waves from a minute and a half to three days. */
export function priceLevel(identity: string, basePrice: number): (time: number) => number {
  const random = randomNumbers(hashText(`${identity}/level`))
  const waves = [
    { periodMs: 3 * 86_400_000, height: 0.045 },
    { periodMs: 5 * 3_600_000, height: 0.012 },
    { periodMs: 17 * 60_000, height: 0.003 },
    { periodMs: 97_000, height: 0.0006 },
  ].map(({ periodMs, height }) => ({
    angularRate: (2 * Math.PI) / (periodMs * (0.9 + 0.2 * random())),
    phase: 2 * Math.PI * random(),
    height: height * (0.7 + 0.6 * random()),
  }))
  return (time) => {
    let sum = 1
    for (const wave of waves) {
      // From firstBlockTime, so that the angle stays small and keeps its digits.
      sum += wave.height * Math.sin((time - firstBlockTime) * wave.angularRate + wave.phase)
    }
    return basePrice * sum
  }
}

function choosePace(share: number): Pace {
  if (share < 0.6) return 'steady'
  return share < 0.8 ? 'burst' : 'quiet'
}

function tradeOffsets(pace: Pace, count: number, random: () => number): Uint16Array {
  const offsets = new Uint16Array(count)
  const burstMs = 1000 + random() * 1000
  const burstStart = random() * (blockMs - burstMs)
  const quietAfterMs = 2000 + random() * 4000
  for (let place = 0; place < count; place += 1) {
    const share = random()
    if (pace === 'quiet') offsets[place] = share * quietAfterMs
    else if (pace === 'burst' && random() < 0.75) offsets[place] = burstStart + share * burstMs
    else offsets[place] = share * blockMs
  }
  offsets.sort()
  for (let place = 1; place < count; place += 1) {
    if (random() < sweepShare) offsets[place] = offsets[place - 1] ?? 0
  }
  return offsets
}

/** Mostly a few lots, sometimes many, and now and then a round thousand. */
function tradeLots(random: () => number): number {
  const share = random()
  if (random() < 0.04) return 100 * (1 + Math.floor(share * 30))
  return 1 + Math.floor(-Math.log(1 - share) * 40)
}
