import { binanceCoinm } from './binance-market.ts'
import { BinanceContracts } from './catalog-binance.ts'
import { okxCatalog } from './catalog-okx.ts'
import { OkxContracts } from './okx-contracts.ts'
import { coinmReader, okxReader } from './reject-readers.ts'
import type { RejectReader } from './reject-readers.ts'
import { RestClient, RestError } from './rest-client.ts'
import { binance } from './venue-binance.ts'
import { okx } from './venue-okx.ts'
import type { Venue } from './venue.ts'

const timeoutMs = 10_000

/**
 * Reads the frames of a venue whose quantities count contracts, by what its catalog of today says that they are worth:
 * frames of contracts that are no longer in it cannot be read.
 */
interface ContractsVenue {
  readonly venue: Venue
  /** @throws RestError */
  readonly read: (rest: RestClient, signal: AbortSignal) => Promise<RejectReader>
}

/** By the venue's name. */
const contractsVenues: ReadonlyMap<string, ContractsVenue> = new Map(
  [coinm(), okxDerivatives()].map((each) => [each.venue.name, each]),
)

/** Venues whose frames are read with the help of their catalog. */
export const venuesOfContracts: readonly string[] = [...contractsVenues.keys()]

/**
 * @param restUrl empty: the venue's public one.
 * @returns a text that says why the venue's frames cannot be read; undefined for a venue without contracts.
 */
export async function readerOfContracts(
  name: string,
  restUrl: string,
  signal: AbortSignal,
): Promise<RejectReader | string | undefined> {
  const found = contractsVenues.get(name)
  if (found === undefined) return undefined
  const { read, venue } = found
  const rest = new RestClient({
    url: restUrl || venue.restUrl,
    timeoutMs,
    budget: venue.restBudget,
    saysRateLimited: venue.saysRateLimited,
    saysRefused: venue.saysRefused,
    onAnswer: () => undefined,
  })
  try {
    return await read(rest, signal)
  } catch (error) {
    if (!(error instanceof RestError)) throw error
    return `what the contracts of ${name} are worth is not to be had: ${error.message}`
  }
}

function coinm(): ContractsVenue {
  return {
    venue: binance(binanceCoinm, { stream: 'auto', apiKey: '' }),
    read: async (rest, signal) => {
      const contracts = new BinanceContracts(binanceCoinm)
      // Any of them makes it read them all.
      await contracts.learn(binanceCoinm.instruments, rest, signal)
      return coinmReader(contracts.sizeOf)
    },
  }
}

function okxDerivatives(): ContractsVenue {
  return {
    venue: okx({ channel: 'trades-all' }),
    read: async (rest, signal) => {
      const contracts = new OkxContracts()
      await okxCatalog(rest, signal, contracts)
      return okxReader(contracts.contractOf)
    },
  }
}
