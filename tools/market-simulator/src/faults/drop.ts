import { z } from 'zod'
import type { Fault, FaultContext } from './fault.ts'

const params = z.object({ connection: z.int().optional() })

/** Cuts the TCP connection of all sockets, or of one by the id that the status shows. */
export function dropFault(context: FaultContext): Fault<z.infer<typeof params>> {
  return {
    name: 'drop',
    params,
    arm({ connection }) {
      const dropped = context.connections
        .all()
        .filter(({ id }) => connection === undefined || id === connection)
      for (const each of dropped) each.terminate()
      return { dropped: dropped.map(({ id }) => id) }
    },
  }
}
