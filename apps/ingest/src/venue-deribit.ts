import { readDeribitCatalog } from './catalog-deribit.ts'
import type { DeribitInterval } from './deribit-channels.ts'
import { connectDeribit } from './feed-deribit.ts'
import type { DeribitFeedOptions } from './feed-deribit.ts'
import { DeribitHistory } from './history-deribit.ts'
import type { Venue } from './venue.ts'

export interface DeribitOptions extends DeribitFeedOptions {
  /** Base address of the archive of trades older than a day; undefined if there is none. */
  readonly archiveUrl: string | undefined
}

/** How long a channel gathers trades before it sends them, and as much again for the way. */
const marginMs: Readonly<Record<DeribitInterval, number>> = { raw: 100, '100ms': 200, agg2: 2_000 }

/** Deribit's futures, perpetuals, options, combos and spot pairs. */
export function deribit(options: DeribitOptions): Venue {
  return {
    name: 'deribit',
    webSocketUrl: 'wss://www.deribit.com/ws/api/v2',
    restUrl: 'https://www.deribit.com/api/v2',
    instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL'],
    heartbeatMarginMs: marginMs[options.interval],
    // Credits for sessions without a key, by address; half is left to others behind the same one.
    restBudget: { capacity: 25_000, refillPerSecond: 5_000 },
    saysRateLimited: (body) => /"code"\s*:\s*10028\b/.test(body),
    // Invalid params, unsupported instrument, invalid arguments, instrument not found:
    // https://docs.deribit.com, "RPC Error Codes".
    saysRefused: (body) => /"code"\s*:\s*(?:-32602|10020|11029|13020)\b/.test(body),
    connect: (connection) => connectDeribit(connection, options),
    history: (rest, mapping) => new DeribitHistory(rest, mapping, options.archiveUrl),
    catalog: readDeribitCatalog,
  }
}
