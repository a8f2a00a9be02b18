import { parseArgs } from 'node:util'

import { isRejectReason, rejectReasons } from '@tickertape/kafka-avro'
import type { RejectReason } from '@tickertape/kafka-avro'

/** What was asked for cannot be done; the message is for the user. */
export class RedriveProblem extends Error {
  override readonly name = 'RedriveProblem'
}

export interface RedriveArguments {
  readonly reason: RejectReason
  /** Only count what would be put back. */
  readonly dryRun: boolean
}

const usage = 'npm run redrive -- --reason <code> [--dry-run]'

/** Reasons of which the same record never becomes a good one. */
const finalReasons: Readonly<Partial<Record<RejectReason, string>>> = {
  late: 'its window is forgotten, and stays so. `npm run rebuild -- --from <time>` computes the candles again from the log, with the late trades in it',
  conflict:
    'the first record of an identity stands. A correction needs a higher version from the venue',
}

/** @throws RedriveProblem that says how the command is used. */
export function parseRedriveArguments(args: readonly string[]): RedriveArguments {
  let values: { readonly reason?: string | undefined; readonly 'dry-run'?: boolean | undefined }
  try {
    const options = { reason: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const
    values = parseArgs({ args: [...args], options }).values
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new RedriveProblem(`${why}. Usage: ${usage}`, { cause: error })
  }
  const { reason, 'dry-run': dryRun = false } = values
  if (reason === undefined) throw new RedriveProblem(`--reason is missing. Usage: ${usage}`)
  if (!isRejectReason(reason)) {
    const reasons = Object.keys(rejectReasons).join(', ')
    throw new RedriveProblem(`There is no reason "${reason}". The reasons are ${reasons}`)
  }
  const final = finalReasons[reason]
  if (final !== undefined) throw new RedriveProblem(`"${reason}" cannot be put back: ${final}`)
  return { reason, dryRun }
}
