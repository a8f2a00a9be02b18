import {
  CandlestickSeries,
  ColorType,
  createChartEx,
  createSeriesMarkers,
  CrosshairMode,
  HistogramSeries,
  LineSeries,
  TickMarkType,
} from 'lightweight-charts'
import type {
  CandlestickData,
  HistogramData,
  IChartApi,
  ISeriesApi,
  ISeriesMarkersPluginApi,
  LineData,
  Time,
  UTCTimestamp,
  WhitespaceData,
} from 'lightweight-charts'

import type { CandleResource } from '@tickertape/client'

import { isRevised } from './candle-book.ts'
import type { Bar, CandleBook } from './candle-book.ts'
import type { ChartColors } from './chart-colors.ts'
import { clockText, dayText, digitsOf, momentText, monthText } from './format.ts'
import { marksBy } from './local-marks.ts'
import type { Zone } from './preferences.ts'
import { StretchShading } from './stretch-shading.ts'

export interface CandleChartOptions {
  readonly element: HTMLElement
  readonly colors: ChartColors
  readonly zone: Zone
  /** windowStart under the crosshair; undefined where there is none. */
  readonly onCrosshair: (windowStart: number | undefined) => void
  /** The beginning of what is drawn is near. */
  readonly onNearStart: () => void
}

/** Bars to the left of the view at which earlier ones are asked for. */
const nearStart = 60

/** Draws a book of candles, and each change of it as one bar. */
export class CandleChart implements Disposable {
  readonly #chart: IChartApi
  readonly #candles: ISeriesApi<'Candlestick'>
  readonly #volume: ISeriesApi<'Histogram'>
  readonly #lines = new Map<string, ISeriesApi<'Line'>>()
  readonly #marks: ISeriesMarkersPluginApi<Time>
  readonly #shading: StretchShading
  #colors: ChartColors
  #zone: Zone
  #book: CandleBook | undefined
  #crosshairAt: number | undefined

