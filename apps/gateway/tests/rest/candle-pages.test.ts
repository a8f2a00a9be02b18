import { candleColumns, candlePage } from '@tickertape/market-api'
import type { CandleColumns, CandlePage } from '@tickertape/market-api'
import { waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import {
  candlesPath,
  createRestMarket,
  lastMinutes,
  minute,
  minuteBack,
  now,
} from './rest-market.ts'
import type { Gateway } from './rest-market.ts'

function starts({ candles }: CandlePage): readonly number[] {
  return candles.map(({ windowStart }) => windowStart)
}

/** Follows cursors from a page to the end. */
async function follow(
  gateway: Gateway,
  path: string,
  side: 'next' | 'previous',
): Promise<readonly CandlePage[]> {
  const pages = [await gateway.json<CandlePage>(path)]
  for (;;) {
    const cursor = pages.at(-1)?.[side]
    if (cursor === null || cursor === undefined) return pages
    pages.push(await gateway.json<CandlePage>(`${path}&cursor=${cursor}`))
  }
}

function expectConsecutive(windows: readonly number[]): void {
  const first = windows[0] ?? Number.NaN
  expect(windows).toEqual(windows.map((_, index) => first + index * minute))
}

it('pages have no hole and no double while candles are written and revised', async () => {
  const candles = lastMinutes(400)
  await using market = await createRestMarket([], candles)
  await market.written()
  const gateway = await market.startGateway({ GATEWAY_HELD_CANDLES: '40' })
  const stopping = new AbortController()
  let written = 0
  const writing = (async () => {
    while (!stopping.signal.aborted) {
      const back = 1 + ((written * 37) % 400)
      const revised = minuteBack(back, { revision: 1 + Math.floor(written / 400) })
      await market.log.appendCandles([minuteBack(-written), revised])
      written += 1
    }
  })()
  try {
    for (let round = 0; round < 3; round += 1) {
      const backward = await follow(gateway, `${candlesPath}&limit=37`, 'previous')
      const windows = backward.toReversed().flatMap(starts)
      expectConsecutive(windows)
      expect(windows[0]).toBe(now - 400 * minute)
      const from = now - 380 * minute
      const forward = await follow(gateway, `${candlesPath}&from=${from}&limit=37`, 'next')
      const later = forward.flatMap(starts)
      expectConsecutive(later)
      expect(later[0]).toBe(from)
      expect(later.at(-1)).toBeGreaterThanOrEqual(windows.at(-1) ?? Infinity)
    }
  } finally {
    stopping.abort()
    await writing
  }
  expect(written).toBeGreaterThan(0)
})

// Rows up to the sink's position and candles from where memory begins made one page: what the sink had not written
// and memory held no more was missing between them, without a sign.
it('pages have no hole while the sink is away for longer than memory holds', async () => {
  await using market = await createRestMarket([], lastMinutes(100))
  await market.written()
  const gateway = await market.startGateway({ GATEWAY_HELD_CANDLES: '20' })
  await market.sink.stop('SIGTERM')
  await market.log.appendCandles(Array.from({ length: 50 }, (_, ahead) => minuteBack(-ahead)))
  const latest = await waitUntil('the last candle', async () => {
    const page = await gateway.json<CandlePage>(candlesPath)
    return starts(page).at(-1) === now + 49 * minute ? page : undefined
  })
  expect(starts(latest)[0]).toBe(now + 30 * minute)
  expectConsecutive(starts(latest))
  expect((await gateway.get(`${candlesPath}&cursor=${latest.previous}`)).status).toBe(503)
  const path = `${candlesPath}&from=${now - 10 * minute}`
  const past = await gateway.json<CandlePage>(path)
  expectConsecutive(starts(past))
  expect(starts(past).at(-1)).toBe(now - minute)
  const behind = `${path}&cursor=${past.next}`
  expect((await gateway.get(behind)).status).toBe(503)
  await using _sink = market.log.startSink()
  const whole = await waitUntil('the rows', async () => {
    const answer = await gateway.get(behind)
    // What the contract says of this path.
    const page = answer.ok ? ((await answer.json()) as CandlePage) : undefined
    return page?.next === null ? page : undefined
  })
  expectConsecutive(starts(whole))
  expect([starts(whole)[0], starts(whole).at(-1)]).toEqual([now, now + 49 * minute])
})

it('a candle has the same bytes from memory and from PostgreSQL', async () => {
  const candles = [
    minuteBack(6, { vwap: null, tradeCount: 0, indicators: {}, quality: 'quiet' }),
    minuteBack(5, {
      indicators: { 'price:halflife=30s': 1.5e-7, 'close:span=12': 64_000.1, long: 1e21 },
      notionalUsd: { mantissa: 123_456_789_012_345_678n, exponent: -9 },
    }),
    minuteBack(4, {
      open: { mantissa: 5, exponent: 3 },
      low: { mantissa: -25, exponent: -2 },
      indicators: { 'close:span=12': -0.000001, b: 123_456_789.125 },
    }),
    minuteBack(3, { revision: 2, rebuildId: 17, firstSequence: null, lastSequence: 9 }),
    minuteBack(2),
    minuteBack(1),
  ]
  await using market = await createRestMarket([], lastMinutes(0))
  const fromMemory = await market.startGateway()
  const fromDatabase = await market.startGateway({ GATEWAY_HELD_CANDLES: '1' })
  // Behind the begin of both: what memory holds comes from Kafka, not from the rows.
  await market.log.appendCandles(candles)
  await waitUntil('both to have the candles', async () => {
    const pages = await Promise.all(
      [fromMemory, fromDatabase].map((gateway) => gateway.json<CandlePage>(candlesPath)),
    )
    return pages.every((page) => page.candles.length === candles.length)
  })
  const path = `${candlesPath}&to=${now - minute}`
  const texts = await Promise.all(
    [fromMemory, fromDatabase].map(async (gateway) => await (await gateway.get(path)).text()),
  )
  const [held, stored] = texts.map((text) => /"candles":\[.*\]/.exec(text)?.[0])
  expect(stored).toBe(held)
  // Parsed strictly: what the contract does not name is not there.
  const page = candlePage.parse(JSON.parse(texts[1] ?? ''))
  expect(page.candles).toHaveLength(5)
  const tags = await Promise.all(
    [fromMemory, fromDatabase].map(async (gateway) =>
      (await gateway.get(path)).headers.get('etag'),
    ),
  )
  expect(tags[0]).toBe(tags[1])
})

it('columns say the same as rows', async () => {
  const candles = lastMinutes(60)
  await using market = await createRestMarket([], candles)
  await market.written()
  const gateway = await market.startGateway({ GATEWAY_HELD_CANDLES: '20' })
  const { candles: rows } = await gateway.json<CandlePage>(candlesPath)
  const answer = await gateway.json<CandleColumns>(`${candlesPath}&layout=columns`)
  const { columns } = candleColumns.parse(answer)
  expect(columns.windowStart).toEqual(rows.map(({ windowStart }) => windowStart))
  expect(columns.open).toEqual(rows.map(({ open }) => open))
  expect(columns.volume).toEqual(rows.map(({ volume }) => volume))
  expect(columns.quality).toEqual(rows.map(({ quality }) => quality))
  expect(columns.revision).toEqual(rows.map(({ revision }) => revision))
  expect(columns.indicators).toEqual({
    'close:span=12': rows.map(({ indicators }) => indicators['close:span=12']),
  })
})

it('the open window is the last candle, until it is closed', async () => {
  await using market = await createRestMarket([], lastMinutes(3))
  await market.written()
  const gateway = await market.startGateway()
  await market.appendOpenCandles([minuteBack(0, { final: false })])
  const path = `${candlesPath}&limit=2`
  const open = await waitUntil('the open window', async () => {
    const { candles } = await gateway.json<CandlePage>(path)
    return candles.at(-1)?.windowStart === now ? candles : undefined
  })
  expect(open.map(({ final }) => final)).toEqual([true, false])
  await market.log.appendCandles([minuteBack(0)])
  await waitUntil('the window to be closed', async () => {
    const { candles } = await gateway.json<CandlePage>(path)
    return candles.every(({ final }) => final)
  })
})

it('a copy is good until a candle of it is revised', async () => {
  await using market = await createRestMarket([], lastMinutes(30))
  await market.written()
  const gateway = await market.startGateway({ GATEWAY_HELD_CANDLES: '5' })
  const path = `${candlesPath}&to=${now - 20 * minute}`
  const first = await gateway.get(path)
  const tag = first.headers.get('etag') ?? ''
  expect(first.headers.get('cache-control')).toBe('private, max-age=1')
  const again = await gateway.get(path, { 'if-none-match': tag })
  expect(again.status).toBe(304)
  expect(await again.text()).toBe('')
  await market.log.appendCandles([minuteBack(25, { revision: 1 })])
  const revised = await waitUntil('the revision', async () => {
    const answer = await gateway.get(path, { 'if-none-match': tag })
    return answer.status === 200 ? answer : undefined
  })
  expect(revised.headers.get('etag')).not.toBe(tag)
  const old = await market.startGateway({ GATEWAY_REVISION_HORIZON_MS: '0' })
  const whole = await old.get(`${candlesPath}&from=${now - 30 * minute}&limit=5`)
  expect(whole.headers.get('cache-control')).toBe('private, max-age=60')
})
