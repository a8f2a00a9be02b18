import { percentile } from './percentile.ts'

/** A trade on its way into the log. Times are in ms since the epoch. */
export interface TradeOnRoad {
  readonly sequence: number
  /** Of the window that counts it. */
  readonly windowStart: number
  /** When the venue wrote its frame. */
  readonly writtenAt: number
  /** When ingest received it. */
  readonly receivedAt: number
  /** When Kafka appended it. */
  readonly appendedAt: number
}

/** A state of an open candle somewhere on its way, and when it was there. */
export interface CandleAt {
  readonly at: number
  readonly windowStart: number
  /** Of the last trade that it counts. */
  readonly lastSequence: number
}

/** The states of one instrument's candles at three places. */
export interface CandleStates {
  /** Appended to candles-live. */
  readonly appended: readonly CandleAt[]
  /** Come to the reader's socket. */
  readonly arrived: readonly CandleAt[]
  /** What the reader shows. */
  readonly shown: readonly CandleAt[]
}

export interface RoadFigures {
  readonly frameToBrowserP50Ms: number
  readonly frameToBrowserP99Ms: number
  readonly frameToIngestP50Ms: number
  readonly ingestToKafkaP50Ms: number
  readonly kafkaToLiveCandleP50Ms: number
  readonly liveCandleToSocketP50Ms: number
  readonly socketToBrowserP50Ms: number
}

/**
 * From the frame of each trade to the first candle of its window that counts it, place by place. A sequence tells
 * which states count a trade, so no place has to know of another one's clock or order.
 *
 * @throws Error if a trade is in none of the candles of a place.
 */
export function roadFigures(trades: readonly TradeOnRoad[], states: CandleStates): RoadFigures {
  const [appended, arrived, shown] = [states.appended, states.arrived, states.shown].map(byWindow)
  const roads = trades.map((trade) => ({
    ...trade,
    candleAt: firstWith(trade, appended, 'candles-live'),
    arrivedAt: firstWith(trade, arrived, 'what came to the socket'),
    shownAt: firstWith(trade, shown, 'what was shown'),
  }))
  const median = (hop: (road: (typeof roads)[number]) => number): number =>
    percentile(roads.map(hop), 0.5)
  const whole = roads.map(({ writtenAt, shownAt }) => shownAt - writtenAt)
  return {
    frameToBrowserP50Ms: percentile(whole, 0.5),
    frameToBrowserP99Ms: percentile(whole, 0.99),
    frameToIngestP50Ms: median(({ writtenAt, receivedAt }) => receivedAt - writtenAt),
    ingestToKafkaP50Ms: median(({ receivedAt, appendedAt }) => appendedAt - receivedAt),
    kafkaToLiveCandleP50Ms: median(({ appendedAt, candleAt }) => candleAt - appendedAt),
    liveCandleToSocketP50Ms: median(({ candleAt, arrivedAt }) => arrivedAt - candleAt),
    socketToBrowserP50Ms: median(({ arrivedAt, shownAt }) => shownAt - arrivedAt),
  }
}

type StatesByWindow = ReadonlyMap<number, readonly CandleAt[]>

function byWindow(states: readonly CandleAt[]): StatesByWindow {
  return Map.groupBy(
    states.toSorted((a, b) => a.at - b.at),
    ({ windowStart }) => windowStart,
  )
}

function firstWith(
  { sequence, windowStart }: TradeOnRoad,
  states: StatesByWindow | undefined,
  place: string,
): number {
  const first = states?.get(windowStart)?.find(({ lastSequence }) => lastSequence >= sequence)
  if (first === undefined) throw new Error(`Trade ${sequence} is in no candle of ${place}`)
  return first.at
}
