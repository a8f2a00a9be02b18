import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { waitUntil } from './wait-until.ts'

/**
 * A process, told apart from a later one that happens to get the same pid: `startedAs` changes with
 * the moment the process started and with each boot of the machine.
 */
export interface ProcessIdentity {
  readonly pid: number
  readonly startedAs: string
}

/** Who runs under this pid now, or `undefined` where nobody does (a zombie is nobody). */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAs = platform() === 'linux' ? startFromProc(pid) : startFromPs(pid)
  return startedAs === undefined ? undefined : { pid, startedAs }
}

/**
 * The identity of this process or of a child that was just started.
 *
 * A child that is gone already gets an identity that matches no process.
 */
export function identityOf(pid: number): ProcessIdentity {
  return identify(pid) ?? { pid, startedAs: 'gone' }
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startedAs === process.startedAs
}

export interface Termination {
  readonly signal: NodeJS.Signals
  /** How long the process may take to end by itself before it is killed, in milliseconds. */
  readonly boundMs: number
}

/** Ends a process and waits until it is gone; says whether it had to be killed. */
export async function terminate(
  target: ProcessIdentity,
  { signal, boundMs }: Termination,
): Promise<'ended' | 'killed'> {
  const isGone = () => (isAlive(target) ? undefined : true)
  sendSignal(target, signal)
  if (await waitUntil(isGone, { boundMs, everyMs: 20 })) return 'ended'
  sendSignal(target, 'SIGKILL')
  await waitUntil(isGone, { boundMs: 10_000, everyMs: 20 })
  return 'killed'
}

function sendSignal(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return
  try {
    process.kill(target.pid, signal)
  } catch (error) {
    if (!isAlive(target)) return
    throw error
  }
}

/** proc(5): field 3 of /proc/pid/stat is the state, field 22 the start in ticks since boot. */
function startFromProc(pid: number): string | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name in field 2 may hold spaces and parentheses; nothing after it does.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const startTicks = fields[19]
  if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined
  const boot = readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim() ?? 'boot'
  return `${boot}/${startTicks}`
}

function startFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
    const [state = '', ...start] = line.split(/\s+/)
    return line === '' || state.startsWith('Z') ? undefined : start.join(' ')
  } catch {
    // ps ends with status 1 where there is no such process.
    return undefined
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process ended between two looks, which is the answer.
    return undefined
  }
}
