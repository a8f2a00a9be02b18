import { z } from 'zod'
import type { Fault } from './fault.ts'

const params = z.object({ count: z.int().positive(), milliseconds: z.int().positive().max(60_000) })

/** Sends the next `count` frames this much later, in real time: others go past them. */
export function delayFault(): Fault<z.infer<typeof params>> {
  let remaining = 0
  let delayMs = 0
  return {
    name: 'delay',
    params,
    arm({ count, milliseconds }) {
      remaining += count
      delayMs = milliseconds
      return { remaining }
    },
    frames(frame, { send }) {
      if (remaining === 0) return undefined
      remaining -= 1
      setTimeout(() => send(frame), delayMs).unref()
      return []
    },
  }
}
