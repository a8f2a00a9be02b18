import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { lockFolder } from './folder-lock.ts'
import { readRun } from './run-records.ts'
import { stopRecorded } from './stop-recorded.ts'
import { farewell } from './watchdog-link.ts'

/**
 * Lives as long as its starter: its standard input is a pipe that the starter holds open, and that
 * the kernel closes when the starter ends, in whatever way. Then it stops what the starter left.
 */
const [folder = '', run = '', kept = ''] = process.argv.slice(2)

const lastWord = await text(process.stdin)
if (lastWord !== farewell && existsSync(folder)) {
  using _lock = await lockFolder(folder, {
    whom: () => `another process at work in ${folder}`,
    onProgress: () => undefined,
  })
  // A later start may have been quicker: what runs then is its business.
  if (readRun(folder).owner?.run === run) {
    await stopRecorded(folder)
    if (kept !== 'keep') await rm(folder, { recursive: true, force: true })
  }
}
