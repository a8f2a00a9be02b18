import type { MappedTrade } from '../mapped-trade.ts'
import type { HistoryPage, TradeHistory } from '../trade-history.ts'
import { sampleTrades } from './sample-trade.ts'

export interface ScriptedHistoryOptions {
  /** First and last sequence that the venue still has. */
  first: number
  last: number
  pageSize: number
  /** Called before each answer; what it throws is the answer. */
  before: (from: number, to: number | undefined, instrument: string) => void
}

/** A venue's past that a test decides. */
export class ScriptedHistory implements TradeHistory {
  readonly firstSequence = 1
  readonly options: ScriptedHistoryOptions
  readonly asked: { readonly from: number; readonly to: number | undefined }[] = []

  constructor(options: Partial<ScriptedHistoryOptions> = {}) {
    this.options = { first: 1, last: 0, pageSize: 3, before: () => undefined, ...options }
  }

  newest(): Promise<MappedTrade | undefined> {
    const { last } = this.options
    return Promise.resolve(sampleTrades(last, last).at(last === 0 ? 1 : 0))
  }

  async page(instrument: string, from: number, to: number | undefined): Promise<HistoryPage> {
    this.asked.push({ from, to })
    await Promise.resolve()
    this.options.before(from, to, instrument)
    const { first, last, pageSize } = this.options
    const begin = Math.max(from, first)
    const end = Math.min(last, to ?? last)
    const trades = sampleTrades(begin, Math.min(end, begin + pageSize - 1), instrument)
    return { trades, hasMore: begin + pageSize - 1 < end }
  }
}
