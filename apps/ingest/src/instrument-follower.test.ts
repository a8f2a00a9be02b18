import { Readiness } from '@tickertape/service-runtime'
import { waitUntil } from '@tickertape/testing'
import { expect, it, onTestFinished } from 'vitest'

import { CatalogReader } from './catalog-reader.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { InstrumentDelivery } from './instrument-delivery.ts'
import { InstrumentFollower } from './instrument-follower.ts'
import { readSelection } from './instrument-selection.ts'
import { LiveInstruments } from './live-instruments.ts'
import { RestError } from './rest-client.ts'
import { RecordingLog } from './testing/recording-log.ts'

function future(instrument: string, quote = 'USD'): InstrumentFacts {
  return { instrument, base: 'BTC', quote, kind: 'future', quantityUnit: 'quote' }
}

function spot(instrument: string): InstrumentFacts {
  return { instrument, base: 'BTC', quote: 'USDT', kind: 'spot', quantityUnit: 'base' }
}

const day = 86_400_000
const now = 100 * day

interface Given {
  readonly instruments: readonly string[]
  readonly known?: readonly string[]
  readonly catalog: readonly InstrumentFacts[] | undefined
  /** When every instrument traded last. */
  readonly tradedAt?: number
}

/** A follower whose catalog, and whose session, the test holds in its hands. */
function given({ instruments, known = [], catalog, tradedAt = now }: Given) {
  const held = { catalog, readings: 0 }
  const told: string[] = []
  const recording = new RecordingLog()
  const readiness = new Readiness()
  const live = new LiveInstruments()
  live.attach({
    add: (added) => told.push(`add ${added.map(({ instrument }) => instrument).join()}`),
    settled: async () => {
      told.push('settled')
      return true
    },
    remove: (removed) => told.push(`remove ${removed.join()}`),
  })
  const made: string[] = []
  const cursors: string[] = []
  const deliveries = new Map<string, InstrumentDelivery>()
  const follower = new InstrumentFollower({
    feedId: 'f',
    selection: readSelection(instruments),
    reader: new CatalogReader(
      async () => {
        held.readings += 1
        if (held.catalog === undefined) throw new RestError('unavailable', 'away')
        return held.catalog
      },
      readiness,
      { catalogNotRead: () => undefined },
    ),
    known,
    deliveries,
    facts: new Map(),
    live,
    log: recording.log,
    events: {
      instrumentsFollowed: () => undefined,
      instrumentsListed: () => undefined,
      instrumentsExpired: () => undefined,
      instrumentsUnknown: (unknown) => {
        if (unknown.length > 0) told.push(`unknown ${unknown.join()}`)
      },
    },
    venueTime: () => now,
    deliveryOf: (instrument) => {
      made.push(instrument)
      const names = {
        feedId: 'f',
        replicaId: 'a',
        instrument,
        instrumentId: `sample:${instrument}`,
      }
      const cursor = { ...names, sequence: 10, eventTime: tradedAt, tradeIds: [] }
      return new InstrumentDelivery({ ...names, log: recording.log, cursor })
    },
    leave: ({ instrument }) => {
      told.push(`leave ${instrument} before ${statuses().length + 1}`)
    },
    cursors: {
      forget: async (gone) => void cursors.push(...gone.map((each) => `none of ${each}`)),
      write: async (halted) => {
        cursors.push(...[...halted].map(({ instrument }) => `last of ${instrument}`))
      },
    },
    prepare: async (added) =>
      void told.push(`prepare ${added.map(({ instrument }) => instrument).join()}`),
    everyMs: 1,
  })
  const stop = new AbortController()
  const follow = (): void => {
    const following = follower.follow(stop.signal)
    onTestFinished(async () => {
      stop.abort()
      await expect(following).rejects.toThrow('abort')
    })
  }
  const statuses = () =>
    recording.events.flatMap(({ type, value }) =>
      type === 'InstrumentStatus'
        ? [`${value.instrumentId} ${value.status} ${value.quote ?? 'null'}`]
        : [],
    )
  const names = () => [...deliveries.keys()].toSorted()
  const rest = { deliveries, names, statuses, readiness, stop }
  return { follower, follow, held, told, made, cursors, ...rest }
}

it('begins with the names and with what its patterns take from the catalog', async () => {
  const { follower, names, stop } = given({
    instruments: ['ETH-1', 'BTC-*'],
    catalog: [future('BTC-1'), future('BTC-2'), future('SOL-1')],
  })
  await follower.begin(stop.signal)
  expect(names()).toEqual(['BTC-1', 'BTC-2', 'ETH-1'])
})

it('begins with the names and what an earlier run knew where the catalog cannot be had', async () => {
  const { follower, names, readiness, stop } = given({
    instruments: ['ETH-1', 'BTC-*'],
    known: ['BTC-1', 'SOL-1'],
    catalog: undefined,
  })
  await follower.begin(stop.signal)
  expect(names()).toEqual(['BTC-1', 'ETH-1'])
  expect(readiness.degraded.map(({ subject }) => subject)).toEqual(['catalog'])
})

