import type { Instrument } from '../market/instrument.ts'
import type { Market } from '../market/market.ts'
import { settlementCurrency } from './deribit-instruments.ts'

export interface TradesChannel {
  readonly name: string
  readonly instruments: readonly string[]
  /** Trades of one slice of venue time go out together, in milliseconds. */
  readonly sliceMs: number
}

const slices = new Map([
  ['raw', 1],
  ['100ms', 100],
  ['agg2', 1000],
])

/** Whether the channel sends each trade at once, which it does for authorized sessions only. */
export function isRaw(channel: string): boolean {
  return channel.endsWith('.raw')
}

/**
 * Reads `trades.{instrument}.{interval}` or `trades.{kind}.{currency}.{interval}`.
 *
 * @returns undefined for an unknown channel, which Deribit leaves out of its answer.
 */
export function parseTradesChannel(name: string, market: Market): TradesChannel | undefined {
  const [topic, ...rest] = name.split('.')
  const interval = rest.pop()
  if (topic !== 'trades') return undefined
  const sliceMs = slices.get(interval ?? '')
  if (sliceMs === undefined) return undefined
  if (rest.length === 1) {
    const instrument = market.instruments.find((each) => each.name === rest[0])
    if (instrument === undefined) return undefined
    return { name, instruments: [instrument.name], sliceMs }
  }
  const [kind, currency] = rest
  if (rest.length !== 2 || kind === undefined || currency === undefined) return undefined
  if (!kinds.has(kind)) return undefined
  const members = market.instruments.filter(
    (each) => isKind(each, kind) && (currency === 'any' || settlementCurrency(each) === currency),
  )
  if (members.length === 0 && !currencies.has(currency)) return undefined
  return { name, instruments: members.map((each) => each.name), sliceMs }
}

/** Deribit counts perpetuals among the futures. */
export function isKind(instrument: Instrument, kind: string): boolean {
  if (kind === 'any') return true
  return instrument.kind === 'perpetual' ? kind === 'future' : instrument.kind === kind
}

const kinds = new Set(['future', 'option', 'spot', 'future_combo', 'option_combo', 'any'])

const currencies = new Set(['BTC', 'ETH', 'USDC', 'USDT', 'EURR', 'any'])
