import type { CandleResource } from '@tickertape/client'

import { isRevised } from './candle-book.ts'
import type { BookSummary } from './candle-book.ts'
import { digitsOf, groupDecimal, momentText } from './format.ts'
import { zone } from './preferences.ts'
import { QualityBadge } from './quality-badge.tsx'
import { signOf } from './instrument-list.tsx'

/** The candle under the crosshair, or the newest one, with every digit. */
export function CandleLegend({ candle }: { readonly candle: CandleResource | undefined }) {
  if (candle === undefined) return <div class="legend" />
  const digits = Math.max(
    ...[candle.open, candle.high, candle.low, candle.close].map((text) => digitsOf(text)),
  )
  const change = Number(candle.open) === 0 ? 0 : Number(candle.close) / Number(candle.open) - 1
  const fact = (name: string, value: string, sign = '') => (
    <span class="legend-fact">
      <span class="soft">{name}</span> <span class={sign}>{value}</span>
    </span>
  )
  const withSeconds = candle.interval === '1s'
  return (
    <div class="legend">
      <div class="legend-line">
        <span class="legend-time">{momentText(candle.windowStart, zone.value, withSeconds)}</span>
        {fact('O', groupDecimal(candle.open, digits))}
        {fact('H', groupDecimal(candle.high, digits))}
        {fact('L', groupDecimal(candle.low, digits))}
        {fact('C', groupDecimal(candle.close, digits), signOf(change))}
      </div>
      <div class="legend-line">
        {fact('Vol', groupDecimal(candle.volume))}
        {fact('Trades', candle.tradeCount.toLocaleString('en'))}
        {candle.vwap !== null && fact('VWAP', groupDecimal(candle.vwap))}
      </div>
      <div class="legend-line">
        {candle.final ? (
          <QualityBadge quality={candle.quality} />
        ) : (
          <span class="quality">open</span>
        )}
        {isRevised(candle) && (
          <span class="quality quality-revised" title="This closed candle has changed">
            {candle.rebuildId === null ? `revision ${candle.revision}` : 'rebuilt'}
          </span>
        )}
        {Object.entries(candle.indicators).map(([name, value], at) => (
          <span key={name} class="legend-fact">
            <i class={`line-mark line-${(at % 6) + 1}`} aria-hidden />
            <span class="soft">{name}</span> {value.toFixed(Math.min(digits + 1, 12))}
          </span>
        ))}
      </div>
    </div>
  )
}

/** The chart in words and figures. */
export function ChartSummary({ summary }: { readonly summary: BookSummary | undefined }) {
  if (summary?.from === undefined || summary.to === undefined) {
    return <p id="chart-summary" class="for-readers" />
  }
  const { candles, from, to, empty, gaps, backfilled, revised } = summary
  return (
    <p
      id="chart-summary"
      class="for-readers"
      data-candles={candles}
      data-from={from}
      data-to={to}
      data-empty={empty}
      data-gaps={gaps}
      data-backfilled={backfilled}
      data-revised={revised}
    >
      {candles} candles from {momentText(from, zone.value)} to {momentText(to, zone.value)}; {gaps}{' '}
      gaps, {backfilled} stretches backfilled, {revised} candles revised.
    </p>
  )
}

/** What the shading and marks of the chart mean. */
export function ChartKey() {
  return (
    <ul class="chart-key" aria-label="What the chart's marks mean">
      <li>
        <i class="key-gap" aria-hidden /> Gap: trades missing
      </li>
      <li>
        <i class="key-backfilled" aria-hidden /> Backfilled
      </li>
      <li>
        <i class="key-quiet" aria-hidden /> Quiet: no trades made
      </li>
      <li>
        <i class="key-revised" aria-hidden /> Revised after closing
      </li>
    </ul>
  )
}
