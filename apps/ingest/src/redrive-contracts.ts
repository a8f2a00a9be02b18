import { binanceCoinm } from './binance-market.ts'
import { BinanceContracts } from './catalog-binance.ts'
import type { ContractSize } from './catalog-binance.ts'
import { RestClient, RestError } from './rest-client.ts'
import { binance } from './venue-binance.ts'

const timeoutMs = 10_000

/**
 * What Binance's coin-margined contracts are worth, from its catalog of today: frames of contracts that are no longer
 * in it cannot be read.
 *
 * @param restUrl empty: the venue's public one.
 * @returns a text that says why it could not be had.
 */
export async function readContractSizes(
  restUrl: string,
  signal: AbortSignal,
): Promise<ContractSize | string> {
  const venue = binance(binanceCoinm, { stream: 'auto', apiKey: '' })
  const contracts = new BinanceContracts(binanceCoinm)
  const rest = new RestClient({
    url: restUrl || venue.restUrl,
    timeoutMs,
    budget: venue.restBudget,
    saysRateLimited: venue.saysRateLimited,
    saysRefused: venue.saysRefused,
    onAnswer: () => undefined,
  })
  try {
    // Any of them makes it read them all.
    await contracts.learn(binanceCoinm.instruments, rest, signal)
    return contracts.sizeOf
  } catch (error) {
    if (error instanceof RestError) return error.message
    throw error
  }
}
