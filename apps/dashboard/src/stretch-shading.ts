import type {
  IChartApi,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  UTCTimestamp,
} from 'lightweight-charts'

import type { Stretch } from './candle-book.ts'
import type { ChartColors } from './chart-colors.ts'

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0]

/** Shades the time of stretches behind the candles: gaps from top to bottom and hatched, others by a band below. */
export class StretchShading implements ISeriesPrimitive {
  #chart: IChartApi | undefined
  #requestUpdate: (() => void) | undefined
  #stretches: readonly Stretch[] = []
  #colors: ChartColors
  readonly #views: readonly IPrimitivePaneView[]

  constructor(colors: ChartColors) {
    this.#colors = colors
    const renderer: IPrimitivePaneRenderer = {
      draw: () => undefined,
      drawBackground: (target) => this.#draw(target),
    }
    this.#views = [{ zOrder: () => 'bottom', renderer: () => renderer }]
  }

  attached({ chart, requestUpdate }: SeriesAttachedParameter): void {
    this.#chart = chart
    this.#requestUpdate = requestUpdate
  }

  detached(): void {
    this.#chart = undefined
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views
  }

  show(stretches: readonly Stretch[], colors: ChartColors): void {
    this.#stretches = stretches
    this.#colors = colors
    this.#requestUpdate?.()
  }

  #draw(target: Target): void {
    const scale = this.#chart?.timeScale()
    if (scale === undefined) return
    const half = scale.options().barSpacing / 2
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      for (const { from, to, kind } of this.#stretches) {
        const left = scale.timeToCoordinate(secondsOf(from))
        const right = scale.timeToCoordinate(secondsOf(to))
        if (left === null || right === null) continue
        const x = left - half
        const width = Math.max(right + half - x, 2)
        if (x > mediaSize.width || x + width < 0) continue
        if (kind === 'gap') this.#hatch(context, x, width, mediaSize.height)
        else {
          context.fillStyle = kind === 'partial' ? this.#colors.partial : this.#colors.backfilled
          context.fillRect(x, mediaSize.height - 5, width, 5)
        }
      }
    })
  }

  /** Hatched as well as colored: it must not depend on telling colors apart. */
  #hatch(context: CanvasRenderingContext2D, x: number, width: number, height: number): void {
    context.save()
    context.beginPath()
    context.rect(x, 0, width, height)
    context.clip()
    context.fillStyle = this.#colors.gap
    context.fillRect(x, 0, width, height)
    context.strokeStyle = this.#colors.gapLine
    context.lineWidth = 1
    context.beginPath()
    // Lines start at places of the pane, not of the stretch, so that they stand still while it is scrolled.
    const step = 9
    for (let at = Math.floor((x - height) / step) * step; at < x + width; at += step) {
      context.moveTo(at, height)
      context.lineTo(at + height, 0)
    }
    context.stroke()
    context.restore()
  }
}

function secondsOf(ms: number): UTCTimestamp {
  // The library's brand on seconds since the epoch.
  return (ms / 1_000) as UTCTimestamp
}
