import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { chromium } from 'playwright-core'
import type { BrowserContext } from 'playwright-core'

import { isContinuousIntegration, testEnvironment } from './config.ts'

const run = promisify(execFile)

const executablePath = '/usr/bin/chromium'

/** Fetching it may take as long as a slow network does, in ms. */
const installMs = 300_000

/**
 * Why there is no browser to test with; undefined where there is one. In CI, as root, a missing one is installed;
 * a machine that cannot get it has nothing to say about the dashboard.
 */
export async function missingBrowser(): Promise<string | undefined> {
  if (existsSync(executablePath)) return undefined
  const missing = `${executablePath} is missing: apt-get install chromium`
  if (!isContinuousIntegration || process.getuid?.() !== 0) return missing
  try {
    await apt('update')
    await apt('install', '--yes', 'chromium', 'fonts-dejavu-core')
  } catch (error) {
    return `${missing} (${error instanceof Error ? error.message : String(error)})`
  }
  return existsSync(executablePath) ? undefined : missing
}

async function apt(...command: readonly string[]): Promise<void> {
  await run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=60', ...command], {
    timeout: installMs,
    maxBuffer: 50_000_000,
    env: testEnvironment({ DEBIAN_FRONTEND: 'noninteractive' }),
  })
}

/** A headless browser with an empty profile of its own. */
export class Browser implements AsyncDisposable {
  readonly context: BrowserContext
  readonly #profile: string

  private constructor(context: BrowserContext, profile: string) {
    this.context = context
    this.#profile = profile
  }

  static async open(colorScheme: 'dark' | 'light'): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      colorScheme,
      viewport: { width: 1440, height: 900 },
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
    // A bound against hanging on a busy machine, not a measure.
    context.setDefaultTimeout(120_000)
    return new Browser(context, profile)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
