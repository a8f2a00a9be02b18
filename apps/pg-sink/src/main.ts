import { runService } from '@tickertape/service-runtime'

import { environment, readConfig, settings } from './config.ts'
import { startPgSink } from './pg-sink.ts'

await runService({
  name: 'pg-sink',
  prefix: 'PG_SINK_',
  settings,
  adminPort: 'PG_SINK_ADMIN_PORT',
  environment,
  start: async (values, context) => startPgSink(readConfig(values), context),
})
