import { computed, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'

import type { CandleResource, InstrumentResource } from '@tickertape/client'

import { keyTrouble, noteTaken } from './access.ts'
import { client, explain, noteNotice, noteReset } from './gateway.ts'
import { arrange } from './instrument-order.ts'
import type { Order } from './instrument-order.ts'

/** Summaries of all instruments are fetched this often; what is on screen lives by the stream. */
const refreshMs = 30_000

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
    noteTaken()
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
    const isWanted = document.visibilityState === 'visible' && keyTrouble.value === undefined
    if (isWanted) void loadCatalog(ended.signal)
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
        if (event.type === 'reset') noteReset(event.reason)
        else if (event.type === 'snapshot') for (const candle of event.candles) notePrice(candle)
        // A revision is of the past and tells no price of now.
        else if (event.type === 'update') notePrice(event.candle)
      },
      // The list still has the prices of its last refresh.
      error: () => undefined,
      notice: noteNotice,
    },
  )
}
