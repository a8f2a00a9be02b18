import { fileURLToPath } from 'node:url'

import type { Candle } from '@tickertape/market-model'
import { ServiceProcess, waitUntil } from '@tickertape/testing'

import { readRecords } from './market-log.ts'
import type { MarketLog } from './market-log.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export function startAggregator(
  log: MarketLog,
  settings: Record<string, string> = {},
): ServiceProcess {
  return ServiceProcess.start({ main, environment: { ...log.environment, ...settings } })
}

/** By partition, once there are so many. */
export async function candlesWhenComplete(
  log: MarketLog,
  count: number,
): Promise<readonly Candle[][]> {
  return waitUntil(
    `${count} candles`,
    async () => {
      const candles = await readRecords(log, 'candles')
      return candles.flat().length >= count && candles
    },
    { withinMs: 120_000, everyMs: 300 },
  )
}

/** The service's metrics page. */
export async function metricsOf(service: ServiceProcess): Promise<string> {
  return (await adminPage(service, 'metrics')).text
}

/** Status and body of a page of the admin port, once it is open. */
export async function adminPage(
  service: ServiceProcess,
  page: 'metrics' | 'readyz',
): Promise<{ readonly status: number; readonly text: string }> {
  const port = await waitUntil('the admin port', () => {
    return /"adminPort":(\d+)/.exec(service.output)?.[1]
  })
  const answer = await fetch(`http://127.0.0.1:${port}/${page}`)
  return { status: answer.status, text: await answer.text() }
}
