import { runService } from '@tickertape/service-runtime'

import { environment, readConfig, settings } from './config.ts'
import { startGateway } from './gateway.ts'

await runService({
  name: 'gateway',
  prefix: 'GATEWAY_',
  settings,
  adminPort: 'GATEWAY_ADMIN_PORT',
  environment,
  start: async (values, context) => await startGateway(readConfig(values), context),
})
