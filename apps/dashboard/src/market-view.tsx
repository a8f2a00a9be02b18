import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

import { ChartPanel } from './chart-panel.tsx'
import { compactDecimal, compactUsd, groupDecimal, percent } from './format.ts'
import { findInstrument, listed, livePrice } from './instrument-catalog.ts'
import { InstrumentList, Price, signOf } from './instrument-list.tsx'
import { Notice } from './notice.tsx'
import { QualityBadge } from './quality-badge.tsx'
import { TradeTape } from './trade-tape.tsx'
import { instrumentId, interval, intervals, show } from './view-state.ts'

const panels = ['list', 'chart', 'tape'] as const
type Panel = (typeof panels)[number]
const panelNames = { list: 'Instruments', chart: 'Chart', tape: 'Trades' } as const

/** Which of the three is shown where there is room for one. */
const panel = signal<Panel>('chart')

export function MarketView() {
  const [first] = listed.value
  const id = instrumentId.value
  useEffect(() => {
    if (id === '' && first !== undefined) show({ instrument: first.instrumentId })
  }, [id, first])
  return (
    <div class="market" data-panel={panel.value}>
      <InstrumentList
        onChosen={() => {
          panel.value = 'chart'
        }}
      />
      <section class="panel chart-section" aria-label="Candles">
        <InstrumentHeader />
        {id === '' ? (
          <Notice title="Choose an instrument">The list beside shows what is traded.</Notice>
        ) : (
          <ChartPanel instrument={id} interval={interval.value} />
        )}
      </section>
      {id !== '' && <TradeTape instrument={id} />}
      <div class="panel-switch" role="group" aria-label="Panel">
        {panels.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={panel.value === each}
            onClick={() => {
              panel.value = each
            }}
          >
            {panelNames[each]}
          </button>
        ))}
      </div>
    </div>
  )
}

function InstrumentHeader() {
  const id = instrumentId.value
  const instrument = findInstrument(id)
  const summary = instrument?.summary ?? undefined
  const [venue = '', ...rest] = id.split(':')
  useTitle(id, livePrice(id).value ?? summary?.lastPrice)
  return (
    <header class="chart-header">
      <div class="chart-name">
        <h1>{rest.join(':') || 'Tickertape'}</h1>
        <small>
          {venue}
          {instrument?.kind !== undefined && instrument.kind !== null && ` · ${instrument.kind}`}
          {instrument?.quantityUnit === 'quote' && ` · volume in ${instrument.quote ?? 'quote'}`}
        </small>
      </div>
      <div class="chart-price">
        {instrument !== undefined && summary !== undefined && (
          <>
            <Price instrument={instrument} last={summary.lastPrice} />
            <span class={signOf(summary.change24h)}>{percent(summary.change24h)}</span>
          </>
        )}
      </div>
      <dl class="chart-facts">
        <Fact name="24 h high" value={summary && groupDecimal(summary.high24h)} />
        <Fact name="24 h low" value={summary && groupDecimal(summary.low24h)} />
        <Fact name="24 h volume" value={summary && compactDecimal(summary.volume24h)} />
        <Fact name="in USD" value={summary && compactUsd(summary.notionalUsd24h)} />
        <div>
          <dt>24 h data</dt>
          <dd>{summary === undefined ? '–' : <QualityBadge quality={summary.quality} />}</dd>
        </div>
      </dl>
      <div class="intervals" role="group" aria-label="Interval">
        {intervals.map((each, at) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === interval.value}
            aria-keyshortcuts={String(at + 1)}
            onClick={() => show({ interval: each })}
          >
            {each}
          </button>
        ))}
      </div>
    </header>
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value ?? '–'}</dd>
    </div>
  )
}

/** A tab in the background still tells the price. */
function useTitle(id: string, price: string | undefined): void {
  useEffect(() => {
    const name = id.split(':').slice(1).join(':')
    document.title = price === undefined ? 'Tickertape' : `${groupDecimal(price)} ${name}`
    return () => {
      document.title = 'Tickertape'
    }
  }, [id, price])
}
