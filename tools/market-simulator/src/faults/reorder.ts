import { z } from 'zod'
import type { Fault } from './fault.ts'

const params = z.object({ count: z.int().positive() })

/** Sends each of the next `count` frames after the one that follows it in its channel. */
export function reorderFault(): Fault<z.infer<typeof params>> {
  let remaining = 0
  const held = new Map<string, string>()
  return {
    name: 'reorder',
    params,
    arm({ count }) {
      remaining += count
      return { remaining }
    },
    frames(frame, { name }) {
      const before = held.get(name)
      if (before !== undefined) {
        held.delete(name)
        return [frame, before]
      }
      if (remaining === 0) return undefined
      remaining -= 1
      held.set(name, frame)
      return []
    },
  }
}
