import { z } from 'zod'
import type { Fault, FaultContext } from './fault.ts'

const params = z.object({ connection: z.int().optional(), text: z.string() })

/** Sends a frame that nobody asked for over all sockets, or one by the id that the status shows. */
export function errorFrameFault(context: FaultContext): Fault<z.infer<typeof params>> {
  return {
    name: 'error-frame',
    params,
    arm({ connection, text }) {
      const reached = context.connections
        .all()
        .filter(({ id }) => connection === undefined || id === connection)
      for (const each of reached) each.send(text)
      return { reached: reached.map(({ id }) => id) }
    },
  }
}
