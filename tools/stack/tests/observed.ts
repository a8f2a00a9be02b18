import { spawn, type ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { runningStackStatus } from '../src/index.ts'
import { waitUntil } from '../src/wait-until.ts'

/** Asks until the answer is yes. Fails the test, naming what it waited for, after a minute. */
export async function eventually(
  what: string,
  probe: () => Promise<boolean> | boolean,
): Promise<void> {
  const reached = await waitUntil(async () => ((await probe()) ? true : undefined), {
    boundMs: 60_000,
  })
  if (reached === undefined) throw new Error(`Waited a minute for this: ${what}`)
}

export interface Starter {
  readonly process: ChildProcess
  /** Everything that it printed so far. */
  readonly lines: readonly string[]
}

/** Runs starter.ts as a process of its own, which a test can kill. */
export function runStarter(folder: string, kept: 'temporary' | 'kept'): Starter {
  const script = join(import.meta.dirname, 'starter.ts')
  const process_ = spawn(process.execPath, [script, folder, kept], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface({ input: process_.stdout }).on('line', (line) => lines.push(line))
  return { process: process_, lines }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('exit', () => resolve())
  return promise
}

/** The pids of the parts on record in the folder that are alive. */
export async function runningPids(folder: string): Promise<number[]> {
  const { parts } = await runningStackStatus(folder)
  return parts.filter((part) => part.running).map((part) => part.pid)
}

/** Processes, zombies aside, whose command line names the folder: nothing escapes for lack of a record. */
export async function processesNaming(folder: string): Promise<string[]> {
  const ps = spawn('ps', ['-A', '-ww', '-o', 'stat=,pid=,args='], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: ps.stdout })) lines.push(line.trim())
  return lines.filter((line) => line.includes(folder) && !line.startsWith('Z'))
}

export async function isOpen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  const open = await promise
  socket.destroy()
  return open
}
