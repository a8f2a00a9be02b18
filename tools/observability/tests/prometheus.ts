import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { freePort, missingProgram, waitUntil } from '@tickertape/testing'

const run = promisify(execFile)
const program = '/usr/bin/prometheus'

/** Why there is no Prometheus to test with; undefined where there is one. */
export function missingPrometheus(): Promise<string | undefined> {
  return missingProgram({ path: program, packages: ['prometheus'] })
}

/** What promtool says; it throws with all that it said if it finds fault. */
export async function promtool(folder: string, ...command: readonly string[]): Promise<string> {
  const { stdout } = await run('/usr/bin/promtool', [...command], { cwd: folder })
  return stdout
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

/** A Prometheus with data of its own. */
export class Prometheus implements AsyncDisposable {
  readonly #url: string
  readonly #folder: string
  readonly #child: ChildProcess
  #output = ''

  private constructor(url: string, folder: string, child: ChildProcess) {
    this.#url = url
    this.#folder = folder
    this.#child = child
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-20_000)
    })
  }

  /** @param files by their paths; `prometheus.yml` is what it begins with. */
  static async start(files: ReadonlyMap<string, string>): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'))
    for (const [path, text] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const address = `127.0.0.1:${await freePort()}`
    const child = spawn(
      program,
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const prometheus = new Prometheus(`http://${address}`, folder, child)
    await waitUntil('Prometheus to be ready', async () => {
      if (child.exitCode !== null) throw new Error(prometheus.#output)
      return (await fetch(`http://${address}/-/ready`)).ok
    })
    return prometheus
  }

  /** What an expression gives now, of an instant vector or a scalar. */
  async query(expression: string): Promise<readonly Sample[]> {
    const body = new URLSearchParams({ query: expression })
    const { result, resultType } = await this.#ask<QueryAnswer>('query', { method: 'POST', body })
    if (resultType === 'scalar') return [{ labels: {}, value: Number(result[1]) }]
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.#ask<{ alerts: readonly ActiveAlert[] }>('alerts')).alerts
  }

  /** Errors of the last evaluation of each rule that had one. */
  async ruleErrors(): Promise<readonly string[]> {
    const { groups } = await this.#ask<{ groups: readonly RuleGroup[] }>('rules')
    return groups.flatMap(({ rules }) =>
      rules.flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : [])),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL')
      await once(this.#child, 'exit')
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #ask<T>(what: string, request: RequestInit = {}): Promise<T> {
    const answer = await fetch(`${this.#url}/api/v1/${what}`, request)
    // Prometheus' documented envelope.
    const { data, error } = (await answer.json()) as { data: T; error?: string }
    if (error !== undefined) throw new Error(error)
    return data
  }
}

type QueryAnswer =
  | { readonly resultType: 'scalar'; readonly result: readonly [number, string] }
  | {
      readonly resultType: 'vector'
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>
        readonly value: readonly [number, string]
      }[]
    }

interface RuleGroup {
  readonly rules: readonly { readonly name: string; readonly lastError?: string }[]
}
