import { z } from 'zod'
import type { Fault, FaultContext } from './fault.ts'

const params = z.object({
  connection: z.int().optional(),
  code: z.int().min(1000).max(4999).default(1001),
  reason: z.string().max(100).default('going away'),
})

/** Closes all sockets, or one by the id that the status shows, with a close frame. */
export function cutFault(context: FaultContext): Fault<z.infer<typeof params>> {
  return {
    name: 'cut',
    params,
    arm({ code, connection, reason }) {
      const closed = context.connections
        .all()
        .filter(({ id }) => connection === undefined || id === connection)
      for (const each of closed) each.close(code, reason)
      return { closed: closed.map(({ id }) => id) }
    },
  }
}
