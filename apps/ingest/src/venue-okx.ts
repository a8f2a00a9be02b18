import { okxCatalog } from './catalog-okx.ts'
import { connectOkx } from './feed-okx.ts'
import { OkxAggregates, OkxHistory } from './history-okx.ts'
import type { OkxChannel } from './mapper-okx.ts'
import { meaningOfOkxAnswer } from './okx-answer.ts'
import { OkxContracts } from './okx-contracts.ts'
import type { Venue } from './venue.ts'

export interface OkxOptions {
  readonly channel: OkxChannel
}

/** OKX has its channels at different addresses, and refuses one that is asked for at the other's. */
const paths: Readonly<Record<OkxChannel, string>> = { 'trades-all': 'business', trades: 'public' }

/** OKX's spot pairs, perpetuals, futures and options. */
export function okx({ channel }: OkxOptions): Venue {
  const contracts = new OkxContracts()
  return {
    name: 'okx',
    webSocketUrl: `wss://ws.okx.com:8443/ws/v5/${paths[channel]}`,
    restUrl: 'https://www.okx.com',
    instruments: ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP'],
    // REST and WebSocket are different machines of the venue's: the barrier does not order them.
    heartbeatMarginMs: 500,
    // Of 20 requests in 2 s, which OKX counts for each endpoint and address; the heartbeats' own,
    // which ask for the time, are among ours.
    restBudget: { capacity: 10, refillPerSecond: 8 },
    // Of 3 in a second; the others are left to those behind the same address.
    connectBudget: { capacity: 2, refillPerSecond: 1 },
    saysRateLimited: (body) => meaningOfOkxAnswer(body) === 'rate_limited',
    saysRefused: (body) => meaningOfOkxAnswer(body) === 'refused',
    connect: (options) => connectOkx(options, { channel, contracts }),
    history: (rest, mapping) =>
      channel === 'trades' ? new OkxAggregates() : new OkxHistory(rest, mapping, contracts),
    catalog: (rest, signal) => okxCatalog(rest, signal, contracts),
  }
}
