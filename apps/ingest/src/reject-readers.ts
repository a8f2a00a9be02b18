import { binanceCoinm } from './binance-market.ts'
import { bybitMarkets } from './bybit-market.ts'
import type { BybitMarket } from './bybit-market.ts'
import type { ContractSize } from './catalog-binance.ts'
import { mapCoinbaseHistory } from './coinbase-row.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapBinanceHistory, mapBinanceMessage } from './mapper-binance.ts'
import type { BinanceRows } from './mapper-binance.ts'
import { mapBybitMessage, mapBybitRecent } from './mapper-bybit.ts'
import { mapCoinbaseAdvancedMessage } from './mapper-coinbase-advanced.ts'
import { mapCoinbaseMessage } from './mapper-coinbase.ts'
import { mapDeribitHistory, mapDeribitMessage } from './mapper-deribit.ts'
import { mapKrakenHistory, mapKrakenMessage } from './mapper-kraken.ts'
import { mapEventsMessage } from './mapper-numbered-events.ts'
import type { NumberedEvents } from './mapper-numbered-events.ts'
import { mapOkxMessage } from './mapper-okx.ts'
import type { OkxChannel, OkxContractOf } from './mapper-okx.ts'
import { otcEvents } from './mapper-otc.ts'
import { swapEvents } from './mapper-swaps.ts'
import { messageObject } from './message-object.ts'
import type { VenueName } from './venue-registry.ts'

/** What a reject's bytes may be, each read by the venue's mapper as it reads it every day. */
export interface RejectReader {
  /** A whole frame. */
  frame(text: string, context: MappingContext): readonly MappedTrade[]
  /**
   * One row of a frame, or of the history, which does not name the instrument everywhere.
   *
   * @throws SyntaxError, TypeError if it is none.
   */
  readonly rows: readonly ((
    row: string,
    instrument: string,
    context: MappingContext,
  ) => readonly MappedTrade[])[]
}

interface Message {
  readonly type: string
  readonly trades?: readonly MappedTrade[]
}

function tradesOf(message: Message): readonly MappedTrade[] {
  return message.trades ?? []
}

function binance(rows: BinanceRows): RejectReader {
  return {
    frame: (text, context) => tradesOf(mapBinanceMessage(text, context, rows)),
    rows: [(row, instrument, context) => mapBinanceHistory(instrument, `[${row}]`, context, rows)],
  }
}

function bybit(market: BybitMarket): RejectReader {
  const frame = (text: string, context: MappingContext) =>
    tradesOf(mapBybitMessage(text, market, context))
  return {
    frame,
    rows: [
      (row, instrument, context) =>
        frame(`{"topic":"publicTrade.${instrument}","data":[${row}]}`, context),
      (row, _, context) =>
        mapBybitRecent(`{"retCode":0,"retMsg":"","result":{"list":[${row}]}}`, market, context),
    ],
  }
}

function numberedEvents(events: NumberedEvents): RejectReader {
  const frame = (text: string, context: MappingContext) =>
    tradesOf(mapEventsMessage(text, context, events))
  return { frame, rows: [(row, _, context) => frame(`{"events":[${row}]}`, context)] }
}

const krakenFrame = (text: string, context: MappingContext) =>
  tradesOf(mapKrakenMessage(text, context))
const coinbaseFrame = (text: string, context: MappingContext) =>
  tradesOf(mapCoinbaseMessage(text, context))
const coinbaseAdvancedFrame = (text: string, context: MappingContext) =>
  tradesOf(mapCoinbaseAdvancedMessage(text, context))

/** Of Binance's COIN-M: what its contracts are worth stands in the venue's catalog alone. */
export function coinmReader(contractSize: ContractSize): RejectReader {
  return binance({ venue: binanceCoinm.name, contractSize })
}

/** What OKX's contracts are worth stands there as well. */
export function okxReader(contractOf?: OkxContractOf): RejectReader {
  const frame = (text: string, context: MappingContext) =>
    tradesOf(mapOkxMessage(text, context, contractOf))
  return {
    frame,
    rows: [
      (row, _, context) =>
        frame(`{"arg":{"channel":"${okxChannelOf(row)}"},"data":[${row}]}`, context),
    ],
  }
}

/** A row does not name its channel; aggregates alone say of how many trades they are. */
function okxChannelOf(row: string): OkxChannel {
  const read = messageObject(row)
  return typeof read !== 'string' && Object.hasOwn(read, 'count') ? 'trades' : 'trades-all'
}

/** By venue, as far as frames tell all that they mean; Binance's COIN-M has `coinmReader`. */
export const rejectReaders: Readonly<Partial<Record<VenueName, RejectReader>>> = {
  deribit: {
    frame: (text, context) => tradesOf(mapDeribitMessage(text, context)),
    // The rows of the channels are those of the history.
    rows: [
      (row, _, context) => mapDeribitHistory(`{"result":{"trades":[${row}]}}`, context).trades,
    ],
  },
  binance: binance({ venue: 'binance' }),
  'binance-usdm': binance({ venue: 'binance-usdm' }),
  coinbase: {
    frame: coinbaseFrame,
    rows: [
      (row, instrument, context) => mapCoinbaseHistory('coinbase', instrument, `[${row}]`, context),
    ],
  },
  'coinbase-advanced': {
    frame: coinbaseAdvancedFrame,
    rows: [
      (row, instrument, context) =>
        mapCoinbaseHistory('coinbase-advanced', instrument, `[${row}]`, context),
    ],
  },
  kraken: {
    frame: krakenFrame,
    rows: [
      (row, _, context) => krakenFrame(`{"channel":"trade","data":[${row}]}`, context),
      (row, instrument, context) =>
        mapKrakenHistory(
          instrument,
          `{"error":[],"result":{"pair":[${row}],"last":"0"}}`,
          context,
        ).map(({ mapped }) => mapped),
    ],
  },
  okx: okxReader(),
  'bybit-spot': bybit(bybitMarkets.spot),
  'bybit-linear': bybit(bybitMarkets.linear),
  'bybit-inverse': bybit(bybitMarkets.inverse),
  otc: numberedEvents(otcEvents),
  swaps: numberedEvents(swapEvents),
}
