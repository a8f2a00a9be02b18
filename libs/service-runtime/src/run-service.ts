import type { Tracing, TracingConfig } from '@tickertape/tracing'
import type { Registry } from 'prom-client'

import { startAdminServer } from './admin-server.ts'
import { createLogger } from './logger.ts'
import type { Logger } from './logger.ts'
import { Readiness } from './readiness.ts'
import { createServiceMetrics } from './service-metrics.ts'
import { startServiceTracing } from './service-tracing.ts'
import { SettingsError, printableSettings, readSettings } from './settings.ts'
import type { SettingValues, Settings } from './settings.ts'
import type { sharedSettings } from './shared-settings.ts'
import { tracingConfigOf, tracingSettings, withoutEmptyOtel } from './tracing-settings.ts'

/** What the runtime gives to a service. */
export interface ServiceContext {
  readonly logger: Logger
  readonly metrics: Registry
  readonly readiness: Readiness
  readonly tracing: Tracing
}

/** A service at work. Disposing it drains it. */
export interface RunningService extends AsyncDisposable {
  /** Settles only if the service can not go on: it rejects with the reason. */
  readonly failed: Promise<never>
}

export interface ServiceDefinition<S extends Settings> {
  readonly name: string
  /** The service's own variables begin with it, for example `AGGREGATOR_`. */
  readonly prefix: string
  readonly settings: S
  /** Name of the setting that holds the admin port. */
  readonly adminPort: keyof S & string
  readonly environment: Readonly<Record<string, string | undefined>>
  start(values: SettingValues<S>, context: ServiceContext): Promise<RunningService>
}

/** Time that draining may take, in ms, before the process ends without it. */
const drainMs = 20_000

/**
 * Runs a service until SIGTERM, SIGINT or its own failure, then drains it. The exit code is 0 after a
 * signal and 1 after a failure or a start that did not succeed.
 */
export async function runService<S extends Settings & typeof sharedSettings>(
  definition: ServiceDefinition<S>,
): Promise<void> {
  const stop = signalled()
  const settings = { ...definition.settings, ...tracingSettings }
  let values: SettingValues<typeof settings>
  let tracingConfig: TracingConfig
  try {
    const environment = withoutEmptyOtel(definition.environment)
    values = readSettings(settings, definition.prefix, environment)
    tracingConfig = tracingConfigOf(values)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(`${definition.name}: ${error.message}\n`)
    process.exitCode = 1
    return
  }
  // S contains the shared settings, which TypeScript does not see through the mapped type.
  const shared = values as SettingValues<typeof sharedSettings>
  const logger = createLogger({ service: definition.name, level: shared.LOG_LEVEL })
  const metrics = createServiceMetrics(definition.name, shared.TICKERTAPE_REVISION)
  const readiness = new Readiness()
  readiness.waitFor('start', 'the service is starting')
  logger.info({ settings: printableSettings(settings, values) }, 'starting')
  try {
    await using admin = await startAdminServer({
      host: shared.ADMIN_HOST,
      // Declared by adminPortSetting.
      port: values[definition.adminPort] as number,
      readiness,
      metrics,
    })
    await using tracing = await startServiceTracing({
      service: definition.name,
      config: tracingConfig,
      logger,
      metrics,
    })
    await using service = await definition.start(values, { logger, metrics, readiness, tracing })
    readiness.ready('start')
    logger.info({ adminPort: admin.port }, 'started')
    const signal = await Promise.race([stop, service.failed])
    readiness.waitFor('stop', `draining after ${signal}`)
    logger.info({ signal }, 'draining')
    endAtDeadline(logger)
  } catch (error) {
    logger.fatal(
      { err: error },
      `stopped: ${error instanceof Error ? error.message : String(error)}`,
    )
    process.exitCode = 1
    endAtDeadline(logger)
    return
  }
  logger.info('stopped')
}

function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

/** The loop should drain by itself; what keeps it alive for longer (a hung socket) must not. */
function endAtDeadline(logger: Logger): void {
  setTimeout(() => {
    logger.error(`not drained within ${drainMs / 1000} s: ending without it`)
    process.exit(1)
  }, drainMs).unref()
}
