import type { FastifyInstance } from 'fastify'

import { requireScope } from '../protection/protect-routes.ts'

export interface DescriptionOptions {
  readonly openApi: Readonly<Record<string, unknown>>
  readonly asyncApi: Readonly<Record<string, unknown>>
  /** Folder with the files of swagger-ui. */
  readonly swaggerFolder: string
}

const files = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']

/** `/v1/openapi.json`, `/v1/asyncapi.json`, and `/docs`, where a person reads it: files of ours alone, no script within the page. */
export function registerDescription(
  app: FastifyInstance,
  { openApi, asyncApi, swaggerFolder }: DescriptionOptions,
): void {
  const isPublic = requireScope('public')
  const documents = { '/v1/openapi.json': openApi, '/v1/asyncapi.json': asyncApi }
  for (const [path, document] of Object.entries(documents)) {
    const text = JSON.stringify(document)
    app.get(path, isPublic, (_request, reply) =>
      reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(text),
    )
  }
  app.get('/docs', isPublic, (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page),
  )
  app.get('/docs/docs.js', isPublic, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').header('cache-control', 'no-cache').send(script),
  )
  for (const file of files) {
    app.get(`/docs/${file}`, isPublic, (_request, reply) => reply.sendFile(file, swaggerFolder))
  }
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tickertape: REST resources</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="resources"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/docs.js"></script>
</html>
`

const script = `SwaggerUIBundle({
  url: '/v1/openapi.json',
  dom_id: '#resources',
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
})
`
