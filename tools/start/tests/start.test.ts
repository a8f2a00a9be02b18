import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { ServiceProcess, waitUntil } from '@tickertape/testing'
import { runningStackStatus } from '@tickertape/stack'
import { afterAll, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('run-start.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tickertape-start-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function startAll(...optional: readonly string[]): ServiceProcess {
  return ServiceProcess.start({ main, arguments: [folder, ...optional], environment: {} })
}

/** Rows of the latest status line; undefined before there are any. */
function rowsOf({ output }: ServiceProcess): number | undefined {
  const rows = output.match(/rows ([1-9][\d,]*)/g)?.at(-1)
  return rows === undefined ? undefined : Number(rows.replaceAll(/[^\d]/g, ''))
}

/** A wait for what it does is in vain then. */
function hasEnded({ running }: ServiceProcess): boolean {
  return !running
}

function servicePids({ output }: ServiceProcess): readonly number[] {
  const rows = output.matchAll(
    /^(?:market-simulator|pg-sink|aggregator|gateway|ingest) +\S+ +(\d+)/gm,
  )
  return [...rows].map((match) => Number(match[1]))
}

async function instruments(page: string): Promise<readonly string[] | undefined> {
  const answer = await fetch(`${page}/v1/instruments`)
  if (!answer.ok) return undefined
  // The contract of the resource.
  const { instruments: list } = (await answer.json()) as { instruments: { instrumentId: string }[] }
  return list.map(({ instrumentId }) => instrumentId)
}

/** Kafka, registry and PostgreSQL, as the stack's own records know them. */
async function runningParts(): Promise<readonly string[]> {
  const { parts } = await runningStackStatus(join(folder, 'stack'))
  return parts.filter(({ running }) => running).map(({ name }) => name)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('npm start', () => {
  it('runs the road, and stops all of it on Ctrl-C', async () => {
    await using run = startAll()
    await waitUntil('rows in PostgreSQL', () => rowsOf(run), { withinMs: 120_000 })
    const pids = servicePids(run)
    expect(pids, run.output).toHaveLength(5)
    expect(await runningParts()).toHaveLength(3)
    const page = /^dashboard +(\S+)/m.exec(run.output)?.[1] ?? ''
    await waitUntil('the gateway to serve candles', async () => {
      const [instrument] = (await instruments(page)) ?? []
      if (instrument === undefined) return false
      const query = new URLSearchParams({ instrument, interval: '1m' })
      return (await fetch(`${page}/v1/candles?${query.toString()}`)).status === 200
    })
    expect((await fetch(page)).headers.get('content-type')).toContain('text/html')
    expect(await run.stop('SIGINT'), run.output).toBe(0)
    expect(pids.filter(isRunning)).toEqual([])
    expect(await runningParts()).toEqual([])
  })

  it('traces into Zipkin where it is asked for', async ({ skip }) => {
    await using run = startAll('zipkin')
    await waitUntil('rows in PostgreSQL', () => rowsOf(run) ?? hasEnded(run), {
      withinMs: 240_000,
    })
    if (run.output.includes('Maven could not download Zipkin')) skip(run.output)
    const zipkin = /^zipkin +(\S+)/m.exec(run.output)?.[1] ?? ''
    const services = ['aggregator', 'gateway', 'ingest', 'pg-sink']
    await waitUntil('spans of every service', async () => {
      const known: unknown = await (await fetch(`${zipkin}/api/v2/services`)).json()
      return services.every((name) => Array.isArray(known) && known.includes(name))
    })
    expect(await runningParts()).toContain('zipkin')
    expect(await run.stop('SIGINT'), run.output).toBe(0)
    expect(await runningParts()).toEqual([])
  })

  it('starts a killed service again, and leaves nothing when it is killed itself', async () => {
    await using run = startAll()
    await waitUntil('rows in PostgreSQL', () => rowsOf(run), { withinMs: 120_000 })
    const pids = servicePids(run)
    const [simulator = 0] = pids
    process.kill(simulator, 'SIGKILL')
    await waitUntil('the restart', () =>
      run.output.includes('market-simulator was killed by SIGKILL'),
    )
    await run.stop('SIGKILL')
    const end = await waitUntil('every process to end', async () => {
      return !pids.some(isRunning) && (await runningParts()).length === 0
    })
    expect(end).toBe(true)
  })
})
