import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { startStack } from '@tickertape/stack'

import { inheritedEnvironment } from './config.ts'
import type { RunPlace, StartOptions } from './config.ts'
import { buildDashboard } from './dashboard-build.ts'
import type { DashboardBuild } from './dashboard-build.ts'
import { prepareInstallation, storedRows, verifyCommand } from './installation.ts'
import type { Installation } from './installation.ts'
import { sumMetric } from './metrics-text.ts'
import { services } from './service-list.ts'
import type { ServiceName } from './service-list.ts'
import { mainFile, servicePorts } from './services.ts'
import type { ServicePorts } from './services.ts'
import { carryTotal, formatStatus } from './status-line.ts'
import type { Counts } from './status-line.ts'
import { SupervisedProcess } from './supervised-process.ts'
import { tracingSettings } from './tracing-settings.ts'

/**
 * Runs the whole system until the signal: the local stack, the services and, without a live venue, the
 * market simulator. All of it has stopped when this returns.
 */
export async function start(
  options: StartOptions,
  { folder, ports }: RunPlace,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  // The gateway serves the dashboard from its folder whenever it is there.
  const dashboard = buildDashboard(signal)
  const stack = cleanup.use(
    await startStack({
      folder: join(folder, 'stack'),
      ports,
      with: options.with,
      onProgress: print,
      signal,
    }),
  )
  const installation = await prepareInstallation(stack, options.venue)
  const portOf = await servicePorts(ports)
  const rowsBefore = await storedRows(installation)
  const logs = join(folder, 'logs')
  mkdirSync(logs, { recursive: true })
  const running = services
    .filter(({ name }) => name !== 'market-simulator' || options.venue === undefined)
    .map(({ name, project }) => {
      const logFile = join(logs, `${name}.log`)
      const supervised = new SupervisedProcess({
        name,
        main: mainFile(project),
        environment: {
          ...tracingSettings(name, stack.zipkinUrl),
          ...inheritedEnvironment(name),
          ...settingsOf(name, installation, portOf, options),
        },
        logFile,
        onExit: (how, restartInMs) =>
          print(`${name} ${how}; starting it again in ${restartInMs / 1000} s (${logFile})`),
      })
      cleanup.use(supervised)
      return { name, port: portOf[name], logFile, pid: supervised.pid }
    })
  const built = await dashboard
  if (built.outcome !== 'fresh') print(dashboardLine(built))
  print(
    table([
      ['what', 'where', 'pid', 'log'],
      ['kafka', stack.kafkaBrokers, '', join(stack.folder, 'logs')],
      ['registry', stack.registryUrl, '', ''],
      ['postgresql', installation.databaseUrl, '', ''],
      ...(stack.zipkinUrl === undefined ? [] : [['zipkin', stack.zipkinUrl, '', '']]),
      ...running.map(({ name, port, pid, logFile }) => [
        name,
        name === 'market-simulator'
          ? `http://127.0.0.1:${port}/control/status`
          : `http://127.0.0.1:${port}/metrics`,
        String(pid ?? ''),
        logFile,
      ]),
      ['dashboard', `http://127.0.0.1:${portOf.public}`, '', ''],
    ]),
  )
  print(`Ctrl-C stops all of it. This checks the candles against the stored trades:
  ${verifyCommand(installation)}`)
  await printStatus(portOf, rowsBefore, signal, print)
  print('Stopping: services drain first, then the stack …')
}

function settingsOf(
  name: ServiceName,
  installation: Installation,
  ports: ServicePorts,
  { venue, instruments }: StartOptions,
): Record<string, string> {
  const port = String(ports[name])
  if (name === 'market-simulator') return { SIMULATOR_PORT: port }
  const { kafkaBrokers, registryUrl, databaseUrl, topicPrefix } = installation
  const shared = {
    KAFKA_BROKERS: kafkaBrokers,
    REGISTRY_URL: registryUrl,
    TOPIC_PREFIX: topicPrefix,
  }
  if (name === 'pg-sink') {
    return { ...shared, DATABASE_URL: databaseUrl, PG_SINK_ADMIN_PORT: port }
  }
  if (name === 'aggregator') return { ...shared, AGGREGATOR_ADMIN_PORT: port }
  if (name === 'gateway') {
    return {
      ...shared,
      DATABASE_URL: databaseUrl,
      GATEWAY_ADMIN_PORT: port,
      GATEWAY_PORT: String(ports.public),
    }
  }
  const simulator = `127.0.0.1:${ports['market-simulator']}`
  return {
    ...shared,
    INGEST_ADMIN_PORT: port,
    INGEST_VENUE: venue ?? 'deribit',
    ...(instruments === undefined ? {} : { INGEST_INSTRUMENTS: instruments }),
    ...(venue === undefined
      ? {
          INGEST_WS_URL: `ws://${simulator}/ws/api/v2`,
          INGEST_REST_URL: `http://${simulator}/api/v2`,
        }
      : {}),
  }
}

function dashboardLine(built: Exclude<DashboardBuild, { outcome: 'fresh' }>): string {
  if (built.outcome === 'built') return `The dashboard was built (${built.seconds.toFixed(1)} s)`
  return `The dashboard could not be built, all else runs: ${built.reason}`
}

async function printStatus(
  ports: ServicePorts,
  rowsBefore: number,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  let rows = rowsBefore
  let before: Counts = { trades: undefined, candles: undefined, lag: undefined, rows: undefined }
  let beforeAt = performance.now()
  while (!signal.aborted) {
    await pause(1_000, signal)
    if (signal.aborted) return
    const now = await readCounts(ports)
    const at = performance.now()
    rows = carryTotal(rows, before.rows, now.rows)
    print(formatStatus(new Date(), before, { ...now, rows }, (at - beforeAt) / 1000))
    before = { ...now, rows: now.rows ?? before.rows }
    beforeAt = at
  }
}

async function readCounts(ports: ServicePorts): Promise<Counts> {
  const [ingest, aggregator, sink] = await Promise.all(
    [ports.ingest, ports.aggregator, ports['pg-sink']].map(metricsOf),
  )
  return {
    trades: sumMetric(ingest ?? '', 'ingest_trades_total'),
    candles: sumMetric(aggregator ?? '', 'aggregator_candles_total'),
    lag: sumMetric(sink ?? '', 'pg_sink_lag_records'),
    rows: sumOfTables(sink ?? ''),
  }
}

/** Of the tables that `storedRows` counts. */
function sumOfTables(metrics: string): number | undefined {
  const counts = ['trades', 'candles', 'rejected'].map((name) =>
    sumMetric(metrics, 'pg_sink_rows_total', [`table="${name}"`]),
  )
  const known = counts.filter((count) => count !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0)
}

/** Undefined while a service is starting or gone: the status line shows that as a dash. */
async function metricsOf(port: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {
      signal: AbortSignal.timeout(800),
    })
    return await answer.text()
  } catch {
    return undefined
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
