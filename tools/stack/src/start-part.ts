import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command, Part, PartName } from './part.ts'
import { identityOf } from './process-identity.ts'
import { recordPart } from './run-records.ts'
import { StackProblem } from './stack-problem.ts'
import { throwIfCancelled, waitUntil } from './wait-until.ts'

/** Generous: on a busy machine with two cores the slowest part was seen to take 20 s. */
const readyBoundMs = 120_000

export function logFileOf(folder: string, name: PartName): string {
  return join(folder, 'logs', `${name}.log`)
}

export interface PartStart {
  readonly folder: string
  readonly part: Part
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Starts one part as a process of its own, puts it on record, and waits until it is ready.
 *
 * @throws {StackProblem} `part-stopped` or `part-silent`, with the end of its log; what was started
 * is on record, and the caller's to stop
 */
export async function startPart({ folder, part, onProgress, signal }: PartStart): Promise<void> {
  const startedAt = performance.now()
  const command = await preparedCommand(part)
  throwIfCancelled(signal)

  const logFile = logFileOf(folder, part.name)
  await startLogAnew(logFile)
  const log = openSync(logFile, 'a')
  const child = spawn(command.file, command.args, {
    cwd: command.folder,
    // A session of its own: a terminal's Ctrl-C is for the starter, which stops this in order.
    detached: true,
    stdio: ['ignore', log, log],
    ...command.user,
  })
  if (child.pid !== undefined) {
    const process = identityOf(child.pid)
    recordPart(folder, { name: part.name, process, port: part.port, since: Date.now() })
  }
  closeSync(log)
  child.unref()

  let stopped: string | undefined
  child.once('error', (error) => {
    stopped = error.message
  })
  child.once('exit', (code, exitSignal) => {
    stopped = exitSignal === null ? `exit code ${code}` : exitSignal
  })
  let lastAnswer: unknown
  const probe = async () => {
    if (stopped !== undefined) return 'stopped' as const
    try {
      return (await part.isReady()) ? ('ready' as const) : undefined
    } catch (error) {
      lastAnswer = error
      return undefined
    }
  }
  const outcome = await waitUntil(probe, { boundMs: readyBoundMs, everyMs: 100, signal })
  if (outcome === 'ready') {
    await settle(part)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    onProgress(`${part.title} is up on port ${part.port} (${seconds} s)`)
    return
  }
  // What it wrote last may still be on its way to the file.
  await delay(50)
  const tail = await lastLines(logFile, 12)
  if (outcome === 'stopped') {
    throw new StackProblem(
      'part-stopped',
      `${part.title} stopped while it was starting (${stopped}). The end of its log, ${logFile}:\n${tail}`,
    )
  }
  throw new StackProblem(
    'part-silent',
    `${part.title} runs, but did not answer on port ${part.port} within ${readyBoundMs / 1000} s (${String(lastAnswer)}). The end of its log, ${logFile}:\n${tail}`,
  )
}

async function preparedCommand(part: Part): Promise<Command> {
  try {
    await part.prepare()
    return await part.command()
  } catch (cause) {
    if (cause instanceof StackProblem || !(cause instanceof Error)) throw cause
    throw new StackProblem(
      'part-stopped',
      `${part.title} could not be prepared for its start: ${cause.message}`,
      { cause },
    )
  }
}

async function settle(part: Part): Promise<void> {
  try {
    await part.settle?.()
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    throw new StackProblem(
      'part-silent',
      `${part.title} is up on port ${part.port}, but could not be set up: ${cause.message}`,
      { cause },
    )
  }
}

/** One log for each run, and the one before it: neither grows for ever. */
async function startLogAnew(logFile: string): Promise<void> {
  await mkdir(dirname(logFile), { recursive: true })
  const previous = logFile.replace(/\.log$/, '.previous.log')
  await rm(previous, { force: true })
  try {
    await rename(logFile, previous)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

async function lastLines(file: string, count: number): Promise<string> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  return lines
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n')
}
