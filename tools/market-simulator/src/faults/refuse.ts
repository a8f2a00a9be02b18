import { z } from 'zod'
import { type Fault, type FaultContext, UnfitFaultError } from './fault.ts'

const params = z.object({ instrument: z.string(), on: z.boolean() })

/** While it is on, new subscriptions to the instrument are refused, in the way of the venue. */
export function refuseFault({ markets }: FaultContext): Fault<z.infer<typeof params>> {
  const refused = new Set<string>()
  return {
    name: 'refuse',
    params,
    arm({ instrument, on }) {
      const isKnown = markets.some(({ instruments }) =>
        instruments.some(({ name }) => name === instrument),
      )
      if (!isKnown) {
        throw new UnfitFaultError(`Cannot refuse it: there is no instrument "${instrument}"`)
      }
      if (on) refused.add(instrument)
      else refused.delete(instrument)
      return { refused: [...refused] }
    },
    refuses: (instrument) => refused.has(instrument),
  }
}
