import { spawn } from 'node:child_process'
import { join } from 'node:path'

/**
 * What a starter says last, once it has stopped the stack or wants it to live on. A starter that ends
 * without a word was killed.
 */
export const farewell = 'farewell'

export interface Watchdog {
  /** Ends the watchdog and leaves the stack as it is. */
  dismiss(): Promise<void>
}

export interface WatchedRun {
  readonly folder: string
  readonly run: string
  /** Whether the folder is deleted as well. */
  readonly temporary: boolean
}

/** Starts a process that stops the stack of `folder` if this process ends without doing so. */
export function startWatchdog({ folder, run, temporary }: WatchedRun): Watchdog {
  const script = join(import.meta.dirname, 'watchdog.ts')
  const child = spawn(
    process.execPath,
    [script, folder, run, temporary ? 'delete' : 'keep'],
    // A group of its own: Ctrl-C in a terminal reaches the starter, which then has an orderly end.
    { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  )
  const ended = Promise.withResolvers<void>()
  child.once('exit', () => ended.resolve())
  // Without a watchdog a killed starter leaves its stack to the next start, which clears it up.
  child.once('error', () => ended.resolve())
  child.stdin.on('error', () => undefined)
  child.unref()
  const dismiss = async () => {
    child.ref()
    child.stdin.end(farewell)
    await ended.promise
  }
  return { dismiss }
}
