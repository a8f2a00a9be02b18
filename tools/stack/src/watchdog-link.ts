import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { identityOf } from './process-identity.ts'

/** What a starter says last to leave the stack running. */
export const letGo = 'let go'

export interface Watchdog {
  /** Leaves the stack running without a starter. */
  letGo(): Promise<void>
  /** Ends the watchdog after the stack was stopped. */
  end(): Promise<void>
}

/** Starts a process that stops the stack of `folder` if this process ends without doing so. */
export function startWatchdog(folder: string, options: { readonly temporary: boolean }): Watchdog {
  const starter = identityOf(process.pid).startedAs
  const script = join(import.meta.dirname, 'watchdog.ts')
  const child = spawn(
    process.execPath,
    [script, folder, starter, options.temporary ? 'delete' : 'keep'],
    // A group of its own: Ctrl-C in a terminal reaches the starter, which then has an orderly end.
    { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  )
  const ended = Promise.withResolvers<void>()
  child.once('exit', () => ended.resolve())
  // Without a watchdog a killed starter leaves its stack to the next start, which clears it up.
  child.once('error', () => ended.resolve())
  child.stdin.on('error', () => undefined)
  child.unref()
  const close = async (word: string) => {
    child.ref()
    child.stdin.end(word)
    await ended.promise
  }
  return { letGo: () => close(letGo), end: () => close('') }
}
