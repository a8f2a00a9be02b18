import { waitUntil } from '@tickertape/testing'

import { createClient } from '../src/index.ts'
import type { CandleEvent, CandleResource, Client, Notice, StreamState } from '../src/index.ts'

export const minute = 60_000

export function candleAt(window: number, facts: Partial<CandleResource> = {}): CandleResource {
  return {
    instrumentId: 'binance:BTCUSDT',
    interval: '1m',
    windowStart: window * minute,
    windowEnd: (window + 1) * minute,
    open: '1',
    high: '2',
    low: '0.5',
    close: '1.5',
    volume: '10',
    buyVolume: '5',
    quoteVolume: '15',
    notionalUsd: null,
    vwap: '1.5',
    tradeCount: 3,
    indicators: {},
    quality: 'complete',
    revision: 0,
    final: true,
    firstSequence: null,
    lastSequence: null,
    rebuildId: null,
    ...facts,
  }
}

/** What a subscription told, one short text for each event. */
export function told(events: readonly (CandleEvent | Notice)[]): string[] {
  return events.map((event) => {
    if (event.type === 'notice') return `notice ${event.code}`
    if (event.type === 'snapshot') return `snapshot ${event.candles.length}`
    if (event.type === 'reset') return `reset ${event.reason}`
    const { windowStart, revision, final } = event.candle
    return `${event.type} ${windowStart / minute}.${revision}${final ? '' : ' open'}`
  })
}

export function tellsOf(window: number): (event: CandleEvent) => boolean {
  return (event) => {
    if (event.type === 'reset') return false
    const candles = event.type === 'snapshot' ? event.candles : [event.candle]
    return candles.some(({ windowStart }) => windowStart === window * minute)
  }
}

interface Watched {
  readonly client: Client
  readonly events: CandleEvent[]
  readonly states: StreamState['status'][]
}

export function watch(url: string, token?: string): Watched {
  const client = createClient({ url, token })
  const events: CandleEvent[] = []
  const states: StreamState['status'][] = []
  client.stream().onState(({ status }) => states.push(status))
  client.stream().candles(
    { instruments: ['binance:*'], intervals: ['1m'] },
    {
      event: (event) => {
        events.push(event)
      },
    },
  )
  return { client, events, states }
}

/** Subscribes to an instrument's candles; what it returns grows. */
export function follow(client: Client, instrument: string): CandleEvent[] {
  const events: CandleEvent[] = []
  client.stream().candles(
    { instruments: [instrument], intervals: ['1m'] },
    {
      event: (event) => {
        events.push(event)
      },
    },
  )
  return events
}

export async function waitForEvents(events: readonly CandleEvent[], count: number): Promise<void> {
  await waitUntil(`${count} events`, async () => events.length >= count, { withinMs: 60_000 })
}
