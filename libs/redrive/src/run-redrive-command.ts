import { KafkaAvroError } from '@tickertape/kafka-avro'
import { MarketStoreError } from '@tickertape/market-store'

import { RedriveProblem, parseRedriveArguments } from './redrive-arguments.ts'
import type { RedriveArguments } from './redrive-arguments.ts'

/** What a service does for its part of the command. */
export type Redrive = (
  args: RedriveArguments,
  write: (line: string) => void,
  /** Aborted by SIGINT and SIGTERM: ends the run behind the transaction that is under way. */
  signal: AbortSignal,
) => Promise<void>

/**
 * The main of a service's redrive command: reads the process's arguments, writes lines to its standard output, and
 * ends with code 1 and one line of why if something fails.
 *
 * @param told errors of the service's own whose message is for the user; any other is told as a failure.
 */
export async function runRedriveCommand(
  redrive: Redrive,
  told: readonly (new (...args: never[]) => Error)[],
): Promise<void> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort())
  }
  try {
    const args = parseRedriveArguments(process.argv.slice(2))
    const write = (line: string) => void process.stdout.write(`${line}\n`)
    await redrive(args, write, interrupted.signal)
  } catch (error) {
    const isTold = [RedriveProblem, KafkaAvroError, MarketStoreError, ...told].some(
      (kind) => error instanceof kind,
    )
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`redrive: ${isTold ? '' : 'failed: '}${message}\n`)
    process.exitCode = 1
  }
}
