import { z } from 'zod'
import type { Fault, TurnedAway } from './fault.ts'

const params = z.object({
  requests: z.int().nonnegative().default(0),
  connects: z.int().nonnegative().default(0),
  status: z.int().min(200).max(599).default(429),
  /** Of the header Retry-After. */
  retryAfter: z.string().optional(),
  body: z.string().default(''),
})

/** Turns the next requests and attempts to connect away, with what a venue says that was asked too much. */
export function limitFault(): Fault<z.infer<typeof params>> {
  const left = { request: 0, connect: 0 }
  const answers: { request?: TurnedAway; connect?: TurnedAway } = {}
  return {
    name: 'limit',
    params,
    arm({ body, connects, requests, retryAfter, status }) {
      left.request += requests
      left.connect += connects
      const answer = { status, body, ...(retryAfter !== undefined && { retryAfter }) }
      if (requests > 0) answers.request = answer
      if (connects > 0) answers.connect = answer
      return { left: { ...left } }
    },
    turnsAway(what) {
      if (left[what] === 0) return undefined
      left[what] -= 1
      return answers[what]
    },
  }
}
