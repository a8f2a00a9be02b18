import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium } from 'playwright-core'
import type { BrowserContext } from 'playwright-core'

import { missingProgram } from '@tickertape/testing'

const executablePath = '/usr/bin/chromium'

/** Why there is no browser to test with; undefined where there is one. In CI, as root, a missing one is installed. */
export function missingBrowser(): Promise<string | undefined> {
  return missingProgram({ path: executablePath, packages: ['chromium', 'fonts-dejavu-core'] })
}

/** A headless browser with an empty profile of its own. */
export class Browser implements AsyncDisposable {
  readonly context: BrowserContext
  readonly #profile: string

  private constructor(context: BrowserContext, profile: string) {
    this.context = context
    this.#profile = profile
  }

  /** @param timezoneId of the machine that it seems to run on, as in "Pacific/Kiritimati". */
  static async open(colorScheme: 'dark' | 'light', timezoneId = 'UTC'): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      colorScheme,
      timezoneId,
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
