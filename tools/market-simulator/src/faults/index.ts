import type { FrameFilter } from '../channels.ts'
import type { Venue } from '../market/instrument.ts'
import { cutFault } from './cut.ts'
import { delayFault } from './delay.ts'
import { dropFault } from './drop.ts'
import { duplicateFault } from './duplicate.ts'
import { errorFrameFault } from './error-frame.ts'
import { type Fault, type FaultContext, type TurnedAway, UnfitFaultError } from './fault.ts'
import { halfOpenFault } from './half-open.ts'
import { limitFault } from './limit.ts'
import { malformedFault } from './malformed.ts'
import { refuseFault } from './refuse.ts'
import { reorderFault } from './reorder.ts'
import { silenceFault } from './silence.ts'
import { skipFault } from './skip.ts'

/** A fault behind the check of what arms it. */
interface ArmedBy {
  readonly name: string
  readonly arm: (body: unknown) => unknown
}

/** All faults of one simulator. */
export interface Faults {
  /** @throws UnfitFaultError if there is no such fault, or the parameters do not fit it. */
  arm(name: string, body: unknown): unknown
  readonly filterFrames: FrameFilter
  withholds(venue: Venue, instrument: string, sequence: number): boolean
  refuses(instrument: string): boolean
  turnsAway(what: 'connect' | 'request'): TurnedAway | undefined
}

export function createFaults(context: FaultContext): Faults {
  const table: ArmedBy[] = []
  const frameFilters: FrameFilter[] = []
  const tradeFilters: NonNullable<Fault['withholds']>[] = []
  const refusals: NonNullable<Fault['refuses']>[] = []
  const limits: ((what: 'connect' | 'request') => TurnedAway | undefined)[] = []
  function add<Params>(fault: Fault<Params>): void {
    table.push({ name: fault.name, arm: (body) => fault.arm(checked(fault, body)) })
    if (fault.frames !== undefined) {
      frameFilters.push((frame, route) => fault.frames?.(frame, route))
    }
    if (fault.withholds !== undefined) tradeFilters.push(fault.withholds)
    if (fault.refuses !== undefined) refusals.push(fault.refuses)
    limits.push((what) => fault.turnsAway?.(what))
  }

  add(dropFault(context))
  add(skipFault(context))
  add(duplicateFault())
  add(malformedFault())
  add(silenceFault())
  add(reorderFault())
  add(delayFault())
  add(halfOpenFault(context))
  add(cutFault(context))
  add(errorFrameFault(context))
  add(refuseFault(context))
  add(limitFault())

  return {
    arm(name, body) {
      const fault = table.find((each) => each.name === name)
      if (fault !== undefined) return fault.arm(body)
      const names = table.map((each) => each.name).join(', ')
      throw new UnfitFaultError(`There is no fault "${name}"; there are ${names}`)
    },
    filterFrames(frame, route) {
      let frames: readonly string[] | undefined
      for (const filter of frameFilters) {
        frames = (frames ?? [frame]).flatMap((each) => filter(each, route) ?? [each])
      }
      return frames
    },
    withholds: (venue, instrument, sequence) =>
      tradeFilters.some((filter) => filter(venue, instrument, sequence)),
    refuses: (instrument) => refusals.some((refusal) => refusal(instrument)),
    turnsAway(what) {
      for (const limit of limits) {
        const answer = limit(what)
        if (answer !== undefined) return answer
      }
      return undefined
    },
  }
}

function checked<Params>(fault: Fault<Params>, body: unknown): Params {
  const read = fault.params.safeParse(body ?? {})
  if (read.success) return read.data
  const problems = read.error.issues.map(({ message, path }) => `${path.join('.')}: ${message}`)
  throw new UnfitFaultError(`Fault "${fault.name}" cannot be armed: ${problems.join('; ')}`)
}
