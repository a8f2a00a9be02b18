import { computed, signal } from '@preact/signals'

import type { CandleResource, StatsOf } from '@tickertape/client'

export type Interval = CandleResource['interval']
export type StatsSpan = '5m' | '1h' | '24h'
export type View = 'market' | 'statistics' | 'pipeline'

export const intervals: readonly Interval[] = ['1s', '1m', '5m', '15m', '1h', '4h', '1d']
export const statsSpans: readonly StatsSpan[] = ['5m', '1h', '24h']
export const statsSubjects: readonly (keyof StatsOf)[] = ['tokens', 'pairs', 'instruments']
export const views: readonly View[] = ['market', 'statistics', 'pipeline']

/** What the address says is shown: a link leads to the same page. */
export interface ViewState {
  readonly view: View
  /** Empty: the first one of the list. */
  readonly instrument: string
  readonly interval: Interval
  readonly of: keyof StatsOf
  readonly span: StatsSpan
}

const usual: ViewState = {
  view: 'market',
  instrument: '',
  interval: '1m',
  of: 'tokens',
  span: '1h',
}

/** What is no name of anything is left at the usual. */
export function readAddress(query: string): ViewState {
  const asked = new URLSearchParams(query)
  const one = <T extends string>(name: string, known: readonly T[], otherwise: T): T =>
    known.find((each) => each === asked.get(name)) ?? otherwise
  return {
    view: one('view', views, usual.view),
    instrument: asked.get('instrument') ?? usual.instrument,
    interval: one('interval', intervals, usual.interval),
    of: one('of', statsSubjects, usual.of),
    span: one('span', statsSpans, usual.span),
  }
}

/** Only what matters for the view; the names that are in an address already keep their meaning. */
export function writeAddress(state: ViewState): string {
  const query = new URLSearchParams()
  if (state.view !== usual.view) query.set('view', state.view)
  if (state.instrument !== '') query.set('instrument', state.instrument)
  if (state.interval !== usual.interval) query.set('interval', state.interval)
  if (state.view === 'statistics') {
    query.set('of', state.of)
    query.set('span', state.span)
  }
  // Colons and slashes of names stay readable; both are allowed in a query.
  return `?${query.toString().replaceAll('%3A', ':').replaceAll('%2F', '/')}`
}

export const viewState = signal<ViewState>(usual)
export const instrumentId = computed(() => viewState.value.instrument)
export const interval = computed(() => viewState.value.interval)

/** Takes the state from the address, and from then on with the browser's back and forward. */
export function followAddress(): void {
  const read = (): void => {
    viewState.value = readAddress(location.search)
  }
  read()
  addEventListener('popstate', read)
}

/** Shows something else; an entry of the history where another instrument or view begins. */
export function show(change: Partial<ViewState>): void {
  const before = viewState.value
  const after = { ...before, ...change }
  viewState.value = after
  const isStep =
    after.view !== before.view ||
    (after.instrument !== before.instrument && before.instrument !== '')
  const address = writeAddress(after)
  if (isStep) history.pushState(null, '', address)
  else history.replaceState(null, '', address)
}
