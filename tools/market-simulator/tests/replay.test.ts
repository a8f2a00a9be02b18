import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { getJson, poll, postJson, VenueClient } from './venue-client.ts'

/** Event times of the fixtures count from here. */
const origin = Date.UTC(2026, 2, 3, 4, 5, 6)

function binanceTrade(id: number, sentAfterMs: number, tradedAfterMs = sentAfterMs): string {
  return (
    `{"stream":"btcusdt@trade","data":{"e":"trade","E":${origin + sentAfterMs},"s":"BTCUSDT",` +
    `"t":${id},"p":"68123.40000000","q":"0.0${id}0000000","T":${origin + tradedAfterMs},` +
    `"m":${id % 2 === 0},"M":true}}`
  )
}

/** Message 104 is stamped before 103, as happens when a venue's servers differ. */
const binanceMessages = [
  binanceTrade(101, 0, -3),
  binanceTrade(102, 50),
  binanceTrade(103, 2000),
  binanceTrade(104, 1990),
  binanceTrade(105, 60_000),
]

function deribitTrade(sequence: number, afterMs: number): string {
  return (
    `{"timestamp":${origin + afterMs},"price":68120.5,"amount":1.0e3,"direction":"buy",` +
    `"instrument_name":"BTC-PERPETUAL","trade_seq":${sequence},"trade_id":"${sequence * 7}",` +
    `"starbase_match_id":214121762240081920,"starbase_timestamp":${origin + afterMs}123457}`
  )
}

function deribitMessage(channel: string, trades: readonly string[]): string {
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":[${trades.join(',')}]}}`
}

const deribitMessages = [
  deribitMessage('trades.BTC-PERPETUAL.raw', [deribitTrade(11, 0), deribitTrade(12, 0)]),
  deribitMessage('trades.BTC-PERPETUAL.raw', [deribitTrade(13, 700)]),
  deribitMessage('trades.BTC-PERPETUAL.100ms', [deribitTrade(14, 900)]),
]

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'recordings-'))
})

afterAll(() => rm(folder, { recursive: true }))