  constructor({ element, colors, zone, onCrosshair, onNearStart }: CandleChartOptions) {
    this.#colors = colors
    this.#zone = zone
    const marks = marksBy(() => this.#zone === 'local')
    this.#chart = createChartEx<Time, ReturnType<typeof marksBy>>(element, marks, {
      autoSize: true,
      layout: {
        background: { type: ColorType.Solid, color: 'transparent' },
        fontFamily: getComputedStyle(element).fontFamily,
        fontSize: 11,
        // The logo would need an inline style sheet; the help overlay names and links the library instead.
        attributionLogo: false,
      },
      rightPriceScale: { scaleMargins: { top: 0.14, bottom: 0.22 }, minimumWidth: 74 },
      timeScale: { timeVisible: true, rightOffset: 6, minBarSpacing: 1, barSpacing: 8 },
      crosshair: { mode: CrosshairMode.Normal },
    })
    this.#candles = this.#chart.addSeries(CandlestickSeries, { borderVisible: false })
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.#volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } })
    this.#marks = createSeriesMarkers<Time>(this.#candles, [])
    this.#shading = new StretchShading(colors)
    this.#candles.attachPrimitive(this.#shading)
    this.restyle(colors, zone)
    this.#chart.subscribeCrosshairMove(({ time }) => {
      this.#crosshairAt = typeof time === 'number' ? time * 1_000 : undefined
      onCrosshair(this.#crosshairAt)
    })
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && range.from < nearStart) onNearStart()
    })
  }

  [Symbol.dispose](): void {
    this.#chart.remove()
  }

  /** Begins with another book, at its newest candle. */
  open(book: CandleBook): void {
    this.#book = book
    for (const series of this.#lines.values()) this.#chart.removeSeries(series)
    this.#lines.clear()
    this.draw()
    this.#chart.timeScale().applyOptions({
      barSpacing: 8,
      secondsVisible: book.spanMs < 60_000,
    })
    this.#chart.timeScale().scrollToRealTime()
  }

  /** Draws all of the book; the view stays where it is. */
  draw(): void {
    const book = this.#book
    if (book === undefined) return
    const bars = book.bars()
    this.#formatPrices(book)
    this.#candles.setData(bars.map((bar) => this.#candleOf(bar)))
    this.#volume.setData(bars.map((bar) => this.#volumeOf(bar)))
    this.#ensureLines(book.candles)
    for (const [name, series] of this.#lines) series.setData(bars.map((bar) => lineOf(bar, name)))
    this.drawMarks()
  }

  /** Draws one candle that is the last one or takes the place of another. */
  drawCandle(candle: CandleResource, isLast: boolean): void {
    const book = this.#book
    if (book === undefined) return
    if (isLast) {
      const previous = book.candles.at(-2)
      const drawn = this.#candles.data().at(-1)
      const isNew = drawn === undefined || drawn.time !== secondsOf(candle.windowStart)
      if (previous !== undefined && isNew) {
        for (const bar of book.emptyBetween(previous, candle)) this.#drawBar(bar, false)
      }
    }
    this.#ensureLines([candle])
    this.#drawBar({ windowStart: candle.windowStart, candle }, !isLast)
  }

  /** Stretches of gaps, and a mark at each candle that is not its first telling. */
  drawMarks(): void {
    const book = this.#book
    if (book === undefined) return
    this.#shading.show(book.stretches(), this.#colors)
    const revised = book.candles.filter(isRevised)
    this.#marks.setMarkers(
      revised.map(({ windowStart }) => ({
        time: secondsOf(windowStart),
        position: 'belowBar',
        shape: 'circle',
        color: this.#colors.revised,
        size: 0.5,
      })),
    )
  }

  restyle(colors: ChartColors, zone: Zone): void {
    const zoneChanges = zone !== this.#zone
    this.#colors = colors
    this.#zone = zone
    const label = { color: colors.crosshair, labelBackgroundColor: colors.labelGround }
    this.#chart.applyOptions({
      layout: { textColor: colors.text },
      grid: { vertLines: { color: colors.grid }, horzLines: { color: colors.grid } },
      rightPriceScale: { borderColor: colors.border },
      timeScale: {
        borderColor: colors.border,
        tickMarkFormatter: (time: Time, type: TickMarkType) => this.#tickText(time, type),
      },
      crosshair: { vertLine: label, horzLine: label },
      localization: {
        timeFormatter: (time: Time) => momentText(msOf(time), this.#zone, this.#hasSeconds()),
      },
    })
    this.#candles.applyOptions({
      upColor: colors.up,
      downColor: colors.down,
      wickUpColor: colors.up,
      wickDownColor: colors.down,
      priceLineColor: colors.crosshair,
    })
    if (zoneChanges) this.#drawAnew()
    else this.#draws()
  }

  /** Moves the crosshair by bars; from the newest candle if it is nowhere. */
  moveCrosshair(by: number): number | undefined {
    const bars = this.#book?.candles ?? []
    const from = bars.findIndex(({ windowStart }) => windowStart === this.#crosshairAt)
    const at = Math.min(bars.length - 1, Math.max(0, (from < 0 ? bars.length : from) + by))
    const candle = bars[at]
    if (candle === undefined) return undefined
    const time = secondsOf(candle.windowStart)
    this.#chart.setCrosshairPosition(Number(candle.close), time, this.#candles)
    this.#crosshairAt = candle.windowStart
    this.#keepInView(time, by)
    return candle.windowStart
  }

  /** Lets go of the crosshair. */
  showNewest(): undefined {
    this.#chart.clearCrosshairPosition()
    this.#crosshairAt = undefined
    this.#chart.timeScale().scrollToRealTime()
  }

  #draws(): void {
    if (this.#book !== undefined) this.draw()
  }

  /** Bars that stay keep their marks, so they have to go first. */
  #drawAnew(): void {
    const scale = this.#chart.timeScale()
    const view = scale.getVisibleLogicalRange()
    for (const series of [this.#candles, this.#volume, ...this.#lines.values()]) series.setData([])
    this.#draws()
    if (view !== null) scale.setVisibleLogicalRange(view)
  }

  #keepInView(time: UTCTimestamp, by: number): void {
    const scale = this.#chart.timeScale()
    const x = scale.timeToCoordinate(time)
    if (x !== null && (x < 24 || x > scale.width() - 24)) {
      scale.scrollToPosition(scale.scrollPosition() + by * 10, false)
    }
  }

  #drawBar(bar: Bar, isHistorical: boolean): void {
    this.#candles.update(this.#candleOf(bar), isHistorical)
    this.#volume.update(this.#volumeOf(bar), isHistorical)
    for (const [name, series] of this.#lines) series.update(lineOf(bar, name), isHistorical)
  }

  #candleOf({ windowStart, candle }: Bar): CandlestickData | WhitespaceData {
    const time = secondsOf(windowStart)
    if (candle === undefined) return { time }
    const { quiet } = this.#colors
    return {
      time,
      open: Number(candle.open),
      high: Number(candle.high),
      low: Number(candle.low),
      close: Number(candle.close),
      ...(candle.quality === 'quiet' ? { color: quiet, wickColor: quiet } : {}),
    }
  }

  #volumeOf({ windowStart, candle }: Bar): HistogramData | WhitespaceData {
    const time = secondsOf(windowStart)
    if (candle === undefined) return { time }
    return { time, value: Number(candle.volume), color: this.#colors.volume }
  }

  #ensureLines(candles: readonly CandleResource[]): void {
    for (const { indicators } of candles) {
      for (const name of Object.keys(indicators)) {
        if (this.#lines.has(name)) continue
        const series = this.#chart.addSeries(LineSeries, {
          lineWidth: 1,
          lastValueVisible: false,
          priceLineVisible: false,
          crosshairMarkerVisible: false,
        })
        this.#lines.set(name, series)
      }
    }
    for (const [at, series] of [...this.#lines.values()].entries()) {
      const color = this.#colors.lines[at % this.#colors.lines.length]
      if (color !== undefined && series.options().color !== color) series.applyOptions({ color })
    }
  }

  /** As many digits as the prices themselves have. */
  #formatPrices({ candles }: CandleBook): void {
    const digits = Math.min(
      12,
      Math.max(0, ...candles.slice(-200).map(({ close }) => digitsOf(close))),
    )
    const priceFormat = { type: 'price', precision: digits, minMove: 1 / 10 ** digits } as const
    this.#candles.applyOptions({ priceFormat })
  }

  #hasSeconds(): boolean {
    return (this.#book?.spanMs ?? 0) < 60_000
  }

  #tickText(time: Time, type: TickMarkType): string {
    const ms = msOf(time)
    if (type === TickMarkType.Time) return clockText(ms, this.#zone, false)
    if (type === TickMarkType.TimeWithSeconds) return clockText(ms, this.#zone)
    return type === TickMarkType.DayOfMonth ? dayText(ms, this.#zone) : monthText(ms, this.#zone)
  }
}

function lineOf({ windowStart, candle }: Bar, name: string): LineData | WhitespaceData {
  const time = secondsOf(windowStart)
  const value = candle?.indicators[name]
  return value === undefined ? { time } : { time, value }
}

function secondsOf(ms: number): UTCTimestamp {
  // The library's brand on seconds since the epoch.
  return (ms / 1_000) as UTCTimestamp
}

function msOf(time: Time): number {
  // Only seconds are given to this chart.
  return Number(time) * 1_000
}
