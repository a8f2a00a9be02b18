import { runService } from '@tickertape/service-runtime'

import { environment, readConfig, settings } from './config.ts'
import { startIngest } from './ingest.ts'

await runService({
  name: 'ingest',
  prefix: 'INGEST_',
  settings,
  adminPort: 'INGEST_ADMIN_PORT',
  environment,
  start: async (values, context) => startIngest(readConfig(values), context),
})
