import { z } from 'zod'

/** Why a request was refused; the closed list that `type` is made of. */
export const problemCodes = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'payload_too_large',
  'too_many_requests',
  'not_ready',
  'internal',
] as const

export type ProblemCode = (typeof problemCodes)[number]

/** RFC 9457, served as application/problem+json. `type` is `/problems/<code>`, where it is explained. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What happened and what to do' }),
    instance: z.string().meta({ description: 'Id of the request, as in the logs' }),
    code: z.enum(problemCodes),
    errors: z
      .array(z.object({ at: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Each part of the request that cannot be used' }),
  })
  .meta({ id: 'Problem' })

export type Problem = z.infer<typeof problem>
