import { computed, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'

import type { CandleResource, InstrumentResource } from '@tickertape/client'

import { client, explain, noteReset } from './gateway.ts'

/** Summaries of all instruments are fetched this often; what is on screen lives by the stream. */
const refreshMs = 30_000

export const orders = ['notional', 'change', 'name'] as const
export type Order = (typeof orders)[number]

export type Catalog =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'loaded'; readonly instruments: readonly InstrumentResource[] }

export const catalog = signal<Catalog>({ status: 'loading' })
export const search = signal('')
export const order = signal<Order>('notional')

/** The instruments that the search leaves, in the order chosen. */
export const listed = computed(() => {
  const state = catalog.value
  if (state.status !== 'loaded') return []
  return arrange(state.instruments, search.value, order.value)
})

/** Every word of the search must be found somewhere in what names an instrument. */
export function arrange(
  instruments: readonly InstrumentResource[],
  search: string,
  order: Order,
): readonly InstrumentResource[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const found = instruments.filter((instrument) => {
    const { instrumentId, base, quote, kind } = instrument
    const text = `${instrumentId} ${base ?? ''}/${quote ?? ''} ${kind ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const byName = (a: InstrumentResource, b: InstrumentResource): number =>
    a.instrumentId < b.instrumentId ? -1 : 1
  if (order === 'name') return found.sort(byName)
  return found.sort((a, b) => weightOf(b, order) - weightOf(a, order) || byName(a, b))
}

/** What is not known stands last. */
function weightOf({ summary }: InstrumentResource, order: Order): number {
  if (summary === null) return -2
  if (order === 'change') return Math.abs(summary.change24h ?? -1)
  return summary.notionalUsd24h === null ? -1 : Number(summary.notionalUsd24h)
}

const prices = new Map<string, Signal<string | undefined>>()

/** The latest price that the stream told; undefined before it has. */
export function livePrice(instrumentId: string): Signal<string | undefined> {
  const known = prices.get(instrumentId)
  if (known !== undefined) return known
  const made = signal<string | undefined>(undefined)
  prices.set(instrumentId, made)
  return made
}

export function notePrice({ instrumentId, close }: CandleResource): void {
  livePrice(instrumentId).value = close
}

export function findInstrument(instrumentId: string): InstrumentResource | undefined {
  const state = catalog.value
  if (state.status !== 'loaded') return undefined
  return state.instruments.find((each) => each.instrumentId === instrumentId)
}

export async function loadCatalog(signal?: AbortSignal): Promise<void> {
  try {
    const instruments: InstrumentResource[] = []
    const options = signal === undefined ? {} : { signal }
    for await (const instrument of client.eachInstrument({ status: 'listed' }, options)) {
      instruments.push(instrument)
    }
    catalog.value = { status: 'loaded', instruments }
  } catch (error) {
    if (signal?.aborted === true) return
    const reason = explain(error)
    // What is shown stays: prices live on, and the banner tells of the connection.
    if (catalog.value.status !== 'loaded') catalog.value = { status: 'failed', reason }
  }
}

/** Loads the catalog now and again. */
export function followCatalog(): Disposable {
  const ended = new AbortController()
  void loadCatalog(ended.signal)
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void loadCatalog(ended.signal)
  }, refreshMs)
  return {
    [Symbol.dispose]: () => {
      ended.abort()
      clearInterval(timer)
    },
  }
}

/** Keeps the prices of these instruments live: those that are on screen. */
export function followPrices(instrumentIds: readonly string[]): Disposable {
  return client.stream().candles(
    { instruments: instrumentIds, intervals: ['1m'], snapshot: 1 },
    {
      event: (event) => {
        if (event.type === 'reset') noteReset()
        else if (event.type === 'snapshot') for (const candle of event.candles) notePrice(candle)
        // A revision is of the past and tells no price of now.
        else if (event.type === 'update') notePrice(event.candle)
      },
      // The list still has the prices of its last refresh.
      error: () => undefined,
    },
  )
}
