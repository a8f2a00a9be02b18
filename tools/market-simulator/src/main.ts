import { once } from 'node:events'
import { ConfigError, readConfig } from './config.ts'
import { listening, stopped, unfit } from './events.ts'
import { RecordingError } from './replay/recording.ts'
import { startSimulator } from './simulator.ts'

try {
  const config = readConfig()
  const simulator = await startSimulator(config)
  listening(simulator, config)
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  await simulator[Symbol.asyncDispose]()
  stopped()
} catch (error) {
  if (!isUnfit(error)) throw error
  unfit(error.message)
  process.exitCode = 1
}

function isUnfit(error: unknown): error is Error {
  if (error instanceof ConfigError || error instanceof RecordingError) return true
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
