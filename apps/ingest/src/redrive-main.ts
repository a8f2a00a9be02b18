import { KafkaAvroError } from '@tickertape/kafka-avro'
import { RedriveProblem, parseRedriveArguments } from '@tickertape/redrive'
import { SettingsError, readSettings } from '@tickertape/service-runtime'

import { environment } from './config.ts'
import { redrive, redriveSettings } from './redrive-command.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort())
}

try {
  const args = parseRedriveArguments(process.argv.slice(2))
  const values = readSettings(redriveSettings, 'REDRIVE_', environment)
  const write = (line: string) => void process.stdout.write(`${line}\n`)
  await redrive(values, args, write, interrupted.signal)
} catch (error) {
  const isExpected = [RedriveProblem, SettingsError, KafkaAvroError].some(
    (kind) => error instanceof kind,
  )
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`redrive: ${isExpected ? '' : 'failed: '}${message}\n`)
  process.exitCode = 1
}
