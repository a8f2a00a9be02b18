import { createClient } from '@tickertape/client'
import type {
  CandleEvent,
  CandleResource,
  Client,
  StreamState,
  TradeEvent,
  TradeResource,
} from '@tickertape/client'
import type { TestStack } from '@tickertape/testing'

import { recordsOf } from '../src/index.ts'

/** One subscription of each kind to a whole market, kept through everything that happens to the gateway. */
export class HeldMarket implements Disposable {
  /** Names of the trades and closed candles that it was told of, in their order. */
  readonly trades: string[] = []
  readonly candles: string[] = []
  /** Why a subscription had to begin anew, each time. */
  readonly resets: string[] = []
  readonly states: StreamState['status'][] = []
  /** Snapshots that have come, of which each subscription begins with one. */
  snapshots = 0
  readonly #client: Client

  constructor(url: string, venue: string) {
    this.#client = createClient({ url })
    const stream = this.#client.stream()
    stream.onState(({ status }) => this.states.push(status))
    const instruments = [`${venue}:*`]
    stream.trades(
      { instruments, snapshot: 300 },
      { event: (event) => this.#take(event, (trade) => this.trades.push(nameOfTrade(trade))) },
    )
    stream.candles(
      { instruments, intervals: ['1s', '1m'], live: false, snapshot: 300 },
      { event: (event) => this.#take(event, (candle) => this.candles.push(nameOfCandle(candle))) },
    )
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }

  #take(event: TradeEvent, note: (trade: TradeResource) => void): void
  #take(event: CandleEvent, note: (candle: CandleResource) => void): void
  #take(
    event: TradeEvent | CandleEvent,
    note: ((trade: TradeResource) => void) & ((candle: CandleResource) => void),
  ): void {
    if (event.type === 'reset') this.resets.push(event.reason)
    else if (event.type === 'snapshot') {
      this.snapshots += 1
      if ('trades' in event) event.trades.forEach(note)
      else event.candles.forEach(note)
    } else if ('trade' in event) note(event.trade)
    else note(event.candle)
  }
}

function nameOfTrade({ instrumentId, tradeId, version }: TradeResource): string {
  return `${instrumentId} ${tradeId}.${version}`
}

function nameOfCandle(candle: {
  readonly instrumentId: string
  readonly interval: string
  readonly windowStart: number
  readonly revision: number
}): string {
  const { instrumentId, interval, windowStart, revision } = candle
  return `${instrumentId} ${interval} ${windowStart}.${revision}`
}

/** What the log holds by now, by the names above; a trade that was written twice once. */
export async function loggedMarket(
  stack: TestStack,
  topicPrefix: string,
): Promise<{ readonly trades: ReadonlySet<string>; readonly candles: ReadonlySet<string> }> {
  const trades = new Set<string>()
  for await (const { record } of recordsOf(stack, topicPrefix, 'market-events')) {
    if (record.type !== 'Trade') continue
    const { venue, instrument, tradeId, version } = record.value
    trades.add(`${venue}:${instrument} ${tradeId}.${version}`)
  }
  const candles = new Set<string>()
  for await (const { record } of recordsOf(stack, topicPrefix, 'candles')) {
    if (record.interval === '1s' || record.interval === '1m') candles.add(nameOfCandle(record))
  }
  return { trades, candles }
}
