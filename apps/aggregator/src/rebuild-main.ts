import { KafkaAvroError } from '@tickertape/kafka-avro'
import { SettingsError, readSettings } from '@tickertape/service-runtime'

import { environment, rebuildSettings } from './config.ts'
import { RebuildProblem, parseRebuildArguments, requestRebuild } from './rebuild-command.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort())
}

try {
  const range = parseRebuildArguments(process.argv.slice(2), Date.now())
  const values = readSettings(rebuildSettings, 'REBUILD_', environment)
  const write = (line: string) => void process.stdout.write(`${line}\n`)
  await requestRebuild(values, range, write, interrupted.signal)
} catch (error) {
  const isExpected = [RebuildProblem, SettingsError, KafkaAvroError].some(
    (kind) => error instanceof kind,
  )
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`rebuild: ${isExpected ? '' : 'failed: '}${message}\n`)
  process.exitCode = 1
}
