/** A service that does nothing but what its runtime gives it; DEMO_MODE chooses how it goes. */
import { setTimeout as delay } from 'node:timers/promises'

import { adminPortSetting, choiceSetting, runService, sharedSettings } from '../src/index.ts'

const settings = {
  ...sharedSettings,
  DEMO_ADMIN_PORT: adminPortSetting(0),
  DEMO_MODE: choiceSetting(['works', 'waits', 'fails', 'cannot start'], {
    default: 'works',
    about: 'How the service goes',
  }),
}

await runService({
  name: 'demo',
  prefix: 'DEMO_',
  settings,
  adminPort: 'DEMO_ADMIN_PORT',
  environment: process.env,
  start: async ({ DEMO_MODE }, { logger, readiness, tracing }) => {
    tracing.record('start', { endTime: Date.now() })
    if (DEMO_MODE === 'cannot start') throw new Error('the moon is down')
    if (DEMO_MODE === 'waits') readiness.waitFor('moon', 'it has not risen')
    const alive = setInterval(() => undefined, 1_000)
    return {
      failed:
        DEMO_MODE === 'fails'
          ? delay(100).then(() => Promise.reject(new Error('the moon fell')))
          : new Promise<never>(() => undefined),
      [Symbol.asyncDispose]: async () => {
        clearInterval(alive)
        logger.info('drained')
        await delay(1)
      },
    }
  },
})
