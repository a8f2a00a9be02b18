import { z } from 'zod'
import type { Fault } from './fault.ts'

const params = z.object({ on: z.boolean() })

/** While it is on, no trade leaves over any WebSocket, while requests are answered as ever. */
export function silenceFault(): Fault<z.infer<typeof params>> {
  let isOn = false
  return {
    name: 'silence',
    params,
    arm({ on }) {
      isOn = on
      return { on }
    },
    frames: () => (isOn ? [] : undefined),
  }
}
