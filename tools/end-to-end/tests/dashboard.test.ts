import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { Browser, missingBrowser } from '../src/browser.ts'
import { DashboardSystem, instrument } from './dashboard-system.ts'

const minute = 60_000
const within = { withinMs: 180_000 }
/** Pictures of the pages, for a person to look at. */
const pictures = fileURLToPath(
  new URL('../../../dist/test-results/tools/end-to-end/dashboard/', import.meta.url),
)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const missing = await missingBrowser()
if (missing !== undefined) console.log(`The dashboard's browser tests are skipped: ${missing}`)

const sumOfShifts = `
  window.layoutShift = 0
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) window.layoutShift += value
  }).observe({ type: 'layout-shift', buffered: true })`

interface ChartFigures {
  readonly candles: number
  readonly from: number
  readonly to: number
  readonly empty: number
  readonly gaps: number
  readonly revised: number
}

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

  async function open(browser: Browser, query: string): Promise<OpenPage> {
    const page = await browser.context.newPage()
    const opened = new OpenPage(page, system.url)
    await page.addInitScript(sumOfShifts)
    await page.goto(`${system.url}/${query}`)
    return opened
  }

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
    await system.killGateway()
    await page.page.locator('.connection-waiting').waitFor()
    await page.page.locator('.banner').waitFor()
    await page.page.screenshot({ path: `${pictures}connection-lost.png` })
    // Windows close while nobody tells of them.
    await waitUntil(
      'three minutes of the market to pass',
      async () => (await system.lastStored()) > before.to + 2 * minute,
      within,
    )
    system.startGateway()
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

/** A page of the dashboard, and what the browser held against it. */
class OpenPage implements AsyncDisposable {
  readonly page: Page
  /** Exceptions, what the policy forbade, and requests that went elsewhere. */
  readonly faults: string[] = []

  constructor(page: Page, url: string) {
    this.page = page
    page.on('pageerror', (error) => this.faults.push(error.message))
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) this.faults.push(message.text())
    })
    page.on('request', (request) => {
      const { origin } = new URL(request.url())
      if (origin !== url) this.faults.push(`asked ${origin}`)
    })
  }

  async drawn(): Promise<void> {
    await this.page.locator('.chart[data-state=drawn]').waitFor()
    await this.page.locator('#chart-summary[data-candles]').waitFor({ state: 'attached' })
  }

  async legend(): Promise<{ time: string; trades: number; volume: string }> {
    const text = async (selector: string): Promise<string> =>
      (await this.page.locator(selector).first().textContent()) ?? ''
    const facts = await this.page.locator('.legend-fact').allTextContents()
    const fact = (name: string): string =>
      facts.find((each) => each.startsWith(`${name} `))?.slice(name.length + 1) ?? ''
    return {
      time: await text('.legend-time'),
      trades: Number(fact('Trades').replaceAll(',', '')),
      volume: fact('Vol'),
    }
  }

  async figures(): Promise<ChartFigures> {
    const summary = this.page.locator('#chart-summary')
    const figure = async (name: string): Promise<number> =>
      Number(await summary.getAttribute(`data-${name}`))
    const [candles = 0, from = 0, to = 0, empty = 0, gaps = 0, revised = 0] = await Promise.all(
      ['candles', 'from', 'to', 'empty', 'gaps', 'revised'].map(figure),
    )
    return { candles, from, to, empty, gaps, revised }
  }

  /** Sum of what has moved by itself. */
  async layoutShift(): Promise<number> {
    return Number(await this.page.evaluate('window.layoutShift'))
  }

  /** Serious and critical findings, each as a line. */
  async violations(): Promise<string[]> {
    await this.page.evaluate(axe)
    // The result is axe's, of which these parts are read.
    const violations = (await this.page.evaluate(
      'axe.run().then(({ violations }) => violations)',
    )) as {
      readonly id: string
      readonly impact: string
      readonly nodes: readonly { readonly html: string }[]
    }[]
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close()
  }
}
