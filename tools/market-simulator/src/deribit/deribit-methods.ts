import { z } from 'zod'
import type { Instrument } from '../market/instrument.ts'
import { findInstrument, type HistoryPage, type Market } from '../market/market.ts'
import type { VenueContext } from '../venue.ts'
import { isKind } from './deribit-channels.ts'
import { settlementCurrency } from './deribit-instruments.ts'
import { deribitNumber, settledTrade } from './deribit-text.ts'
import { JsonRpcError } from './json-rpc.ts'
import { fixedPoint } from '../market/number-text.ts'

export type Params = Readonly<Record<string, unknown>>

/** Answers with the result as JSON text. */
export type Method = (params: Params, context: VenueContext) => string

/** What the simulated engine calls itself. */
export const serverVersion = '1.2.26'

/** The methods that answer over WebSocket and REST alike. */
export const publicMethods: ReadonlyMap<string, Method> = new Map<string, Method>(
  Object.entries<Method>({
    'public/get_time': (_params, context) => String(context.flush()),
    'public/test': () => JSON.stringify({ version: serverVersion }),
    'public/get_instruments': (params, context) => {
      const { currency, kind } = readParams(instrumentsParams, params)
      const rows = context.market.instruments
        .filter((each) => currency === 'any' || settlementCurrency(each) === currency)
        .filter((each) => kind === undefined || isKind(each, kind))
        .map((each) => instrumentRow(each, context.market))
      return `[${rows.join(',')}]`
    },
    'public/get_instrument': (params, context) => {
      const { instrument_name } = readParams(instrumentParams, params)
      return instrumentRow(requireInstrument(context.market, instrument_name), context.market)
    },
    'public/get_last_trades_by_instrument': (params, context) => {
      const page = lastTrades(readParams(lastTradesParams, params), context)
      return `{"trades":[${page.trades.map(settledTrade).join(',')}],"has_more":${page.hasMore}}`
    },
  }),
)

/** A REST query holds every value as text; a WebSocket request holds numbers. */
const integer = z.coerce.number().int().nonnegative()

const instrumentsParams = z.object({
  currency: z.string().default('any'),
  kind: z.string().optional(),
})

const instrumentParams = z.object({ instrument_name: z.string() })

const lastTradesParams = z.object({
  instrument_name: z.string(),
  start_seq: integer.optional(),
  end_seq: integer.optional(),
  start_timestamp: integer.optional(),
  end_timestamp: integer.optional(),
  count: z.coerce.number().int().min(1).max(1000).default(10),
  sorting: z.enum(['asc', 'desc', 'default']).default('default'),
})

/**
 * @throws JsonRpcError `invalidParams` that names the first parameter at fault, as Deribit does.
 */
export function readParams<Shape extends z.ZodType>(shape: Shape, params: Params): z.infer<Shape> {
  const read = shape.safeParse(params)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new JsonRpcError('invalidParams', {
    reason: issue?.message ?? 'invalid',
    param: issue?.path.join('.') ?? '',
  })
}

/**
 * Deribit's documentation says of the default sorting only that it is the database's. Here a range
 * with a lower bound is read from there upwards, and one without from the newest trade downwards;
 * `asc` without a lower bound is the newest page, turned round.
 */
function lastTrades(params: z.infer<typeof lastTradesParams>, context: VenueContext): HistoryPage {
  requireInstrument(context.market, params.instrument_name)
  const bounded = params.start_seq !== undefined || params.start_timestamp !== undefined
  const page = context.market.history({
    instrument: params.instrument_name,
    fromSequence: params.start_seq,
    toSequence: params.end_seq,
    fromTime: params.start_timestamp,
    toTime: params.end_timestamp,
    publishedBy: context.now(),
    limit: params.count,
    newestFirst: params.sorting === 'desc' || !bounded,
  })
  if (params.sorting !== 'asc' || bounded) return page
  return { ...page, trades: page.trades.toReversed() }
}

function requireInstrument(market: Market, name: string): Instrument {
  const instrument = findInstrument(market, name)
  if (instrument !== undefined) return instrument
  throw new JsonRpcError('invalidParams', {
    reason: 'instrument not found',
    param: 'instrument_name',
  })
}

function instrumentRow(instrument: Instrument, market: Market): string {
  const { base, expiresAt, inverse, kind, name, quote } = instrument
  const settlement = settlementCurrency(instrument)
  const lot = deribitNumber(fixedPoint(instrument.lotUnits, instrument.quantityDecimals))
  const tick = deribitNumber(fixedPoint(instrument.tickUnits, instrument.priceDecimals))
  return (
    `{"instrument_name":"${name}","instrument_id":${market.instruments.indexOf(instrument) + 1},` +
    `"kind":"${kind === 'perpetual' ? 'future' : kind}",` +
    `"instrument_type":"${inverse ? 'reversed' : 'linear'}",` +
    `"base_currency":"${base}","quote_currency":"${quote}","counter_currency":"${quote}",` +
    `"settlement_currency":"${settlement}",` +
    `"settlement_period":"${kind === 'perpetual' ? 'perpetual' : 'month'}",` +
    `"price_index":"${base.toLowerCase()}_${quote.toLowerCase()}",` +
    `"tick_size":${tick},"contract_size":${lot},"min_trade_amount":${lot},` +
    `"is_active":true,"state":"open","creation_timestamp":1534167754000,` +
    // The end of time in Deribit's own notation for contracts without one.
    `"expiration_timestamp":${expiresAt ?? 32_503_708_800_000}}`
  )
}
