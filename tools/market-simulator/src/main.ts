import { once } from 'node:events'
import { ConfigError, readConfig } from './config.ts'
import { listening, stopped, unfit } from './events.ts'
import { startSimulator } from './simulator.ts'

try {
  const config = readConfig()
  const simulator = await startSimulator(config)
  listening(simulator, config)
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  await simulator[Symbol.asyncDispose]()
  stopped()
} catch (error) {
  if (!(error instanceof ConfigError) && !isPortTaken(error)) throw error
  unfit(error.message)
  process.exitCode = 1
}

function isPortTaken(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
