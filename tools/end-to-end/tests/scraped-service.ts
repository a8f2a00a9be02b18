import type { ServiceProcess } from '@tickertape/testing'
import { waitUntil } from '@tickertape/testing'

/** What Node.js and the process tell, which is theirs and none of the market's. */
const ownOfRuntime = /^(nodejs|process)_/

/** A page of metrics at one moment. */
export interface Scrape {
  readonly text: string
  /** By name and labels, those of Node.js and the process left out. */
  readonly series: ReadonlySet<string>
  /** `name type` of each metric, with series or without. */
  readonly metrics: readonly string[]
}

/** Of a long output only the end stays: a port is kept once it was told. */
const ports = new WeakMap<ServiceProcess, string>()

export async function scrape(service: ServiceProcess): Promise<Scrape> {
  const text = await (await askAdmin(service, '/metrics')).text()
  const lines = text.split('\n')
  const told = lines.filter((line) => line !== '' && !line.startsWith('#'))
  return {
    text,
    series: new Set(
      told
        .filter((line) => !ownOfRuntime.test(line))
        .map((line) => line.slice(0, line.lastIndexOf(' '))),
    ),
    metrics: lines.flatMap((line) => /^# TYPE (\S+ \S+)$/.exec(line)?.[1] ?? []),
  }
}

export async function isReady(service: ServiceProcess): Promise<boolean> {
  return (await askAdmin(service, '/readyz')).ok
}

async function askAdmin(service: ServiceProcess, path: string): Promise<Response> {
  const port = await waitUntil(
    'the admin port',
    () => {
      if (!service.running) throw new Error(`The service has ended: ${service.output}`)
      return ports.get(service) ?? /"adminPort":(\d+)/.exec(service.output)?.[1]
    },
    { withinMs: 120_000 },
  )
  ports.set(service, port)
  return await fetch(`http://127.0.0.1:${port}${path}`)
}
