import { z } from 'zod'
import type { Fault } from './fault.ts'

const params = z.object({ count: z.int().positive() })

/** Sends the next `count` frames twice. */
export function duplicateFault(): Fault<z.infer<typeof params>> {
  let remaining = 0
  return {
    name: 'duplicate',
    params,
    arm({ count }) {
      remaining += count
      return { remaining }
    },
    frames(frame) {
      if (remaining === 0) return undefined
      remaining -= 1
      return [frame, frame]
    },
  }
}
