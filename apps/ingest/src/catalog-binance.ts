import { parseDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'

import type { BinanceMarket } from './binance-market.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import { isObject } from './venue-row.ts'

/**
 * Every instrument of the market that trades now.
 *
 * @throws RestError
 */
export async function readBinanceCatalog(
  market: BinanceMarket,
  rest: RestClient,
  signal: AbortSignal,
): Promise<readonly InstrumentFacts[]> {
  const symbols = await readSymbols(market, rest, signal)
  return symbols.flatMap((row) => factsOf(row, market) ?? [])
}

/** What `BinanceContracts` is asked for by a mapper; undefined if the venue does not know the contract. */
export type ContractSize = (instrument: string) => Decimal | undefined

/**
 * How many dollars a contract of a coin-margined instrument is worth. It never changes for a symbol, so
 * it is read once, before the first trade of an instrument is mapped.
 */
export class BinanceContracts {
  readonly #market: BinanceMarket
  readonly #sizes = new Map<string, Decimal>()

  constructor(market: BinanceMarket) {
    this.#market = market
  }

  readonly sizeOf: ContractSize = (instrument) => this.#sizes.get(instrument)

  /** @throws RestError */
  async learn(
    instruments: readonly string[],
    rest: RestClient,
    signal: AbortSignal,
  ): Promise<void> {
    if (instruments.every((each) => this.#sizes.has(each))) return
    for (const { contractSize, symbol } of await readSymbols(this.#market, rest, signal)) {
      const size = parseDecimal(String(contractSize))
      if (typeof symbol !== 'string' || size === undefined || size.mantissa <= 0) continue
      this.#sizes.set(symbol, size)
    }
  }
}

type SymbolRow = Readonly<Record<string, unknown>>

async function readSymbols(
  { name, restPath, weights }: BinanceMarket,
  rest: RestClient,
  signal: AbortSignal,
): Promise<readonly SymbolRow[]> {
  const body = await rest.get(`${restPath}/exchangeInfo`, {}, weights.exchangeInfo, signal)
  const rows = symbolsIn(body)
  if (rows !== undefined) return rows
  throw new RestError('unavailable', `${name}'s exchangeInfo has no symbols: ${body.slice(0, 200)}`)
}

function symbolsIn(body: string): readonly SymbolRow[] | undefined {
  try {
    const answer: unknown = JSON.parse(body)
    const rows = isObject(answer) ? answer['symbols'] : undefined
    return Array.isArray(rows) ? rows.filter(isObject) : undefined
  } catch {
    return undefined
  }
}

/** @returns undefined for what does not trade now, and for what is not described. */
function factsOf(row: SymbolRow, market: BinanceMarket): InstrumentFacts | undefined {
  const { baseAsset: base, quoteAsset: quote, symbol: instrument } = row
  // Coin-margined contracts have a status under a name of its own.
  if ((row['contractStatus'] ?? row['status']) !== 'TRADING') return undefined
  if (typeof instrument !== 'string' || typeof base !== 'string' || typeof quote !== 'string') {
    return undefined
  }
  const { contractType } = row
  return {
    instrument,
    base,
    quote,
    kind:
      typeof contractType !== 'string'
        ? 'spot'
        : contractType.endsWith('PERPETUAL')
          ? 'perpetual'
          : 'future',
    // The mapper turns contracts into the dollars that they are worth.
    quantityUnit: market.quantities === 'contracts' ? 'quote' : 'base',
  }
}
