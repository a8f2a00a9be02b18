import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium } from 'playwright-core'
import type { BrowserContext } from 'playwright-core'

const executablePath = '/usr/bin/chromium'

/**
 * Why there is no browser to test with; undefined where there is one. In CI, as root, a missing one is installed.
 */
export function missingBrowser(): string | undefined {
  if (existsSync(executablePath)) return undefined
  if (process.env['CI'] === 'true' && process.getuid?.() === 0) {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' })
    execFileSync('apt-get', ['install', '-y', '-qq', 'chromium', 'fonts-dejavu-core'], {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (existsSync(executablePath)) return undefined
  }
  return `${executablePath} is missing: apt-get install chromium`
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
