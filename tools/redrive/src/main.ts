import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { RedriveProblem, parseRedriveArguments } from '@tickertape/redrive'

import { commandsFor } from './redrive-commands.ts'

const root = join(import.meta.dirname, '..', '..', '..')

try {
  const args = process.argv.slice(2)
  const { reason } = parseRedriveArguments(args)
  for (const main of commandsFor(reason)) {
    const command = spawn(process.execPath, [join(root, main), ...args], { stdio: 'inherit' })
    // The terminal's signals go to both; one that was sent to this process alone is passed on.
    const forward = (signal: NodeJS.Signals) => command.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward)
    await once(command, 'exit')
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, forward)
    // What the other stages hold is put back another time, in order.
    if (command.exitCode !== 0) {
      process.exitCode = command.exitCode ?? 1
      break
    }
  }
} catch (error) {
  if (!(error instanceof RedriveProblem)) throw error
  process.stderr.write(`redrive: ${error.message}\n`)
  process.exitCode = 1
}
