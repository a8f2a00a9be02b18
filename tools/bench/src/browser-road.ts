import { Road, recordsOf } from '@tickertape/end-to-end'
import { missingBrowser } from '@tickertape/end-to-end/browser'
import { BuiltDashboard } from '@tickertape/end-to-end/built-dashboard'
import type { RunningStack } from '@tickertape/stack'
import { waitUntil } from '@tickertape/testing'

import { idOf, symbols } from './binance-frames.ts'
import { BinanceServer } from './binance-server.ts'
import type { CandleViewer } from './candle-viewer.ts'
import { openClientViewer } from './client-viewer.ts'
import { startGateway } from './gateway-process.ts'
import { openPageViewer } from './page-viewer.ts'
import { roadFigures } from './road-hops.ts'
import type { CandleAt, RoadFigures, TradeOnRoad } from './road-hops.ts'

const tradesPerSecond = 1_000
const venue = 'binance'
/** Whose candle is looked at: one in ten trades is its own. */
const watched = symbols[0]
const instrumentId = `${venue}:${watched}`

/** Nothing of the first seconds is counted: code that runs for the first time is compiled then. */
const warmUpMs = 20_000
const measuredMs = 40_000
/** The market goes on a little, so that the last trades come to the end of the road. */
const afterwardsMs = 3_000
const minuteMs = 60_000
/** What shows the open window goes on to the next one, so of the last trades of a minute nothing is seen. */
const lastOfMinuteMs = 5_000

/**
 * Ten markets at an even pace, and one page that shows the candle of one of them: of each of its trades the time
 * from writing the venue's frame to the first candle in the page that counts it. Processes of one machine share
 * its clock.
 */
export async function measureBrowserRoad(
  stack: RunningStack,
  print: (line: string) => void,
): Promise<RoadFigures> {
  await using opened = new AsyncDisposableStack()
  const server = opened.use(await BinanceServer.start())
  const road = opened.use(
    await Road.open({
      stack,
      venue,
      instruments: symbols,
      wsUrl: server.webSocketUrl,
      restUrl: server.restUrl,
    }),
  )
  try {
    const missing = await missingBrowser()
    const dashboard = missing === undefined ? opened.use(await BuiltDashboard.make()) : undefined
    const { host, service } = opened.use(
      await startGateway({
        stack,
        prefix: road.topicPrefix,
        databaseUrl: road.databaseUrl,
        cpuProf: undefined,
        dashboardFolder: dashboard?.folder,
      }),
    )
    await waitUntil('ingest to subscribe', () => server.isSubscribed)
    const market = opened.use(new EvenMarket(server))
    const url = `http://${host}`
    const viewer = opened.use(
      missing === undefined
        ? await openPageViewer(url, instrumentId)
        : openClientViewer(url, instrumentId),
    )
    print(`  seen by ${viewer.name}${missing === undefined ? '' : `: ${missing}`}`)
    const from = Date.now() + warmUpMs
    const to = from + measuredMs
    await waitUntil('the market to have run for a while', () => Date.now() > to + afterwardsMs, {
      withinMs: 2 * (warmUpMs + measuredMs + afterwardsMs),
    })
    await market[Symbol.asyncDispose]()
    const figures = await figuresOf({ stack, road, market, viewer }, from, to)
    await service.stop()
    return figures
  } catch (error) {
    throw new Error(`The road stopped half way:\n${road.output}`, { cause: error })
  }
}

/** Sends trades one by one at an even pace, and notes when those of the watched market were written. */
class EvenMarket implements AsyncDisposable {
  /** By sequence, in ms since the epoch. */
  readonly writtenAt = new Map<number, number>()
  readonly #server: BinanceServer
  readonly #running: Promise<void>
  #isOver = false

  constructor(server: BinanceServer) {
    this.#server = server
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #run(): Promise<void> {
    const began = performance.now()
    for (let count = 0; !this.#isOver;) {
      const due = Math.floor(((performance.now() - began) * tradesPerSecond) / 1_000)
      for (; count < due; count += 1) {
        const at = Date.now()
        const number = this.#server.sendOne()
        if (symbols[number % symbols.length] === watched) this.writtenAt.set(idOf(number), at)
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

interface Run {
  readonly stack: RunningStack
  readonly road: Road
  readonly market: EvenMarket
  readonly viewer: CandleViewer
}

/** @param from first moment whose trades count, in ms since the epoch; `to` is exclusive. */
async function figuresOf(
  { stack, road, market, viewer }: Run,
  from: number,
  to: number,
): Promise<RoadFigures> {
  const trades: TradeOnRoad[] = []
  for await (const { record, appendedAt } of recordsOf(stack, road.topicPrefix, 'market-events')) {
    if (record.type !== 'Trade' || record.value.instrument !== watched) continue
    const { sequence, eventTime, receivedAt } = record.value
    const writtenAt = sequence === null ? undefined : market.writtenAt.get(sequence)
    if (sequence === null || writtenAt === undefined || writtenAt < from || writtenAt >= to)
      continue
    const inMinute = eventTime % minuteMs
    if (inMinute >= minuteMs - lastOfMinuteMs) continue
    const windowStart = eventTime - inMinute
    trades.push({ sequence, windowStart, writtenAt, receivedAt, appendedAt })
  }
  const appended: CandleAt[] = []
  for await (const { record, appendedAt } of recordsOf(stack, road.topicPrefix, 'candles-live')) {
    const { interval, windowStart, lastSequence } = record
    if (record.instrumentId !== instrumentId || interval !== '1m' || lastSequence === null) continue
    appended.push({ at: appendedAt, windowStart, lastSequence })
  }
  return roadFigures(trades, { appended, ...(await viewer.seen()) })
}
