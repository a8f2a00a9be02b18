import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { krakenCatalog } from './catalog-kraken.ts'
import { KrakenHistory } from './history-kraken.ts'
import { RestClient } from './rest-client.ts'
import { localVenue } from './testing/local-venue.ts'

const never = new AbortController().signal

interface PastTrade {
  readonly id: number
  /** Nanoseconds since the epoch. */
  readonly time: bigint
}

const second = 1_000_000_000n
const start = 1_779_235_200n * second

/** Trades whose distances in time repeat; a distance of 0 is the same order. */
function tradesWith(distances: readonly bigint[], count: number): readonly PastTrade[] {
  let time = start
  return Array.from({ length: count }, (_, index) => {
    time += distances[index % distances.length] ?? 0n
    return { id: index + 1, time }
  })
}

/** Answers as GET /0/public/Trades does. */
function answerOf(trades: readonly PastTrade[], address: string): string {
  const query = new URL(address, 'http://kraken').searchParams
  const count = Math.min(1_000, Number(query.get('count') ?? 1_000))
  const since = query.get('since')
  const rows =
    since === null
      ? trades.slice(-count)
      : trades.filter(({ time }) => time > BigInt(since)).slice(0, count)
  const texts = rows.map(({ id, time }) => {
    const nanoseconds = String(time % second).padStart(9, '0')
    return `["1.0","2.0",${Number(`${time / second}.${nanoseconds}`)},"b","m","",${id}]`
  })
  const last = rows.at(-1)?.time ?? since ?? 0
  return `{"error":[],"result":{"XXBTZUSD":[${texts.join(',')}],"last":"${last}"}}`
}

/** What is looked at here is where it looks, not how fast. */
const unpaced = { capacity: 1_000_000, refillPerSecond: 1 }

class AnsweringClient extends RestClient {
  readonly asked: string[] = []
  readonly #answer: (address: string) => string

  constructor(answer: (address: string) => string) {
    super({
      url: '',
      timeoutMs: 1,
      budget: { capacity: 1, refillPerSecond: 1 },
      saysRateLimited: () => false,
      saysRefused: () => false,
      onAnswer: () => undefined,
    })
    this.#answer = answer
  }

  override get(path: string, query: Readonly<Record<string, string | number>>): Promise<string> {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value))
    const address = `${path}?${parameters.toString()}`
    this.asked.push(address)
    return Promise.resolve(this.#answer(address))
  }
}

function historyOf(trades: readonly PastTrade[]) {
  const rest = new AnsweringClient((address) => answerOf(trades, address))
  const mapping = () => ({
    feedId: 'kraken',
    receivedAt: Date.UTC(2030, 0, 1),
    futureToleranceMs: 5_000,
  })
  return { rest, history: new KrakenHistory(rest, mapping, unpaced) }
}

async function sequencesOf(history: KrakenHistory, from: number) {
  const { hasMore, trades } = await history.page('BTC/USD', from, undefined, never)
  return { hasMore, sequences: trades.map(({ sequence }) => sequence) }
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

/** Microseconds to hours between trades, and several in one nanosecond. */
const distances = fc
  .array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 10n ** 13n })), {
    minLength: 1,
    maxLength: 50,
  })
  .filter((some) => some.some((each) => each > 0n))

describe("Kraken's history", () => {
  it('is found by sequence, whatever the pace of trades, and read from there without a hole', async () => {
    await fc.assert(
      fc.asyncProperty(
        distances,
        fc.integer({ min: 1, max: 6_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (paces, count, share) => {
          const { history, rest } = historyOf(tradesWith(paces, count))
          let from = 1 + Math.floor(share * (count - 1))
          const first = from
          const read: unknown[] = []
          for (let pages = 0; pages < 20; pages += 1) {
            const { hasMore, sequences } = await sequencesOf(history, from)
            read.push(...sequences)
            if (!hasMore) break
            expect(sequences.length).toBeGreaterThan(0)
            from = Number(sequences.at(-1)) + 1
          }
          expect(read).toEqual(range(first, count))
          // Once found, a page takes one request.
          expect(rest.asked.length).toBeLessThan(25)
        },
      ),
      { numRuns: 30 },
    )
  }, 60_000)

  it('is found in a few requests, a day of trades away', async () => {
    const { history, rest } = historyOf(tradesWith([0n, 300_000_000n, 2n * second], 100_000))
    const { sequences } = await sequencesOf(history, 20_000)
    expect(sequences[0]).toBe(20_000)
    expect(rest.asked.length).toBeLessThan(8)
  })

  it('of a beginning that is asked for is asked for by time 0', async () => {
    const { history, rest } = historyOf(tradesWith([second], 5_000))
    expect(await sequencesOf(history, 1)).toEqual({ hasMore: true, sequences: range(1, 1_000) })
    expect(rest.asked).toEqual(['/0/public/Trades?pair=XBTUSD&count=1000&since=0'])
  })

  it('ends at the present', async () => {
    const { history } = historyOf(tradesWith([second], 1_500))
    expect(await sequencesOf(history, 1_400)).toEqual({
      hasMore: false,
      sequences: range(1_400, 1_500),
    })
    expect(await sequencesOf(history, 1_501)).toEqual({ hasMore: false, sequences: [] })
  })

  it('goes on behind ids that the venue passed over', async () => {
    const all = tradesWith([second], 5_000)
    const { history } = historyOf(all.filter(({ id }) => id < 2_000 || id >= 2_100))
    const { sequences } = await sequencesOf(history, 1_950)
    expect(sequences.slice(0, 60)).toEqual([...range(1_950, 1_999), ...range(2_100, 2_109)])
    const behind = await sequencesOf(history, 2_050)
    expect(behind.sequences[0]).toBe(2_100)
  })

  it('ends where nothing was ever traded', async () => {
    const { history } = historyOf([])
    expect(await history.newest('BTC/USD', never)).toBeUndefined()
    expect(await sequencesOf(history, 7)).toEqual({ hasMore: false, sequences: [] })
  })

  // Kraken tells failures with an HTTP status of 200.
  it.each([
    ['EQuery:Unknown asset pair', 'refused'],
    ['EGeneral:Too many requests', 'rate_limited'],
    ['EAPI:Rate limit exceeded', 'rate_limited'],
    ['EService:Unavailable', 'unavailable'],
  ])('that answers %s is %s', async (error, code) => {
    const { options } = await localVenue({ onGet: () => JSON.stringify({ error: [error] }) })
    const history = new KrakenHistory(options.rest, options.mapping)
    await expect(history.newest('BTC/USD', never)).rejects.toMatchObject({ code })
  })
})

describe("Kraken's catalog", () => {
  it('has the pairs that trade now, as the WebSocket names them', async () => {
    const pair = { altname: 'XBTUSD', wsname: 'XBT/USD', base: 'XXBT', status: 'online' }
    const result = {
      XXBTZUSD: pair,
      SOLUSDT: { ...pair, wsname: 'SOL/USDT' },
      OLDUSD: { ...pair, wsname: 'OLD/USD', status: 'delisted' },
      DARK: { altname: 'DARK.d', status: 'online' },
    }
    const { options } = await localVenue({ onGet: () => JSON.stringify({ error: [], result }) })
    expect(await krakenCatalog(options.rest, never)).toEqual([
      { instrument: 'BTC/USD', base: 'BTC', quote: 'USD', kind: 'spot', quantityUnit: 'base' },
      { instrument: 'SOL/USDT', base: 'SOL', quote: 'USDT', kind: 'spot', quantityUnit: 'base' },
    ])
  })
})
