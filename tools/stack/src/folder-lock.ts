import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StackProblem } from './stack-problem.ts'
import { waitUntil } from './wait-until.ts'

export const lockFileName = '.lock'

/** SQLite's SQLITE_BUSY: somebody else holds the lock. */
const busy = 5

export interface LockWait {
  /** What is waited for, to follow "Waiting for". */
  readonly whom: () => string
  readonly onProgress: (line: string) => void
  readonly signal?: AbortSignal | undefined
  readonly boundMs?: number
}

/**
 * Makes this process the only one that changes `folder`, until the lock is disposed of.
 *
 * The lock is the kernel's own (SQLite takes a POSIX file lock in an exclusive transaction), so that
 * it ends with its holder however that ends, kill -9 included: a lock is never stale, and two
 * processes can't both believe they cleared one. The file itself stays, empty.
 *
 * @throws {StackProblem} `in-use` when the holder keeps it longer than `boundMs` (10 minutes)
 */
export async function lockFolder(folder: string, wait: LockWait): Promise<Disposable> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, lockFileName)
  const database = new DatabaseSync(path)
  let nextLineAt = performance.now()
  const tryToLock = () => {
    try {
      // Nothing is ever written, so that no journal need lie next to the file.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return true
    } catch (error) {
      if (!isBusy(error)) throw error
    }
    if (performance.now() >= nextLineAt) {
      wait.onProgress(`Waiting for ${wait.whom()} …`)
      nextLineAt = performance.now() + 15_000
    }
    return undefined
  }
  const boundMs = wait.boundMs ?? 600_000
  try {
    const locked = await waitUntil(tryToLock, { boundMs, everyMs: 100, signal: wait.signal })
    if (locked === undefined) {
      throw new StackProblem(
        'in-use',
        `${folder} is still held by ${wait.whom()} after ${boundMs / 1000} s. Wait for it, or end it, and try again.`,
      )
    }
  } catch (error) {
    database.close()
    throw error
  }
  return { [Symbol.dispose]: () => database.close() }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === busy
}
