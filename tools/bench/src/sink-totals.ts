import { Client } from 'pg'

import {
  addDecimals,
  compareDecimals,
  formatDecimal,
  multiplyDecimals,
  parseDecimal,
  zero,
} from '@tickertape/market-model'
import type { Candle, Decimal, Trade } from '@tickertape/market-model'

/** Exact sums over all rows of a table, by name: a row that is missing, doubled or altered shows in them. */
export type Totals = ReadonlyMap<string, Decimal>

/** How each total of `trades` is computed by SQL. `TradeTotals` computes the same of the records. */
const tradeSums = {
  rows: 'count(*)',
  notional: 'sum(price * quantity)',
  markPrices: 'sum(mark_price)',
  sequences: 'sum(sequence)',
  eventTimes: 'sum((extract(epoch from event_time) * 1000)::bigint)',
  // Of two records of a trade the first one's stands.
  receiveTimes: 'sum((extract(epoch from received_at) * 1000)::bigint)',
  positions: 'sum(source_offset * (source_partition + 1))',
}

const candleSums = {
  rows: 'count(*)',
  turnover: 'sum(close * volume)',
  vwaps: 'sum(vwap)',
  trades: 'sum(trade_count)',
  revisions: 'sum(revision)',
  windows: 'sum((extract(epoch from window_start) * 1000)::bigint)',
}

const sumsOf = { trades: tradeSums, candles: candleSums }

class Sums<Name extends string> {
  readonly #sums = new Map<Name, Decimal>()

  add(name: Name, value: Decimal | number): void {
    const decimal = typeof value === 'number' ? { mantissa: value, exponent: 0 } : value
    this.#sums.set(name, addDecimals(this.#sums.get(name) ?? zero, decimal))
  }

  get totals(): Totals {
    return this.#sums
  }
}

export class TradeTotals {
  readonly #sums = new Sums<keyof typeof tradeSums>()

  /** @param position where the first record of the trade stands. */
  add(trade: Trade, position: { readonly partition: number; readonly offset: number }): void {
    this.#sums.add('rows', 1)
    this.#sums.add('notional', multiplyDecimals(trade.price, trade.quantity))
    this.#sums.add('markPrices', trade.markPrice ?? zero)
    this.#sums.add('sequences', trade.sequence ?? 0)
    this.#sums.add('eventTimes', trade.eventTime)
    this.#sums.add('receiveTimes', trade.receivedAt)
    this.#sums.add('positions', position.offset * (position.partition + 1))
  }

  get totals(): Totals {
    return this.#sums.totals
  }
}

export class CandleTotals {
  readonly #sums = new Sums<keyof typeof candleSums>()

  add(candle: Candle): void {
    this.#sums.add('rows', 1)
    this.#sums.add('turnover', multiplyDecimals(candle.close, candle.volume))
    this.#sums.add('vwaps', candle.vwap ?? zero)
    this.#sums.add('trades', candle.tradeCount)
    this.#sums.add('revisions', candle.revision)
    this.#sums.add('windows', candle.windowStart)
  }

  get totals(): Totals {
    return this.#sums.totals
  }
}

/** @throws Error that names what differs: the speed of a wrong result is no figure. */
export async function requireTotals(
  databaseUrl: string,
  table: keyof typeof sumsOf,
  expected: Totals,
): Promise<void> {
  const stored = await storedTotals(databaseUrl, table)
  const problems = [...expected].flatMap(([name, total]) => {
    const found = stored.get(name) ?? zero
    return compareDecimals(found, total) === 0
      ? []
      : [`${name}: ${formatDecimal(found)} instead of ${formatDecimal(total)}`]
  })
  if (problems.length > 0) {
    throw new Error(`The rows of ${table} are not what was written:\n${problems.join('\n')}`)
  }
}

async function storedTotals(databaseUrl: string, table: keyof typeof sumsOf): Promise<Totals> {
  const columns = Object.entries(sumsOf[table]).map(([name, sum]) => `(${sum})::text as "${name}"`)
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, string | null>>(
      `select ${columns.join(', ')} from ${table}`,
    )
    return new Map(
      Object.entries(rows[0] ?? {}).map(([name, text]) => [name, parseDecimal(text ?? '') ?? zero]),
    )
  } finally {
    await client.end()
  }
}
