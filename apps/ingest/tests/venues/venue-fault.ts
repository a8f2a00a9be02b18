import fc from 'fast-check'

/** What goes wrong: a fault of the simulator's, or `kill`, a SIGKILL of ingest. */
export type VenueFault =
  | { readonly name: 'cut' | 'drop' | 'error-frame' | 'half-open' | 'kill' | 'refuse' | 'silence' }
  | {
      readonly name: 'delay' | 'duplicate' | 'limit' | 'malformed' | 'reorder' | 'skip'
      /** Of frames, trades or requests. */
      readonly count: number
    }

/** A fault, and how long the market goes on before the next one. */
export interface FaultStep {
  readonly fault: VenueFault
  /** Real milliseconds; 0: the next fault meets what this one has left behind. */
  readonly pauseMs: number
}

const anyFault: readonly fc.Arbitrary<VenueFault>[] = [
  ...(['cut', 'drop', 'error-frame', 'half-open', 'kill', 'refuse', 'silence'] as const).map(
    (name) => fc.constant({ name }),
  ),
  counted('delay', 10),
  counted('duplicate', 20),
  counted('limit', 3),
  counted('malformed', 20),
  counted('reorder', 20),
]

/** What shows while the connection lives where there are sequences, and nowhere else. */
const anySkip = counted('skip', 20)

const anyPause = fc.oneof(fc.constant(0), fc.integer({ min: 100, max: 500 }))

/** So many steps: all faults in some order, and again in another one. */
export function drawFaults(
  steps: number,
  { seed, sequenced }: { readonly seed: number; readonly sequenced: boolean },
): readonly FaultStep[] {
  const all = sequenced ? [...anyFault, anySkip] : [...anyFault]
  const rounds = Math.ceil(steps / all.length)
  const order = fc.shuffledSubarray(all, { minLength: all.length })
  const round = order.chain((faults) =>
    fc.tuple(...faults.map((fault) => fc.record({ fault, pauseMs: anyPause }))),
  )
  return fc.sample(round, { seed, numRuns: rounds }).flat().slice(0, steps)
}

function counted<Name extends Extract<VenueFault, { readonly count: number }>['name']>(
  name: Name,
  max: number,
): fc.Arbitrary<VenueFault> {
  return fc.integer({ min: 1, max }).map((count) => ({ name, count }))
}
