import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** The one that provisioning makes. */
export const dataSource: DataSourceRef = { type: 'prometheus', uid: 'tickertape-prometheus' }

/** Grafana's names of units. */
export type Unit = 'short' | 's' | 'bytes' | 'Bps' | 'cps' | 'percentunit' | 'dateTimeFromNow'

export interface Query {
  readonly expr: string
  /** What a line is called; labels in double braces. */
  readonly legend: string
}

export interface PanelText {
  readonly title: string
  /** What a reader has to know to judge it. */
  readonly about?: string
}

/** One line for each series of each query; of two queries or more, each needs a legend of its own. */
export function lines(
  { title, about }: PanelText,
  unit: Unit,
  ...queries: readonly Query[]
): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(title)
    .datasource(dataSource)
    .unit(unit)
    .span(8)
    .height(8)
    .min(0)
    .fillOpacity(8)
    .gradientMode(GraphGradientMode.Opacity)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .targets(queries.map(target))
  return about === undefined ? panel : panel.description(about)
}

export interface Limits {
  /** From here on it is worth a look. */
  readonly warn: number
  readonly bad: number
}

/** The latest value in large digits, coloured by the limits; a value that should be high has `bad` below `warn`. */
export function figure(
  { title, about }: PanelText,
  unit: Unit,
  query: Query,
  limits?: Limits,
): StatBuilder {
  const panel = new StatBuilder()
    .title(title)
    .datasource(dataSource)
    .unit(unit)
    .span(4)
    .height(4)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(thresholds(limits))
    .withTarget(target(query, 0))
  return about === undefined ? panel : panel.description(about)
}

function thresholds(limits: Limits | undefined): ThresholdsConfigBuilder {
  const builder = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute)
  if (limits === undefined) return builder.steps([{ value: null, color: 'text' }])
  const { warn, bad } = limits
  const steps =
    bad >= warn
      ? [
          { value: null, color: 'green' },
          { value: warn, color: 'orange' },
          { value: bad, color: 'red' },
        ]
      : [
          // The worst value itself is bad, and colours change from a value on upwards.
          { value: null, color: 'red' },
          { value: (bad + warn) / 2, color: 'orange' },
          { value: warn, color: 'green' },
        ]
  return builder.steps(steps)
}

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(dataSource)
    .expr(expr)
    .legendFormat(legend)
    .range()
}
