import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'

import type { CandleResource } from '@tickertape/client'

import type { BookSummary, CandleBook } from './candle-book.ts'
import { CandleChart } from './candle-chart.ts'
import { CandleFeed } from './candle-feed.ts'
import { CandleLegend, ChartKey, ChartSummary } from './candle-legend.tsx'
import { readChartColors } from './chart-colors.ts'
import { clockText, groupDecimal } from './format.ts'
import { client, explain, generation, noteNotice, noteReset } from './gateway.ts'
import { notePrice } from './instrument-catalog.ts'
import { Notice } from './notice.tsx'
import { theme, zone } from './preferences.ts'
import type { Interval } from './view-state.ts'

type State =
  | { readonly status: 'loading' }
  | { readonly status: 'drawn' }
  | { readonly status: 'empty' }
  | { readonly status: 'failed'; readonly reason: string }

/** What the keyboard asks of the chart that is shown. */
export const chartKeys = signal<((by: number | 'newest') => void) | undefined>(undefined)

/** The latest revision that came while the page was open, told for a while. */
interface Revision {
  readonly candle: CandleResource
  readonly previous: CandleResource
}

export function ChartPanel({
  instrument,
  interval,
}: {
  readonly instrument: string
  readonly interval: Interval
}) {
  const frame = useRef<HTMLDivElement>(null)
  const chart = useRef<CandleChart | undefined>(undefined)
  const feed = useRef<CandleFeed | undefined>(undefined)
  const [state, setState] = useState<State>({ status: 'loading' })
  /** windowStart that the crosshair holds; without it the legend follows the newest candle. */
  const held = useRef<number | undefined>(undefined)
  const [shown, setShown] = useState<CandleResource>()
  const [revision, setRevision] = useState<Revision>()
  const [summary, setSummary] = useState<BookSummary>()
  const run = generation.value

  useEffect(() => {
    const element = frame.current
    if (element === null) return undefined
    const made = new CandleChart({
      element,
      colors: readChartColors(),
      zone: zone.value,
      onCrosshair: (windowStart) => {
        held.current = windowStart
        setShown(heldCandle(feed.current?.book, windowStart))
      },
      onNearStart: () => feed.current?.loadEarlier(),
    })
    chart.current = made
    chartKeys.value = (by) => {
      held.current = by === 'newest' ? made.showNewest() : made.moveCrosshair(by)
      setShown(heldCandle(feed.current?.book, held.current))
    }
    return () => {
      chartKeys.value = undefined
      chart.current = undefined
      made[Symbol.dispose]()
    }
  }, [])

  useEffect(() => {
    chart.current?.restyle(readChartColors(), zone.value)
  }, [theme.value, zone.value])

  useEffect(() => {
    setState({ status: 'loading' })
    held.current = undefined
    setShown(undefined)
    setRevision(undefined)
    setSummary(undefined)
    const made = new CandleFeed(client, instrument, interval, {
      loaded: () => {
        const last = made.book.last
        if (last === undefined) {
          setState({ status: 'empty' })
          return
        }
        setState({ status: 'drawn' })
        setShown(heldCandle(made.book, held.current))
        chart.current?.draw()
        setSummary(made.book.summary())
      },
      changed: (candle) => {
        setState({ status: 'drawn' })
        const isLast = candle === made.book.last
        if (isLast) notePrice(candle)
        setShown(heldCandle(made.book, held.current))
        chart.current?.drawCandle(candle, isLast)
        if (candle.final) {
          chart.current?.drawMarks()
          setSummary(made.book.summary())
        }
      },
      revised: (candle, previous) => setRevision({ candle, previous }),
      reset: noteReset,
      noticed: noteNotice,
      failed: (error) => {
        if (made.book.last === undefined) setState({ status: 'failed', reason: explain(error) })
      },
    })
    feed.current = made
    chart.current?.open(made.book)
    return () => made[Symbol.dispose]()
  }, [instrument, interval, run])

  return (
    <div class="chart-panel">
      <CandleLegend candle={shown} />
      <ChartSummary summary={summary} />
      <div
        class="chart"
        ref={frame}
        role="img"
        aria-label={`Candles of ${instrument}, ${interval}`}
        aria-describedby="chart-summary"
        data-state={state.status}
      />
      {state.status === 'loading' && <div class="chart-veil" role="status" aria-label="Loading" />}
      {state.status === 'empty' && (
        <div class="chart-veil">
          <Notice title="No candles yet">The first one appears when its window has begun.</Notice>
        </div>
      )}
      {state.status === 'failed' && (
        <div class="chart-veil">
          <Notice title="Candles cannot be shown" onRetry={() => feed.current?.retry()}>
            {state.reason}
          </Notice>
        </div>
      )}
      <div class="chart-foot">
        <ChartKey />
        <p class="revision" aria-live="polite">
          {revision !== undefined && revisionText(revision, interval)}
        </p>
      </div>
    </div>
  )
}

function heldCandle(
  book: CandleBook | undefined,
  held: number | undefined,
): CandleResource | undefined {
  return held === undefined ? book?.last : (book?.at(held) ?? book?.last)
}

function revisionText({ candle, previous }: Revision, interval: Interval): string {
  const time = clockText(candle.windowStart, zone.value, interval === '1s')
  const changes: string[] = []
  if (candle.close !== previous.close) {
    changes.push(`close ${groupDecimal(previous.close)} → ${groupDecimal(candle.close)}`)
  }
  if (candle.volume !== previous.volume) {
    changes.push(`volume ${groupDecimal(previous.volume)} → ${groupDecimal(candle.volume)}`)
  }
  if (candle.quality !== previous.quality) changes.push(`${previous.quality} → ${candle.quality}`)
  return `${time} revised (${candle.revision})${changes.length === 0 ? '' : `: ${changes.join(', ')}`}`
}
