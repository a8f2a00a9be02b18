import { z } from 'zod'
import type { Fault } from './fault.ts'

const params = z.object({ count: z.int().positive() })

/** Sends a cut-off copy, which is no JSON, before each of the next `count` frames. */
export function malformedFault(): Fault<z.infer<typeof params>> {
  let remaining = 0
  return {
    name: 'malformed',
    params,
    arm({ count }) {
      remaining += count
      return { remaining }
    },
    frames(frame) {
      if (remaining === 0) return undefined
      remaining -= 1
      return [frame.slice(0, Math.ceil(frame.length / 2)), frame]
    },
  }
}
