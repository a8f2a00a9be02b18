import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What the dashboard is made of: a change of any of it makes the built one stale. */
const sources = [
  'apps/dashboard/index.html',
  'apps/dashboard/package.json',
  'apps/dashboard/vite.config.ts',
  'apps/dashboard/public',
  'apps/dashboard/src',
  'libs/client/src',
  'libs/market-api/src',
  'libs/market-model/src',
  'package-lock.json',
]

const built = 'apps/dashboard/dist/index.html'

export type DashboardBuild =
  | { readonly outcome: 'fresh' }
  | { readonly outcome: 'built'; readonly seconds: number }
  | { readonly outcome: 'failed'; readonly reason: string }

/** Builds the dashboard if it is not there or older than what it is made of. Nothing else waits for its success. */
export async function buildDashboard(signal: AbortSignal): Promise<DashboardBuild> {
  try {
    const builtAt = await newest([built])
    if (builtAt >= (await newest(sources))) return { outcome: 'fresh' }
    const began = performance.now()
    const failure = await runVite(signal)
    if (failure !== undefined) return { outcome: 'failed', reason: failure }
    return { outcome: 'built', seconds: (performance.now() - began) / 1_000 }
  } catch (error) {
    return { outcome: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

/** @returns the end of what it wrote if it failed. */
async function runVite(signal: AbortSignal): Promise<string | undefined> {
  const child = spawn(
    process.execPath,
    ['node_modules/vite/bin/vite.js', 'build', 'apps/dashboard', '--logLevel', 'warn'],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], signal },
  )
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-2_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0 ? undefined : `Vite ended with code ${code}: ${output.trim()}`
}

/** When the newest of files, and of files in folders, was changed; 0 if none is there. */
async function newest(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(paths.map((path) => newestOf(`${root}${path}`)))
  return Math.max(0, ...times)
}

async function newestOf(path: string): Promise<number> {
  // What is not there is older than anything.
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return 0
  if (!found.isDirectory()) return found.mtimeMs
  const entries = await readdir(path)
  return Math.max(0, ...(await Promise.all(entries.map((entry) => newestOf(`${path}/${entry}`)))))
}