it('takes a new listing in: first where it begins, then the subscription', async () => {
  const { follower, follow, held, told, names, stop } = given({
    instruments: ['BTC-*'],
    catalog: [future('BTC-1')],
  })
  await follower.begin(stop.signal)
  follow()
  held.catalog = [future('BTC-1'), future('BTC-2'), future('ETH-1')]
  await waitUntil('the listing', () => told.length >= 2)
  expect(told).toEqual(['prepare BTC-2', 'add BTC-2'])
  expect(names()).toEqual(['BTC-1', 'BTC-2'])
})

it('tells an expiry behind everything that the venue had sent, and once', async () => {
  const { follower, follow, held, told, names, statuses, stop } = given({
    instruments: ['BTC-*'],
    catalog: [future('BTC-1'), future('BTC-2')],
  })
  await follower.begin(stop.signal)
  follow()
  held.catalog = [future('BTC-1')]
  await waitUntil('the expiry', () => statuses().length > 0)
  const { readings } = held
  await waitUntil('more readings', () => held.readings > readings + 2)
  expect(told).toEqual(['settled', 'remove BTC-2', 'leave BTC-2 before 1'])
  expect(statuses()).toEqual(['sample:BTC-2 expired USD'])
  expect(names()).toEqual(['BTC-1'])
})

it('tells the expiry of what an earlier run knew and the catalog no longer has', async () => {
  const { follower, follow, statuses, stop } = given({
    instruments: ['BTC-*'],
    known: ['BTC-0'],
    catalog: [future('BTC-1')],
  })
  await follower.begin(stop.signal)
  follow()
  await waitUntil('the expiry', () => statuses().length > 0)
  expect(statuses()).toEqual(['sample:BTC-0 expired null'])
})

it('a name that the venue never listed is no expiry: it is told as unknown', async () => {
  const { follower, follow, told, names, statuses, stop } = given({
    instruments: ['BTC-1', 'BTC-7'],
    catalog: [future('BTC-1')],
  })
  await follower.begin(stop.signal)
  follow()
  await waitUntil('the unknown', () => told.length > 0)
  expect(told[0]).toBe('unknown BTC-7')
  expect(names()).toEqual(['BTC-1', 'BTC-7'])
  expect(statuses()).toEqual([])
})

it('tells facts that have changed of an instrument that was announced', async () => {
  const { follower, follow, held, deliveries, statuses, stop } = given({
    instruments: ['BTC-*'],
    catalog: [future('BTC-1'), future('BTC-2')],
  })
  await follower.begin(stop.signal)
  const announced = deliveries.get('BTC-1')
  if (announced !== undefined) announced.listed = true
  follow()
  held.catalog = [future('BTC-1', 'USDC'), future('BTC-2', 'USDC')]
  await waitUntil('the facts', () => statuses().length > 0)
  const { readings } = held
  await waitUntil('more readings', () => held.readings > readings + 2)
  expect(statuses()).toEqual(['sample:BTC-1 listed USDC'])
})

it('a pair that was halted goes on where it stopped', async () => {
  const { follower, follow, held, told, made, names, stop } = given({
    instruments: ['*'],
    catalog: [spot('A'), spot('B')],
  })
  await follower.begin(stop.signal)
  follow()
  held.catalog = [spot('A')]
  await waitUntil('the halt', () => names().length === 1)
  held.catalog = [spot('A'), spot('B')]
  await waitUntil('the return', () => told.includes('add B'))
  expect(made).toEqual(['A', 'B'])
})

// A cursor that nobody wrote any more made each process after this one read the instrument, and what stood open in it
// when it was written last, anew.
it.each([
  ['a contract that has expired is not remembered', future('A'), now, 'none of A'],
  ['a pair that is halted is remembered as it is', spot('A'), 0, 'last of A'],
] as const)('%s', async (_what, listed, tradedAt, left) => {
  const { follower, follow, held, cursors, stop } = given({
    instruments: ['*'],
    catalog: [listed, spot('B')],
    tradedAt,
  })
  await follower.begin(stop.signal)
  follow()
  held.catalog = [spot('B')]
  await waitUntil('the cursor', () => cursors.length > 0)
  expect(cursors).toEqual([left])
})

it.each([
  ['lately may be a halted pair: it is remembered', now - 6 * day, 'last of A'],
  ['long ago is not remembered', now - 8 * day, 'none of A'],
] as const)(
  'what was gone before this process began and traded %s',
  async (_what, tradedAt, left) => {
    const catalog = [spot('B')]
    const { follower, follow, cursors, stop } = given({
      instruments: ['*'],
      known: ['A'],
      catalog,
      tradedAt,
    })
    await follower.begin(stop.signal)
    follow()
    await waitUntil('the cursor', () => cursors.length > 0)
    expect(cursors).toEqual([left])
  },
)
