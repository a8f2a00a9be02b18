import { expect, it } from 'vitest'

import { roadFigures } from './road-hops.ts'

const windowStart = 60_000

function trade(sequence: number, writtenAt: number) {
  return { sequence, windowStart, writtenAt, receivedAt: writtenAt + 1, appendedAt: writtenAt + 5 }
}

function candle(at: number, lastSequence: number, start = windowStart) {
  return { at, windowStart: start, lastSequence }
}

const appended = [candle(100, 2), candle(350, 4)]
const arrived = [candle(110, 2), candle(365, 4)]

it('a trade is at a place with the first candle of its window that counts it', () => {
  const figures = roadFigures([trade(1, 10), trade(2, 20), trade(3, 120)], {
    appended,
    arrived,
    shown: [candle(112, 2), candle(369, 4)],
  })
  expect(figures).toEqual({
    frameToBrowserP50Ms: 102,
    frameToBrowserP99Ms: 249,
    frameToIngestP50Ms: 1,
    ingestToKafkaP50Ms: 4,
    kafkaToLiveCandleP50Ms: 85,
    liveCandleToSocketP50Ms: 10,
    socketToBrowserP50Ms: 2,
  })
})

it('a state that a place leaves out is made up for by the next one', () => {
  const { frameToBrowserP50Ms } = roadFigures([trade(1, 10)], {
    appended,
    arrived,
    shown: [candle(369, 4)],
  })
  expect(frameToBrowserP50Ms).toBe(359)
})

it('a candle of another window does not count for a trade', () => {
  const states = { appended, arrived, shown: [candle(400, 9, 120_000)] }
  expect(() => roadFigures([trade(1, 10)], states)).toThrow(
    'Trade 1 is in no candle of what was shown',
  )
})
