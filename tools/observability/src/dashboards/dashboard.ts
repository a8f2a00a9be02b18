import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'

import { dataSource } from './panels.ts'

export interface Section {
  readonly title: string
  readonly panels: readonly Panelled[]
}

/** What every kind of panel can do. */
export interface Panelled extends Builder<Panel> {
  id(id: number): this
}

export interface DashboardPlan {
  /** Of its file and its address: `tickertape-<name>`. */
  readonly name: string
  readonly title: string
  readonly about: string
  readonly sections: readonly Section[]
  /** Labels that the reader chooses values of, as `$label`, and the metric that has them. */
  readonly choices?: readonly { readonly label: string; readonly metric: string }[]
}

/** Grafana's JSON of a plan: the same bytes for the same plan. */
export function buildDashboard(plan: DashboardPlan): Dashboard {
  const builder = new DashboardBuilder(plan.title)
    .uid(`tickertape-${plan.name}`)
    .description(plan.about)
    .tags(['tickertape'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('10s')
    .time({ from: 'now-30m', to: 'now' })
    .link(
      new DashboardLinkBuilder('Tickertape')
        .type(DashboardLinkType.Dashboards)
        .tags(['tickertape'])
        .asDropdown(true)
        .keepTime(true),
    )
  for (const { label, metric } of plan.choices ?? []) {
    builder.withVariable(
      new QueryVariableBuilder(label)
        .datasource(dataSource)
        .query(`label_values(${metric}, ${label})`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    )
  }
  let id = 0
  for (const { title, panels } of plan.sections) {
    builder.withRow(new RowBuilder(title).id(++id))
    for (const panel of panels) builder.withPanel(panel.id(++id))
  }
  return builder.build()
}
