import {
  feedList,
  gapPage,
  instrument,
  instrumentPage,
  instrumentStatsPage,
  pipeline,
  problem,
  problemCodes,
  rejectedCounts,
  tokenStatsPage,
  tradePage,
} from '@tickertape/market-api'
import type { CandlePage, GapResource, TradePage } from '@tickertape/market-api'
import type { MarketEvent } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { base, createSinkLog, instrumentStatus, trade } from '../../../pg-sink/tests/sink-log.ts'
import {
  candlesPath,
  createRestMarket,
  lastMinutes,
  launchGateway,
  minute,
  now,
  originOf,
} from './rest-market.ts'
import type { Gateway, RestMarket } from './rest-market.ts'

const path = '/v1/trades?instrument=deribit:BTC-PERPETUAL'

/** Trades of the same time, with and without a sequence, and one in two versions. */
const tape: readonly MarketEvent[] = [
  ...Array.from({ length: 60 }, (_, number) => trade(number, { eventTime: base + (number % 7) })),
  trade(60, { sequence: null, eventTime: base }),
  trade(61, { sequence: null, eventTime: base, venueOrder: 3 }),
  trade(5, { version: 1, status: 'cancelled', eventTime: base + 5 }),
]

const gap: MarketEvent = {
  type: 'SequenceGap',
  value: {
    gapId: 'gap-1',
    feedId: 'deribit',
    replicaId: 'a',
    instrumentId: null,
    fromTime: now - 3 * minute,
    toTime: now - 2 * minute,
    fromSequence: null,
    toSequence: null,
    state: 'open',
  },
}

const candles = lastMinutes(90).map((candle) => ({
  ...candle,
  notionalUsd: { mantissa: 25, exponent: -1 },
}))

let market: RestMarket
let gateway: Gateway

beforeAll(async () => {
  const eth = instrumentStatus({ instrumentId: 'deribit:ETH-PERPETUAL', base: 'ETH' })
  market = await createRestMarket([eth, gap, ...tape], candles)
  await market.written()
  gateway = await market.startGateway()
})

afterAll(async () => {
  await market[Symbol.asyncDispose]()
})

describe('trades', () => {
  it('the tape is each trade as it stands, newest first, in pages without a hole', async () => {
    const whole = await waitUntil('the tape', async () => {
      const page = tradePage.parse(await gateway.json(`${path}&limit=1000`))
      return page.trades.length === 62 ? page : undefined
    })
    const times = whole.trades.map(({ eventTime }) => eventTime)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
    expect(whole.trades.find(({ tradeId }) => tradeId === 't5')).toMatchObject({
      version: 1,
      status: 'cancelled',
    })
    const paged: TradePage['trades'] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`
      const page: TradePage = await gateway.json<TradePage>(`${path}&limit=7${query}`)
      paged.push(...page.trades)
      cursor = page.next
    }
    expect(paged).toEqual(whole.trades)
    const few = await gateway.json<TradePage>(`${path}&from=${base + 2}&to=${base + 3}`)
    expect(new Set(few.trades.map(({ eventTime }) => eventTime))).toEqual(new Set([base + 2]))
  })
})

describe('what is known', () => {
  it('instruments are found by a part of their name, and one by its id', async () => {
    const { instruments } = instrumentPage.parse(await gateway.json('/v1/instruments?search=eth'))
    expect(instruments.map(({ instrumentId }) => instrumentId)).toEqual(['deribit:ETH-PERPETUAL'])
    const first = instrumentPage.parse(await gateway.json('/v1/instruments?limit=1'))
    const next = await gateway.json(`/v1/instruments?limit=1&cursor=${first.next}`)
    expect(instrumentPage.parse(next).instruments).toHaveLength(1)
    const one = instrument.parse(await gateway.json('/v1/instruments/deribit%3ABTC-PERPETUAL'))
    expect(one.summary).toMatchObject({ lastPrice: '1', high24h: '1' })
  })

  it('a gap is told with the candles that it touches', async () => {
    const { gaps } = await gateway.json<CandlePage>(candlesPath)
    expect(gaps.map(({ gapId, state }) => [gapId, state])).toEqual([['gap-1', 'open']])
    const before = await gateway.json<CandlePage>(`${candlesPath}&to=${now - 5 * minute}`)
    expect(before.gaps).toEqual([])
    const open = gapPage.parse(await gateway.json('/v1/gaps?state=open'))
    expect(open.gaps).toEqual(gaps satisfies readonly GapResource[])
  })

  it('statistics, feeds, rejected records and the pipeline are as the contract says', async () => {
    const { stats } = instrumentStatsPage.parse(await gateway.json('/v1/stats/24h/instruments'))
    expect(stats.map(({ instrumentId }) => instrumentId)).toContain('deribit:BTC-PERPETUAL')
    tokenStatsPage.parse(await gateway.json('/v1/stats/1h/tokens'))
    const { feeds } = feedList.parse(await gateway.json('/v1/feeds'))
    expect(feeds).toMatchObject([{ feedId: 'deribit', venue: 'deribit', openGaps: 1 }])
    expect(rejectedCounts.parse(await gateway.json('/v1/rejected')).counts).toEqual([])
    const seen = pipeline.parse(await gateway.json('/v1/pipeline'))
    expect(seen.hops.map(({ hop }) => hop)).toEqual([
      'venue',
      'ingest',
      'aggregator',
      'gateway',
      'database',
    ])
    expect(seen.lags.map(({ reader }) => reader)).toContain('pg-sink')
    // Of one instrument alone there are candles.
    const traded = instrument.parse(await gateway.json('/v1/instruments/deribit%3ABTC-PERPETUAL'))
    expect(Number(seen.notionalUsd24h)).toBeGreaterThan(0)
    expect(seen.notionalUsd24h).toBe(traded.summary?.notionalUsd24h)
  })
})

describe('refusals', () => {
  it.each([
    ['/v1/candles?interval=1x&limit=1001&form=1', 400, 'invalid_request'],
    ['/v1/candles?instrument=deribit:NONE&interval=1m', 404, 'not_found'],
    ['/v1/candles?instrument=deribit:A%00B&interval=1m', 400, 'invalid_request'],
    [`${candlesPath}&from=2026-02-31T25:00Z`, 400, 'invalid_request'],
    [`${candlesPath}&cursor=AAAA`, 400, 'invalid_request'],
    [`${path}&limit=0`, 400, 'invalid_request'],
    ['/v1/nothing', 404, 'not_found'],
    ['/v1/%zz', 400, 'invalid_request'],
    ['/v1/stream', 400, 'invalid_request'],
  ])('%s is answered by a problem document', async (asked, status, code) => {
    const answer = await gateway.get(asked)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    const document = problem.parse(await answer.json())
    expect(document).toMatchObject({ status, code, type: `/problems/${code}` })
    expect(document.instance).toBe(answer.headers.get('x-request-id'))
  })

  it('all that is wrong is told at once', async () => {
    const answer = await gateway.get('/v1/candles?interval=1x&limit=1001&form=1')
    const { errors = [] } = problem.parse(await answer.json())
    expect(errors.map(({ at }) => at).sort()).toEqual(['form', 'instrument', 'interval', 'limit'])
  })

  it('other methods are told which ones there are, and a large body is not read', async () => {
    const url = `${gateway.origin}/v1/candles`
    const post = await fetch(url, { method: 'POST', body: 'x'.repeat(1_000_000) })
    expect(post.status).toBe(405)
    expect(post.headers.get('allow')).toBe('GET, HEAD')
    const longHeader = await gateway.get('/v1/feeds', { 'x-long': 'x'.repeat(20_000) })
    expect(longHeader.status).toBe(413)
    expect(problem.parse(await longHeader.json()).code).toBe('payload_too_large')
  })

  it('a cursor of another request is refused', async () => {
    const { previous } = await gateway.json<CandlePage>(`${candlesPath}&limit=10`)
    const other = candlesPath.replace('interval=1m', 'interval=5m')
    const answer = await gateway.get(`${other}&cursor=${previous}`)
    expect(answer.status).toBe(400)
    expect(problem.parse(await answer.json()).errors?.[0]?.at).toBe('interval')
  })

  it.each(problemCodes)('the type of %s leads to a page', async (code) => {
    const answer = await gateway.get(`/problems/${code}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain('text/html')
  })
})

