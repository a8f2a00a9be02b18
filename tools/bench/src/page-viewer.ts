import type { CandleResource, ServerMessage } from '@tickertape/client'
import { Browser } from '@tickertape/end-to-end/browser'

import type { CandleViewer } from './candle-viewer.ts'
import type { CandleAt } from './road-hops.ts'

/**
 * Runs in the page before its own scripts. Frames are noted before the page hears of them; what it shows is noted
 * when the legend above the chart has changed, which names the window and counts its trades.
 */
const probe = `
  window.roadProbe = { frames: [], shown: [] }
  window.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options)
      this.addEventListener('message', ({ data }) => roadProbe.frames.push([Date.now(), data]))
    }
  }
  new MutationObserver(() => {
    const at = Date.now()
    const window = document.querySelector('.legend-time')?.textContent
    const facts = [...document.querySelectorAll('.legend-fact')].map((each) => each.textContent)
    const trades = facts.find((each) => each.startsWith('Trades '))
    const last = roadProbe.shown.at(-1)
    if (window === undefined || trades === undefined) return
    if (last?.[1] !== window || last[2] !== trades) roadProbe.shown.push([at, window, trades])
  }).observe(document, { subtree: true, childList: true, characterData: true })`

interface Probe {
  /** When a frame came, and its text. */
  readonly frames: readonly (readonly [number, string])[]
  /** When the legend changed, its window and its trades, as in "22 Nov 2026 09:30" and "Trades 1,204". */
  readonly shown: readonly (readonly [number, string, string])[]
}

/** The dashboard in headless Chromium, at the candles of an instrument. */
export async function openPageViewer(url: string, instrument: string): Promise<CandleViewer> {
  await using opening = new AsyncDisposableStack()
  const browser = opening.use(await Browser.open('dark'))
  const page = await browser.context.newPage()
  await page.addInitScript(probe)
  await page.goto(`${url}/?instrument=${instrument}`)
  await page.locator('.chart[data-state=drawn]').waitFor()
  const opened = opening.move()
  return {
    name: 'the dashboard in headless Chromium',
    seen: async () => {
      // What the probe above leaves there.
      const { frames, shown } = (await page.evaluate('roadProbe')) as Probe
      const candles = frames.flatMap(([at, text]) => candlesOf(at, text, instrument))
      return { arrived: candles, shown: shownOf(shown, candles) }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

interface ArrivedCandle extends CandleAt {
  readonly tradeCount: number
}

function candlesOf(at: number, text: string, instrument: string): readonly ArrivedCandle[] {
  // The gateway's contract, which its own tests hold.
  const messages = JSON.parse(text) as readonly ServerMessage[]
  return messages.flatMap(resourcesOf).flatMap((candle) => {
    const { instrumentId, interval, windowStart, lastSequence, tradeCount } = candle
    const isAsked = instrumentId === instrument && interval === '1m'
    return isAsked && lastSequence !== null ? [{ at, windowStart, lastSequence, tradeCount }] : []
  })
}

function resourcesOf(message: ServerMessage): readonly CandleResource[] {
  if (message.type === 'candle') return [message.candle]
  return message.type === 'snapshot' ? (message.candles ?? []) : []
}

/** By window and number of trades a state of the legend is one of the candles that came. */
function shownOf(shown: Probe['shown'], candles: readonly ArrivedCandle[]): readonly CandleAt[] {
  const sequences = new Map(
    candles.map((candle) => [`${candle.windowStart} ${candle.tradeCount}`, candle.lastSequence]),
  )
  return shown.flatMap(([at, window, trades]) => {
    const windowStart = Date.parse(`${window} UTC`)
    const lastSequence = sequences.get(`${windowStart} ${trades.replaceAll(/\D/g, '')}`)
    return lastSequence === undefined ? [] : [{ at, windowStart, lastSequence }]
  })
}
