import { fileURLToPath } from 'node:url'

import { ServiceProcess } from '@tickertape/testing'

import type { BenchGateway } from './gateway-process.ts'

const main = fileURLToPath(new URL('./http-load-main.ts', import.meta.url))

/** Enough to keep a gateway busy that answers in a few ms. */
const connections = 20
const warmUpSeconds = 4
const measuredSeconds = 10

export interface HttpLoad {
  readonly perSecond: number
  /** At half of that rate. */
  readonly halfLoadP99Ms: number
  /** CPU time of the gateway for a request. */
  readonly cpuMillis: number
}

/**
 * How many requests a second are answered, asked for as fast as they are, without compression, by a process
 * of its own; and the latency at half that rate.
 *
 * @throws Error if any request was not answered by what was asked for.
 */
export async function measureHttp(
  { host, service }: BenchGateway,
  paths: readonly string[],
): Promise<HttpLoad> {
  const origin = `http://${host}`
  await load(origin, paths, warmUpSeconds, 0)
  const begin = await service.usage()
  const { perSecond, answered } = await load(origin, paths, measuredSeconds, 0)
  const end = await service.usage()
  const { p99Ms } = await load(
    origin,
    paths,
    measuredSeconds,
    Math.max(1, Math.round(perSecond / 2)),
  )
  const cpuMillis = ((end.cpuSeconds - begin.cpuSeconds) * 1_000) / answered
  return { perSecond, halfLoadP99Ms: p99Ms, cpuMillis }
}

async function load(origin: string, paths: readonly string[], seconds: number, rate: number) {
  await using process = ServiceProcess.start({
    main,
    arguments: [origin, String(connections), String(seconds), String(rate), ...paths],
    environment: {},
  })
  await process.exited()
  const line = /^load (.*)$/m.exec(process.output)?.[1]
  if (line === undefined) throw new Error(`No load was measured:\n${process.output}`)
  // Written by the process as such.
  const measured = JSON.parse(line) as Record<'perSecond' | 'answered' | 'p99Ms' | 'failed', number>
  if (measured.failed > 0) {
    throw new Error(`${measured.failed} requests to ${origin}${paths[0]} failed`)
  }
  return measured
}
