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
  const problem = problemOf(error)
  if (problem === undefined) throw error
  unfit(problem)
  process.exitCode = 1
}

/** @returns undefined for an error that no setting explains */
function problemOf(error: unknown): string | undefined {
  if (error instanceof ConfigError || error instanceof RecordingError) return error.message
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE')
    return undefined
  return `${error.message}; stop what listens there or set SIMULATOR_PORT to another port`
}
