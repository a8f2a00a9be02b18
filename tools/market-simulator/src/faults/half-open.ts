import { z } from 'zod'
import type { Fault, FaultContext } from './fault.ts'

const params = z.object({ connection: z.int().optional() })

/** All sockets, or one by the id that the status shows, stay open and bring nothing any more. */
export function halfOpenFault(context: FaultContext): Fault<z.infer<typeof params>> {
  return {
    name: 'half-open',
    params,
    arm({ connection }) {
      const silent = context.connections
        .all()
        .filter(({ id }) => connection === undefined || id === connection)
      for (const each of silent) each.fallSilent()
      return { silent: silent.map(({ id }) => id) }
    },
  }
}
