import { stat } from 'node:fs/promises'
import { join, normalize, sep } from 'node:path'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { requireScope } from '../protection/protect-routes.ts'

/** Names that Vite gives have a hash of what is in the file. */
const hashed = /^assets\//

/** Paths below these are never the dashboard's. */
const ownPaths = /^\/(v1|docs|problems)(\/|$)/

/**
 * Serves the dashboard: its files, and its page for every other address that a browser opens, so that links into it
 * work.
 *
 * @param folder what Vite has built; it may come, go and change while we run.
 */
export function registerDashboard(app: FastifyInstance, folder: string): void {
  app.get('/*', requireScope('public'), async (request, reply) => {
    const path = pathOf(request)
    if (path === undefined || ownPaths.test(path)) return reply.callNotFound()
    const file = normalize(path).split(sep).filter(Boolean).join('/')
    if (file !== '' && (await isFile(join(folder, file)))) return sendFile(reply, folder, file)
    if (!isNavigation(request, file)) return reply.callNotFound()
    if (await isFile(join(folder, 'index.html'))) return sendFile(reply, folder, 'index.html')
    return reply.code(404).type('text/html; charset=utf-8').send(notBuilt)
  })
}

function sendFile(reply: FastifyReply, folder: string, file: string): FastifyReply {
  const isHashed = hashed.test(file)
  reply.header(
    'cache-control',
    isHashed ? 'public, max-age=31536000, immutable' : 'public, no-cache',
  )
  return reply.sendFile(file, folder, { cacheControl: false })
}

function pathOf({ url }: FastifyRequest): string | undefined {
  try {
    const path = decodeURIComponent(url.split('?')[0] ?? '/')
    return path.includes('\0') ? undefined : path
  } catch {
    return undefined
  }
}

/** A browser opening a page, not asking for a file that is missing. */
function isNavigation({ headers }: FastifyRequest, file: string): boolean {
  return file === '' || (headers.accept?.includes('text/html') === true && !file.includes('.'))
}

async function isFile(path: string): Promise<boolean> {
  // What is not there is no file.
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true
}

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tickertape</title>
<h1>The dashboard has not been built</h1>
<p>This gateway serves it from a folder that has no page yet. <code>npm start</code> builds it; by itself it is built with</p>
<pre>npx nx build dashboard</pre>
<p>REST is described under <a href="/docs">/docs</a>, beginning with <a href="/v1/instruments">/v1/instruments</a>.</p>
</html>
`
