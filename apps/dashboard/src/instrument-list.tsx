import { useEffect, useMemo, useRef, useState } from 'preact/hooks'

import type { InstrumentResource } from '@tickertape/client'

import { compactUsd, digitsOf, groupDecimal, percent } from './format.ts'
import {
  catalog,
  followPrices,
  listed,
  livePrice,
  loadCatalog,
  order,
  search,
} from './instrument-catalog.ts'
import { orders } from './instrument-order.ts'
import { Notice, Skeleton } from './notice.tsx'
import { QualityBadge } from './quality-badge.tsx'
import { Sparkline } from './sparkline.tsx'
import { instrumentId, show } from './view-state.ts'
import { VirtualList } from './virtual-list.tsx'

const rowHeight = 56
/** A scroll goes past many rows: prices are asked for when it rests. */
const restMs = 200

const orderNames = { notional: 'Volume in USD', change: 'Change', name: 'Name' } as const

export function InstrumentList({ onChosen }: { readonly onChosen: () => void }) {
  const state = catalog.value
  const instruments = listed.value
  const selected = instruments.findIndex((each) => each.instrumentId === instrumentId.value)
  const total = state.status === 'loaded' ? state.instruments.length : 0
  return (
    <section class="panel list-panel" aria-label="Instruments">
      <div class="list-tools">
        <input
          id="search"
          class="search"
          type="search"
          placeholder="Search instruments"
          aria-label="Search instruments"
          aria-keyshortcuts="/"
          autocomplete="off"
          spellcheck={false}
          value={search.value}
          onInput={({ currentTarget }) => {
            search.value = currentTarget.value
          }}
          onKeyDown={(event) => {
            const [first] = listed.value
            if (event.key === 'Escape') {
              search.value = ''
              event.currentTarget.blur()
            } else if (event.key === 'Enter' && first !== undefined) {
              show({ instrument: first.instrumentId, view: 'market' })
              event.currentTarget.blur()
              onChosen()
            }
          }}
        />
        <div class="list-count">
          <span>
            {instruments.length === total
              ? `${total.toLocaleString('en')} instruments`
              : `${instruments.length.toLocaleString('en')} of ${total.toLocaleString('en')}`}
          </span>
          <label>
            by{' '}
            <select
              class="select"
              aria-label="Order of instruments"
              value={order.value}
              onChange={({ currentTarget }) => {
                order.value = orders.find((each) => each === currentTarget.value) ?? 'notional'
              }}
            >
              {orders.map((each) => (
                <option key={each} value={each}>
                  {orderNames[each]}
                </option>
              ))}
            </select>
          </label>
        </div>
      </div>
      <ListBody selected={selected} onChosen={onChosen} />
    </section>
  )
}

function ListBody({
  selected,
  onChosen,
}: {
  readonly selected: number
  readonly onChosen: () => void
}) {
  const [inView, setInView] = useState<readonly InstrumentResource[]>([])
  const ids = useMemo(() => inView.map((each) => each.instrumentId).sort(), [inView])
  const names = ids.join('\n')
  useEffect(() => {
    if (ids.length === 0) return undefined
    let subscription: Disposable | undefined
    const timer = setTimeout(() => {
      subscription = followPrices(ids)
    }, restMs)
    return () => {
      clearTimeout(timer)
      subscription?.[Symbol.dispose]()
    }
  }, [names])
  const state = catalog.value
  if (state.status === 'loading') return <Skeleton rows={12} height={rowHeight} />
  if (state.status === 'failed') {
    return (
      <Notice title="The list could not be loaded" onRetry={() => void loadCatalog()}>
        {state.reason}
      </Notice>
    )
  }
  if (state.instruments.length === 0) {
    return (
      <Notice title="No instruments yet" onRetry={() => void loadCatalog()}>
        They appear with their first trades.
      </Notice>
    )
  }
  if (listed.value.length === 0) {
    return <Notice title="Nothing is found">No instrument has “{search.value}” in its name.</Notice>
  }
  return (
    <VirtualList
      items={listed.value}
      rowHeight={rowHeight}
      label="Instruments"
      keyOf={(each) => each.instrumentId}
      row={(each) => <InstrumentRow instrument={each} />}
      selected={selected}
      onSelect={(each) => {
        show({ instrument: each.instrumentId, view: 'market' })
        onChosen()
      }}
      onView={setInView}
    />
  )
}

function InstrumentRow({ instrument }: { readonly instrument: InstrumentResource }) {
  const { venue, kind, summary } = instrument
  return (
    <div class="instrument">
      <b class="instrument-name">{instrument.instrument}</b>
      <small class="instrument-about">
        <span>
          {venue}
          {kind !== null && kind !== 'spot' && ` · ${kind === 'perpetual' ? 'perp' : kind}`}
        </span>
        {summary !== null && summary.quality !== 'complete' && (
          <QualityBadge quality={summary.quality} />
        )}
      </small>
      {summary === null ? (
        <small class="instrument-none">no trades in 24 h</small>
      ) : (
        <>
          <span class="instrument-price">
            <Price instrument={instrument} last={summary.lastPrice} />
          </span>
          <Sparkline values={summary.sparkline} width={48} height={18} />
          <small class="instrument-day">
            <span class="soft">{compactUsd(summary.notionalUsd24h)}</span>
            <span class={signOf(summary.change24h)}>{percent(summary.change24h)}</span>
          </small>
        </>
      )}
    </div>
  )
}

/** A price that shows for a moment where it went. */
export function Price({
  instrument,
  last,
}: {
  readonly instrument: InstrumentResource
  readonly last: string
}) {
  const price = livePrice(instrument.instrumentId).value ?? last
  const before = useRef(price)
  const went = Math.sign(Number(price) - Number(before.current))
  useEffect(() => {
    before.current = price
  }, [price])
  const digits = digitsOf(last)
  const move = went === 0 ? '' : went > 0 ? 'went-up' : 'went-down'
  return (
    <span key={`${price}${move}`} class={`price ${move}`}>
      {groupDecimal(price, digits)}
    </span>
  )
}

export function signOf(change: number | null): string {
  return change === null || Math.abs(change) < 0.00005 ? '' : change > 0 ? 'up' : 'down'
}
