import { aggregator } from './dashboards/aggregator.ts'
import type { DashboardPlan } from './dashboards/dashboard.ts'
import { gateway } from './dashboards/gateway.ts'
import { ingest } from './dashboards/ingest.ts'
import { kafka } from './dashboards/kafka.ts'
import { node } from './dashboards/node.ts'
import { overview } from './dashboards/overview.ts'
import { pgSink } from './dashboards/pg-sink.ts'
import { postgresql } from './dashboards/postgresql.ts'

export const dashboardPlans: readonly DashboardPlan[] = [
  overview,
  ingest,
  aggregator,
  pgSink,
  gateway,
  kafka,
  postgresql,
  node,
]
