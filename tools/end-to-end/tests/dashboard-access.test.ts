import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { ServiceProcess, waitUntil } from '@tickertape/testing'

import { Browser, missingBrowser } from '../src/browser.ts'
import { DashboardSystem, instrument } from './dashboard-system.ts'
import { OpenPage } from './open-page.ts'

const keysMain = fileURLToPath(
  new URL('../../../apps/gateway/src/protection/keys-main.ts', import.meta.url),
)
const pictures = fileURLToPath(
  new URL('../../../dist/test-results/tools/end-to-end/dashboard/', import.meta.url),
)
const within = { withinMs: 180_000 }
const missing = await missingBrowser()

describe.skipIf(missing !== undefined)('the dashboard of a gateway that wants keys', () => {
  let system: DashboardSystem
  let browser: Browser

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    system = await DashboardSystem.open({
      GATEWAY_AUTHENTICATION: 'keys',
      GATEWAY_KEYS_RELOAD_MS: '1000',
    })
    browser = await Browser.open('dark')
  }, 300_000)

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await system?.[Symbol.asyncDispose]()
  })

  /** What `npm run keys` prints. */
  async function keys(...command: readonly string[]): Promise<string> {
    await using run = ServiceProcess.start({
      main: keysMain,
      arguments: command,
      environment: { DATABASE_URL: system.road.databaseUrl },
    })
    if ((await run.exited()) !== 0) throw new Error(run.output)
    return run.output
  }

  async function createKey(scope: 'read' | 'admin'): Promise<string> {
    const printed = await keys('create', '--name', scope, '--scope', scope, '--expires', '1d')
    const [key] = /tt_[0-9a-f]+_\S+/.exec(printed) ?? []
    if (key === undefined) throw new Error(`No key in: ${printed}`)
    return key
  }

  /** Waits for the dialog with this title and answers it. */
  async function give({ page }: OpenPage, title: string, key: string): Promise<void> {
    await page.locator('dialog[open]', { hasText: title }).waitFor()
    await page.locator('#token').fill(key)
    await page.locator('dialog[open] button[type=submit]').click()
  }

  it('asks for a key, turns a wrong one away, and shows to each what its scope allows', async () => {
    const [read, admin] = [await createKey('read'), await createKey('admin')]
    await using opened = await OpenPage.open(browser, system.url, `?instrument=${instrument}`)
    const { page } = opened
    await give(opened, 'A key is needed', 'tt_000000000000_wrong')
    await page.locator('#token-trouble', { hasText: 'does not take this key' }).waitFor()
    await page.screenshot({ path: `${pictures}key-refused.png` })
    await give(opened, 'The key is not taken', read)
    await opened.drawn()
    await page.locator('.connection-live').waitFor()
    await page.locator('dialog[open]').waitFor({ state: 'detached' })
    await page.keyboard.press('p')
    await page.locator('.pipeline', { hasText: 'shown to keys with the scope admin' }).waitFor()
    expect(await page.locator('.hop').count()).toBe(0)
    await page.locator('.pipeline button', { hasText: 'Use another key' }).click()
    await give(opened, 'Use another key', admin)
    await page.locator('.hop').first().waitFor()
    await page.locator('dialog[open]').waitFor({ state: 'detached' })
    // The tab keeps it.
    await page.reload()
    await page.locator('.hop').first().waitFor()
    expect(opened.faults).toEqual([])
  })

  it('says that a key has ended while the page was open, and goes on with another', async () => {
    const key = await createKey('read')
    await using opened = await OpenPage.open(browser, system.url, `?instrument=${instrument}`)
    const { page } = opened
    await give(opened, 'A key is needed', key)
    await opened.drawn()
    const before = await opened.figures()
    await keys('revoke', key.split('_')[1] ?? '')
    await page.locator('dialog[open]', { hasText: 'The key has ended' }).waitFor()
    await page.screenshot({ path: `${pictures}key-ended.png` })
    // Put aside, it does not come back by itself; what was there still is, and the way back as well.
    await page.keyboard.press('Escape')
    await page.locator('dialog[open]').waitFor({ state: 'detached' })
    expect((await opened.figures()).candles).toBeGreaterThanOrEqual(before.candles)
    await page.locator('button.connection', { hasText: 'Key needed' }).click()
    await give(opened, 'The key has ended', await createKey('read'))
    await page.locator('.connection-live').waitFor()
    const after = await waitUntil(
      'the chart to go on',
      async () => {
        const figures = await opened.figures()
        return figures.to > before.to + 60_000 && figures
      },
      within,
    )
    expect(after.empty).toBe(0)
    expect(opened.faults).toEqual([])
  })
})
