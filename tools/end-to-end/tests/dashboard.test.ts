import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { Browser, missingBrowser } from '../src/browser.ts'
import { DashboardSystem, instrument } from './dashboard-system.ts'
import { OpenPage } from './open-page.ts'

const minute = 60_000
const within = { withinMs: 180_000 }
/** Pictures of the pages, for a person to look at. */
const pictures = fileURLToPath(
  new URL('../../../dist/test-results/tools/end-to-end/dashboard/', import.meta.url),
)
const missing = await missingBrowser()
if (missing !== undefined) console.log(`The dashboard's browser tests are skipped: ${missing}`)

describe.skipIf(missing !== undefined)('the dashboard on a running system', () => {
  let system: DashboardSystem
  let dark: Browser
  let light: Browser

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    system = await DashboardSystem.open()
    dark = await Browser.open('dark')
    light = await Browser.open('light')
  }, 300_000)

  afterAll(async () => {
    await dark?.[Symbol.asyncDispose]()
    await light?.[Symbol.asyncDispose]()
    await system?.[Symbol.asyncDispose]()
  })

  const open = (browser: Browser, query: string): Promise<OpenPage> =>
    OpenPage.open(browser, system.url, query)

  it('shows a live candle growing, exact to the last digit', async () => {
    await using page = await open(dark, `?instrument=${instrument}&interval=5m`)
    await page.drawn()
    const grown = await waitUntil(
      'an open candle to grow',
      async () => {
        const before = await page.legend()
        const after = await waitUntil('another state of it', async () => {
          const legend = await page.legend()
          return legend.trades !== before.trades && legend
        })
        return after.time === before.time && after.trades > before.trades && after
      },
      within,
    )
    expect(grown.volume).toMatch(/^[\d,]+(\.\d+)?$/)
    await page.page.screenshot({ path: `${pictures}market-dark.png` })
    // Good by the measure of web vitals: below 0.1.
    expect(await page.layoutShift()).toBeLessThan(0.1)
    expect(page.faults).toEqual([])
  })

  it('survives a restart of the gateway without a hole', async () => {
    await using page = await open(dark, `?instrument=${instrument}`)
    await page.drawn()
    const before = await page.figures()
    await system.gateway.stop('SIGKILL')
    await page.page.locator('.connection-waiting').waitFor()
    await page.page.locator('.banner').waitFor()
    await page.page.screenshot({ path: `${pictures}connection-lost.png` })
    // Windows close while nobody tells of them.
    await waitUntil(
      'three minutes of the market to pass',
      async () => (await system.lastStored()) > before.to + 2 * minute,
      within,
    )
    await system.gateway.start()
    await page.page.locator('.connection-live').waitFor()
    const after = await waitUntil(
      'the chart to go on',
      async () => {
        const figures = await page.figures()
        return figures.to > before.to + 4 * minute && figures
      },
      within,
    )
    expect(after.empty).toBe(0)
    expect(after.candles).toBe((after.to - after.from) / minute)
    const banners = await page.banners()
    expect(banners[0]).toMatch(/^The connection is lost/)
    expect(banners).toContain('Connected again. Nothing is missing.')
    expect(page.faults).toEqual([])
  })

  it('says so where a gateway cannot go on from where the page was, and has no hole', async () => {
    await using page = await open(dark, `?instrument=${instrument}`)
    await page.drawn()
    const before = await page.figures()
    await system.gateway.stop('SIGKILL')
    await waitUntil(
      'three minutes of the market to pass',
      async () => (await system.lastStored()) > before.to + 2 * minute,
      within,
    )
    // It remembers next to nothing of what came before it.
    await system.gateway.start({ GATEWAY_BACKLOG_UPDATES: '1' })
    await waitUntil(
      'words about it',
      async () => {
        const banners = await page.banners()
        return banners.some((text) => text.includes('longer than the gateway remembers'))
      },
      within,
    )
    const after = await waitUntil(
      'the chart to go on',
      async () => {
        const figures = await page.figures()
        return figures.to > before.to + 4 * minute && figures
      },
      within,
    )
    expect(after.empty).toBe(0)
    expect(page.faults).toEqual([])
  })

  it('marks a revision and shades a gap as they come', async () => {
    await using page = await open(light, `?instrument=${instrument}`)
    await page.drawn()
    const { to, gaps, revised } = await page.figures()
    const { rows } = await system.database.query<{ feed_id: string }>(
      'select feed_id from trades limit 1',
    )
    // Two minutes that have closed: to say that they lack trades is a revision of their candles.
    const fromTime = to - 5 * minute
    await system.append.gap(instrument, {
      gapId: 'test',
      feedId: rows[0]?.feed_id ?? '',
      replicaId: 'test',
      fromTime,
      toTime: fromTime + 2 * minute,
      fromSequence: null,
      toSequence: null,
      state: 'unrecoverable',
    })
    await waitUntil(
      'the gap on the chart',
      async () => {
        const figures = await page.figures()
        return figures.gaps > gaps && figures.revised > revised
      },
      within,
    )
    await page.page.locator('.revision', { hasText: '→ gap' }).waitFor()
    await page.page.screenshot({ path: `${pictures}gap-light.png` })
    expect(page.faults).toEqual([])
  })

  it('scrolls into history', async () => {
    // The page that the chart begins with holds 500 candles: of a younger market, which a fast machine reaches here
    // with, it had all, and there was no history to scroll into.
    await waitUntil(
      'a market longer than a page',
      async () => (await system.candles('1s')) >= 700,
      within,
    )
    await using page = await open(dark, `?instrument=${instrument}&interval=1s`)
    await page.drawn()
    const before = await page.figures()
    const chart = page.page.locator('.chart')
    await chart.hover()
    await waitUntil(
      'earlier candles',
      async () => {
        await page.page.mouse.wheel(-800, 0)
        return (await page.figures()).from < before.from - minute
      },
      { ...within, everyMs: 200 },
    )
    await page.page.screenshot({ path: `${pictures}history-dark.png` })
    expect(page.faults).toEqual([])
  })

  it('marks the time axis by local days and hours where times are local', async () => {
    // Its days begin at 10:00 UTC, half an hour after the market.
    await using browser = await Browser.open('dark', 'Pacific/Kiritimati')
    await waitUntil(
      'a market that has come to the next local day',
      async () => (await system.lastStored()) > Date.UTC(2026, 0, 5, 10, 10),
      { withinMs: 240_000 },
    )
    await using page = await open(browser, `?instrument=${instrument}&interval=5m`)
    await page.drawn()
    const drawnUntil = async (sign: RegExp): Promise<readonly string[]> => {
      await page.drawnTexts()
      const drawn = new Set<string>()
      await waitUntil(`${String(sign)} on the axis`, async () => {
        for (const each of await page.drawnTexts()) drawn.add(each)
        return [...drawn].some((each) => sign.test(each))
      })
      return [...drawn]
    }
    await page.page.keyboard.press('z')
    await drawnUntil(/^6 Jan$/)
    await page.page.screenshot({ path: `${pictures}local-time.png` })
    await page.page.keyboard.press('z')
    // In the morning, which it is in UTC alone. The first pictures after the key may still be the old ones.
    await drawnUntil(/^1\d:\d\d$/)
    expect(await drawnUntil(/^1\d:\d\d$/)).not.toContain('6 Jan')
    expect(page.faults).toEqual([])
  })

  it('says in words what is left out of a stream', async () => {
    await system.gateway.stop('SIGTERM')
    await system.gateway.start({ GATEWAY_STREAM_INSTRUMENTS: '3' })
    await using page = await open(dark, '?view=statistics&of=instruments&span=1h')
    await page.page.locator('.table tbody tr').nth(2).waitFor()
    await system.append.trade(await system.tradeOf('A-FOURTH-ONE'))
    await page.page
      .locator('.banner-notice', { hasText: 'More is traded than one connection may follow' })
      .waitFor()
    await page.page.locator('.banner-notice button').click()
    await page.page.locator('.banner-notice').waitFor({ state: 'detached' })
    expect(page.faults).toEqual([])
    await system.gateway.stop('SIGTERM')
    await system.gateway.start()
  })

  it('lists thousands of instruments with as many rows as are in view', async () => {
    const listed = 5_000
    await system.list(Array.from({ length: listed }, (_, at) => `LISTED-${at}`))
    await waitUntil(
      'the gateway to know all of them',
      async () => (await system.instruments('LISTED-4999')) === 1,
      within,
    )
    await using page = await open(dark, `?instrument=${instrument}`)
    await page.drawn()
    const rows = page.page.locator('.list-panel .virtual-row')
    const most = 50
    await page.page.locator('.list-count', { hasText: /^5,0\d\d instruments/ }).waitFor()
    expect(await rows.count()).toBeLessThan(most)
    await page.page.locator('.virtual-list').hover()
    await page.page.mouse.wheel(0, 100_000)
    await waitUntil('the list to have scrolled', async () => {
      const first = await rows.first().getAttribute('aria-posinset')
      return Number(first) > 1_000
    })
    expect(await rows.count()).toBeLessThan(most)
    await page.page.keyboard.press('/')
    await page.page.keyboard.type('listed-49')
    await page.page.locator('.list-count', { hasText: /^111 of/ }).waitFor()
    expect(await rows.count()).toBeLessThan(most)
    await page.page.keyboard.press('Enter')
    await page.page.waitForURL(/instrument=deribit:LISTED-49/)
    expect(page.faults).toEqual([])
  })

  it('finds an instrument by keyboard, and a link leads there', async () => {
    await using page = await open(dark, '')
    await page.drawn()
    await page.page.keyboard.press('/')
    await page.page.keyboard.type('eth perp')
    await page.page.keyboard.press('Enter')
    await page.page.keyboard.press('4')
    await page.page.waitForURL(/instrument=deribit:ETH-PERPETUAL&interval=15m/)
    await page.page.locator('h1', { hasText: 'ETH-PERPETUAL' }).waitFor()
    await page.page.keyboard.press('?')
    await page.page.locator('dialog[open]').waitFor()
    await page.page.keyboard.press('Escape')
    await page.page.locator('dialog[open]').waitFor({ state: 'detached' })
    await page.page.reload()
    await page.page.locator('h1', { hasText: 'ETH-PERPETUAL' }).waitFor()
    await page.page.locator('.intervals button[aria-pressed=true]', { hasText: '15m' }).waitFor()
    expect(page.faults).toEqual([])
  })

  for (const scheme of ['dark', 'light'] as const) {
    it(`has no serious violation of accessibility, ${scheme}`, async () => {
      const browser = scheme === 'dark' ? dark : light
      for (const [name, query, ready] of [
        ['market', `?instrument=${instrument}`, '.trade'],
        ['statistics', '?view=statistics&span=24h', '.table tbody tr'],
        ['pipeline', '?view=pipeline', '.hop'],
      ] as const) {
        for (const width of [1440, 390]) {
          await using page = await open(browser, query)
          await page.page.setViewportSize({ width, height: 844 })
          await page.page.locator(ready).first().waitFor({ state: 'attached' })
          await page.page.screenshot({ path: `${pictures}${name}-${scheme}-${width}.png` })
          expect(await page.violations(), `${name} ${width}`).toEqual([])
          expect(page.faults).toEqual([])
        }
      }
    })
  }
})
