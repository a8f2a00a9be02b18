import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import type { Page } from 'playwright-core'

import type { Browser } from '../src/browser.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Keeps what passes by: how far things moved by themselves, banners, and texts in the charts' pictures. */
const notes = `
  window.notes = { shift: 0, banners: new Set(), texts: new Set() }
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) notes.shift += value
  }).observe({ type: 'layout-shift', buffered: true })
  new MutationObserver(() => {
    for (const { textContent } of document.querySelectorAll('.banner')) notes.banners.add(textContent)
  }).observe(document, { subtree: true, childList: true, characterData: true })
  const { fillText } = CanvasRenderingContext2D.prototype
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    notes.texts.add(text)
    fillText.call(this, text, ...place)
  }`

interface ChartFigures {
  readonly candles: number
  readonly from: number
  readonly to: number
  readonly empty: number
  readonly gaps: number
  readonly revised: number
}

/** A page of the dashboard, and what the browser held against it. */
export class OpenPage implements AsyncDisposable {
  readonly page: Page
  /** Exceptions, what the policy forbade, and requests that went elsewhere. */
  readonly faults: string[] = []

  private constructor(page: Page, url: string) {
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

  /** @param query of the dashboard's address. */
  static async open({ context }: Browser, url: string, query: string): Promise<OpenPage> {
    const page = await context.newPage()
    const opened = new OpenPage(page, url)
    await page.addInitScript(notes)
    await page.goto(`${url}/${query}`)
    return opened
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
    return Number(await this.page.evaluate('notes.shift'))
  }

  /** What banners have said, each text once. */
  async banners(): Promise<readonly string[]> {
    // Of the script above.
    return (await this.page.evaluate('[...notes.banners]')) as string[]
  }

  /** What the charts have written into their pictures since it was asked last. */
  async drawnTexts(): Promise<readonly string[]> {
    // As above.
    return (await this.page.evaluate('[[...notes.texts], notes.texts.clear()][0]')) as string[]
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
