import type { Problem } from '@tickertape/market-api'
import { timeOf } from '@tickertape/market-api'
import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'

import { ProblemError } from '../problem.ts'

type FieldProblem = NonNullable<Problem['errors']>[number]

/**
 * Reads what a request asks for.
 *
 * @param query strict: a parameter that the resource does not know is a problem as well, for a typo must never mean
 *   the default. `strict()` makes a schema, which is compiled when it is first used: never do it for each request.
 * @throws ProblemError `invalid_request` with all that is wrong.
 */
export function readRequest(
  request: Pick<FastifyRequest, 'params' | 'query'>,
  params: z.ZodObject,
  query: z.ZodObject,
): { readonly params: unknown; readonly query: unknown } {
  const readParams = params.safeParse(request.params)
  const readQuery = query.safeParse(request.query)
  const errors = [
    ...zeroCharacters(request.params),
    ...zeroCharacters(request.query),
    ...(readParams.error?.issues ?? []).map(fieldProblem),
    ...(readQuery.error?.issues ?? []).map(fieldProblem),
  ]
  if (errors.length > 0) throw invalidRequest(errors)
  return { params: readParams.data, query: readQuery.data }
}

export function invalidRequest(errors: readonly FieldProblem[]): ProblemError {
  const listed = errors.map(({ at, message }) => `${at}: ${message}`).join('; ')
  return new ProblemError('invalid_request', { detail: listed, errors: [...errors] })
}

/** Times of a request, in ms since the epoch. @throws ProblemError for those that are none. */
export function readTimes<Name extends string>(
  texts: Readonly<Record<Name, string | undefined>>,
): Readonly<Record<Name, number | undefined>> {
  const errors: FieldProblem[] = []
  const times: Partial<Record<Name, number>> = {}
  for (const name of Object.keys(texts) as Name[]) {
    const text = texts[name]
    if (text === undefined) continue
    const time = timeOf(text)
    if (time === undefined)
      errors.push({ at: name, message: `is no time of any calendar: ${text}` })
    else times[name] = time
  }
  if (errors.length > 0) throw invalidRequest(errors)
  // What is not set is undefined, which the type says.
  return times as Readonly<Record<Name, number | undefined>>
}

/** PostgreSQL keeps no text with one, so that nothing can be of such a name. */
function zeroCharacters(values: unknown): readonly FieldProblem[] {
  // Parameters are texts by name.
  return Object.entries(values as Readonly<Record<string, unknown>>)
    .filter(([, value]) => typeof value === 'string' && value.includes('\0'))
    .map(([at]) => ({ at, message: 'holds the character U+0000' }))
}

function fieldProblem(issue: z.core.$ZodIssue): FieldProblem {
  if (issue.code === 'unrecognized_keys') {
    return {
      at: issue.keys.join(', '),
      message: 'is no parameter of this resource',
    }
  }
  return { at: issue.path.join('.'), message: issue.message }
}
