import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Beside the bundle, which has its own copies; see tools/workspace/build.ts. */
function besideBundle(name: string): string | undefined {
  const folder = fileURLToPath(new URL(`./${name}`, import.meta.url))
  return existsSync(folder) ? folder : undefined
}

/** Files of swagger-ui. */
export function swaggerFolder(): string {
  return (
    besideBundle('swagger-ui') ??
    dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  )
}

/** What Vite has built of the dashboard; it need not be there. */
export function dashboardFolder(): string {
  return (
    besideBundle('dashboard') ?? fileURLToPath(new URL('../../../dashboard/dist', import.meta.url))
  )
}