/** Writes a recording as recorders do: with other traffic around, and a clock that is off. */
async function record(name: string, messages: readonly string[]): Promise<string> {
  const lines = [
    { t: origin / 1000, conn: 'c', dir: null, raw: 'connect wss://venue' },
    { t: origin / 1000, conn: 'c', dir: 'out', raw: messages[0] },
    { t: origin / 1000, conn: 'c', dir: 'in', raw: '{"result":null,"id":1}' },
    ...messages.map((raw) => ({ t: origin / 1000 - 1.27, conn: 'c', dir: 'in', raw })),
  ]
  const file = path.join(folder, name)
  await writeFile(file, gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
  return file
}

interface HistoricalTrade {
  readonly id: number
}

async function historyOf(restUrl: string): Promise<readonly number[]> {
  const url = `${restUrl}/api/v3/historicalTrades?symbol=BTCUSDT&fromId=0`
  return (await getJson<readonly HistoricalTrade[]>(url)).body.map(({ id }) => id)
}

describe('a replay of Binance', () => {
  const stream = '/stream?streams=btcusdt@trade'

  test('sends each message once, as it was recorded, in file order, by its own event time', async () => {
    const replay = await record('order.jsonl.gz', binanceMessages)
    await using simulator = await startSimulator({ replay, speed: 'max', hold: true })
    await using client = await VenueClient.connect(simulator.binanceWsUrl + stream)
    simulator.release()
    await client.until(() => client.frames.length >= binanceMessages.length)
    expect(client.frames).toEqual(binanceMessages)
  })

  test('keeps a message in the future until its time, on the WebSocket and in history', async () => {
    const replay = await record('due.jsonl.gz', binanceMessages)
    const speed = 1e-6
    const start = origin + 50
    await using simulator = await startSimulator({ replay, speed, start: start - 1 })
    await using client = await VenueClient.connect(simulator.binanceWsUrl + stream)
    expect(await historyOf(simulator.binanceRestUrl)).toEqual([101])
    await using later = await startSimulator({ replay, speed, start })
    expect(await historyOf(later.binanceRestUrl)).toEqual([101, 102])
    // 104 is stamped 1990 but waits for 103, which is before it in the file and stamped 2000.
    await using between = await startSimulator({ replay, speed, start: origin + 1995 })
    expect(await historyOf(between.binanceRestUrl)).toEqual([101, 102])
    client.send({ method: 'LIST_SUBSCRIPTIONS', id: 1 })
    await client.frame((frame) => frame.includes('"id":1'))
    expect(client.frames).toEqual(['{"result":["btcusdt@trade"],"id":1}'])
  })

  test('lets nobody hear what went out before they came; history fills the hole', async () => {
    const replay = await record('hole.jsonl.gz', binanceMessages)
    await using simulator = await startSimulator({ replay, speed: 2000, hold: true })
    const early = await VenueClient.connect(simulator.binanceWsUrl + stream)
    simulator.release()
    await early.until(() => early.trades.length >= 1)
    await early[Symbol.asyncDispose]()
    await poll(
      () => historyOf(simulator.binanceRestUrl),
      (ids) => ids.length === binanceMessages.length,
    )
    await using late = await VenueClient.connect(simulator.binanceWsUrl + stream)
    late.send({ method: 'LIST_SUBSCRIPTIONS', id: 1 })
    await late.frame((frame) => frame.includes('"id":1'))
    expect(late.trades).toEqual([])
    expect(await historyOf(simulator.binanceRestUrl)).toEqual([101, 102, 103, 104, 105])
  })

  test('ends with its last message, while the clock goes on', async () => {
    const replay = await record('end.jsonl.gz', binanceMessages)
    const options = { replay, speed: 'max', speedAfterEnd: 100_000 } as const
    await using simulator = await startSimulator(options)
    const time = async () =>
      (await getJson<{ serverTime: number }>(`${simulator.binanceRestUrl}/api/v3/time`)).body
        .serverTime
    expect(await time()).toBe(origin - 1000)
    await using client = await VenueClient.connect(simulator.binanceWsUrl + stream)
    await poll(time, (now) => now > origin + 300_000)
    expect(client.frames).toEqual(binanceMessages)
    interface Status {
      readonly finished: boolean
      readonly instruments: readonly unknown[]
    }
    const { body } = await getJson<Status>(`${simulator.controlUrl}/status`)
    expect(body.finished).toBe(true)
    expect(body.instruments).toEqual([
      {
        venue: 'binance',
        instrument: 'BTCUSDT',
        sentTrades: 5,
        firstSequence: 101,
        lastSequence: 105,
      },
    ])
  })

  test('skips whole messages', async () => {
    const replay = await record('skip.jsonl.gz', binanceMessages)
    await using simulator = await startSimulator({ replay, speed: 'max', hold: true })
    await using client = await VenueClient.connect(simulator.binanceWsUrl + stream)
    await postJson(`${simulator.controlUrl}/skip`, { instrument: 'BTCUSDT', count: 2 })
    simulator.release()
    await client.until(() => client.frames.length >= 3)
    expect(client.frames).toEqual(binanceMessages.slice(2))
  })
})

describe('a replay of Deribit', () => {
  test('accepts the channels of the recording, raw ones too, and keeps all digits', async () => {
    const replay = await record('deribit.jsonl.gz', deribitMessages)
    await using simulator = await startSimulator({ replay, speed: 'max', hold: true })
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    const { result } = await client.call('public/subscribe', {
      channels: ['trades.BTC-PERPETUAL.raw', 'trades.ETH-PERPETUAL.raw'],
    })
    expect(result).toEqual(['trades.BTC-PERPETUAL.raw'])
    simulator.release()
    await client.until(() => client.trades.length >= 3)
    expect(client.frames.slice(1)).toEqual(deribitMessages.slice(0, 2))
    const url =
      `${simulator.deribitRestUrl}/public/get_last_trades_by_instrument` +
      '?instrument_name=BTC-PERPETUAL&start_seq=12&count=10'
    const { text } = await poll(
      () => getJson(url),
      (answer) => answer.text.includes('"trade_seq":14'),
    )
    const history = [deribitTrade(12, 0), deribitTrade(13, 700), deribitTrade(14, 900)]
    expect(text).toContain(`{"trades":[${history.join(',')}],"has_more":false}`)
    const truth = await getJson<{ trades: unknown[] }>(
      `${simulator.controlUrl}/truth?instrument=BTC-PERPETUAL&from_seq=11&to_seq=11`,
    )
    expect(truth.body.trades).toMatchObject([{ price: '68120.5', quantity: '1000' }])
  })
})

describe('a file that cannot be replayed', () => {
  test('is refused by name and line', async () => {
    const missing = path.join(folder, 'missing.jsonl.gz')
    await expect(startSimulator({ replay: missing })).rejects.toThrow(
      `Cannot read the recording ${missing}`,
    )
    const empty = await record('empty.jsonl.gz', ['{"stream":"btcusdt@depth","data":{}}'])
    await expect(startSimulator({ replay: empty })).rejects.toThrow('holds no trades')
    const broken = path.join(folder, 'broken.jsonl.gz')
    await writeFile(broken, gzipSync('{"dir":"in","raw":"{}"}\n{"dir":\n'))
    await expect(startSimulator({ replay: broken })).rejects.toThrow(`${broken}, line 2`)
  })
})
