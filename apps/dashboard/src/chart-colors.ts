/** The chart's colors, from the style sheet: one place holds them for both themes. */
export interface ChartColors {
  readonly text: string
  readonly grid: string
  readonly border: string
  readonly crosshair: string
  readonly up: string
  readonly down: string
  readonly quiet: string
  readonly volume: string
  readonly gap: string
  readonly gapLine: string
  readonly backfilled: string
  readonly partial: string
  readonly revised: string
  readonly labelGround: string
  /** Of indicators, in their order. */
  readonly lines: readonly string[]
}

export function readChartColors(): ChartColors {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    text: color('text-soft'),
    grid: color('chart-grid'),
    border: color('line'),
    crosshair: color('chart-crosshair'),
    up: color('up'),
    down: color('down'),
    quiet: color('chart-quiet'),
    volume: color('chart-volume'),
    gap: color('chart-gap'),
    gapLine: color('chart-gap-line'),
    backfilled: color('chart-backfilled'),
    partial: color('chart-partial'),
    revised: color('revised'),
    labelGround: color('chart-label'),
    lines: [1, 2, 3, 4, 5, 6].map((at) => color(`chart-line-${at}`)),
  }
}