it('a copy of a page is good until one of its trades is corrected', async () => {
  const past = `${path}&limit=10&to=${base + 5}`
  const first = await gateway.get(past)
  const tag = first.headers.get('etag') ?? ''
  expect(tag).toMatch(/^W\/"/)
  expect(first.headers.get('cache-control')).toBe('private, max-age=60')
  const same = await gateway.get(past, { 'if-none-match': tag })
  expect([same.status, await same.text()]).toEqual([304, ''])
  const live = await gateway.get(path)
  expect(live.headers.get('cache-control')).toBe('no-cache')
  // In the page, and of the same time and place as before.
  const corrected = trade(4, { version: 1, eventTime: base + 4, takerSide: 'sell' })
  await market.log.appendEvents([corrected])
  const other = await waitUntil('the correction', async () => {
    const answer = await gateway.get(past, { 'if-none-match': tag })
    return answer.status === 200 && answer
  })
  const { trades } = tradePage.parse(await other.json())
  expect(trades.find(({ tradeId }) => tradeId === 't4')).toMatchObject({ version: 1 })
})

it.each(['br', 'gzip'])('%s is used for what is worth it', async (encoding) => {
  const headers = { 'accept-encoding': encoding }
  const large = await gateway.get(candlesPath, headers)
  expect(large.headers.get('content-encoding')).toBe(encoding)
  // undici unpacks by that header.
  expect(((await large.json()) as CandlePage).candles.length).toBeGreaterThanOrEqual(90)
  const small = await gateway.get('/v1/rejected', headers)
  expect(small.headers.get('content-encoding')).toBeNull()
})

it('a gateway that waits for the database says so, and goes on by itself', async () => {
  await using log = await createSinkLog({ migrated: false })
  await using waiting = launchGateway(log)
  const origin = await originOf(waiting)
  const refused = await waitUntil('the reason', async () => {
    const answer = await fetch(`${origin}/v1/instruments`)
    const document = problem.parse(await answer.json())
    return document.detail.includes('lacks the migrations') ? document : undefined
  })
  expect(refused).toMatchObject({ status: 503, code: 'not_ready' })
  await using _sink = log.startSink()
  await waitUntil('the gateway to serve', async () => {
    return (await fetch(`${origin}/v1/instruments`)).status === 200
  })
  expect(await waiting.stop('SIGTERM'), waiting.output).toBe(0)
})
