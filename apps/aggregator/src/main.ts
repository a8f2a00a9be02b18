import { runService } from '@tickertape/service-runtime'

import { startAggregator } from './aggregator.ts'
import { environment, readConfig, settings } from './config.ts'

await runService({
  name: 'aggregator',
  prefix: 'AGGREGATOR_',
  settings,
  adminPort: 'AGGREGATOR_ADMIN_PORT',
  environment,
  start: async (values, context) => startAggregator(readConfig(values), context),
})
