import { terminations } from './part.ts'
import { isAlive, terminate } from './process-identity.ts'
import { forgetRun, readRun } from './run-records.ts'

/**
 * Stops every process on record in the folder and removes the records. The caller holds the lock.
 *
 * @returns how many were still running
 */
export async function stopRecorded(folder: string): Promise<number> {
  const { parts } = readRun(folder)
  const running = parts.filter((part) => isAlive(part.process))
  await Promise.all(running.map((part) => terminate(part.process, terminations[part.name])))
  forgetRun(folder)
  return running.length
}
