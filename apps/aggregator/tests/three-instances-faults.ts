import { waitUntil } from '@tickertape/testing'

import type { Random } from './reference-market-random.ts'
import type { MarketRecord } from './reference-market.ts'
import type { Installation } from './three-instances-installation.ts'

export type FaultKind =
  | 'kill'
  /** Two instances at the same time. */
  | 'kill-two'
  /** One, and another while the first one's successor joins the group. */
  | 'kill-in-rebalance'
  | 'broker'

export interface Fault {
  /** Comes when so many records are done. */
  readonly at: number
  readonly kind: FaultKind
}

/** Of each kind of fault, how many instances it kills. */
const killsOf: Readonly<Record<FaultKind, number>> = {
  kill: 1,
  'kill-two': 2,
  'kill-in-rebalance': 2,
  broker: 0,
}

const kinds: readonly FaultKind[] = ['kill', 'kill-in-rebalance', 'kill', 'kill-two']

export function countKills(faults: readonly Fault[]): number {
  return faults.reduce((sum, { kind }) => sum + killsOf[kind], 0)
}

/**
 * At least so many kills, and the broker's restart among them in the middle, at random places of the log.
 *
 * @param records length of the log.
 */
export function faultsOf(kills: number, records: number, random: Random): readonly Fault[] {
  const drawn: FaultKind[] = []
  for (let at = 0, left = kills; left > 0; at += 1) {
    const kind = kinds[at % kinds.length] ?? 'kill'
    drawn.push(kind)
    left -= killsOf[kind]
  }
  const all = drawn.toSpliced(Math.floor(drawn.length / 2), 0, 'broker')
  const places = all.map(() => random.between(1, Math.floor(records * 0.95))).sort((a, b) => a - b)
  return all.map((kind, index) => ({ at: places[index] ?? 0, kind }))
}

export interface FaultRun {
  readonly faults: readonly Fault[]
  readonly random: Random
  readonly restartBroker: () => Promise<void>
}

/**
 * Appends the records, never further ahead of the instances than a tenth of them, while the faults come;
 * returns when all is appended and done.
 */
export async function appendUnderFaults(
  installation: Installation,
  records: readonly MarketRecord[],
  { faults, random, restartBroker }: FaultRun,
): Promise<void> {
  const stopping = new AbortController()
  const appending = appendAhead(installation, records, stopping.signal)
  // Awaited below; a failure before that is not unhandled.
  appending.catch(() => undefined)
  try {
    for (const { at, kind } of faults) {
      await installation.reaches(at)
      if (kind === 'broker') await restartBroker()
      else await kill(installation, kind, random)
    }
    await appending
    await installation.reaches(records.length)
  } finally {
    // The producer is closed next: nothing may be handed to it any more.
    stopping.abort()
    await appending.catch(() => undefined)
  }
}

async function appendAhead(
  installation: Installation,
  records: readonly MarketRecord[],
  signal: AbortSignal,
): Promise<void> {
  const ahead = Math.ceil(records.length / 10)
  const chunk = Math.ceil(ahead / 20)
  for (let from = 0; from < records.length && !signal.aborted; from += chunk) {
    if (from >= ahead) await installation.reaches(from - ahead)
    await installation.append(records.slice(from, from + chunk))
  }
}

async function kill(
  installation: Installation,
  kind: Exclude<FaultKind, 'broker'>,
  random: Random,
): Promise<void> {
  const { instances } = installation
  const first = random.between(0, instances.length)
  const second = (first + random.between(1, instances.length)) % instances.length
  if (kind === 'kill-two') {
    await Promise.all([first, second].map((victim) => installation.killAndRestart(victim)))
    return
  }
  await installation.killAndRestart(first)
  if (kind === 'kill-in-rebalance') {
    const successor = installation.process(first)
    await waitUntil('the successor to start', () => successor.output.includes('"started"'))
    await installation.killAndRestart(second)
  }
}
