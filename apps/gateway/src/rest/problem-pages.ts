import { problemCodes } from '@tickertape/market-api'
import type { FastifyInstance } from 'fastify'

import { ProblemError, problemKinds } from '../problem.ts'
import { requireScope } from '../protection/protect-routes.ts'

/** `/problems/<code>`, where the `type` of each problem document leads: a page for a person. */
export function registerProblemPages(app: FastifyInstance): void {
  app.get('/problems', requireScope('public'), (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(listPage()),
  )
  app.get<{ Params: { code: string } }>(
    '/problems/:code',
    requireScope('public'),
    (request, reply) => {
      const code = problemCodes.find((known) => known === request.params.code)
      if (code === undefined) {
        throw new ProblemError('not_found', {
          detail: `There is no problem of that name: /problems lists them`,
        })
      }
      const { title, status, about } = problemKinds[code]
      return reply
        .type('text/html; charset=utf-8')
        .send(
          page(
            title,
            `<p><code>${code}</code>, HTTP status ${status}</p><p>${escaped(about)}</p><p><a href="/problems">All problems</a></p>`,
          ),
        )
    },
  )
}

function listPage(): string {
  const rows = problemCodes.map((code) => {
    const { status, title } = problemKinds[code]
    return `<tr><td>${status}</td><td><a href="/problems/${code}">${code}</a></td><td>${escaped(title)}</td></tr>`
  })
  return page(
    'Problems',
    `<p>Every error is answered by a problem document (RFC 9457), whose <code>type</code> is one of these.</p><table>${rows.join('')}</table>`,
  )
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · Tickertape</title>
<h1>${escaped(title)}</h1>
${body}
</html>
`
}

/** Texts of ours, with the backquotes of Markdown. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/`([^`]*)`/g, '<code>$1</code>')
}
