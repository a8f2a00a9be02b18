import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { Deserializer, Serializer } from '@tickertape/kafka-avro'
import type { Registry } from '@tickertape/kafka-avro'
import type { Decimal, StoredWindow } from '@tickertape/market-model'

import { headerOf, storedWindowCodec } from './stored-window-codec.ts'

const schemaId = 7
const schemaFile = new URL(
  '../../../libs/kafka-avro/schemas/aggregator-state.avsc',
  import.meta.url,
)

async function createCodec() {
  const schema: unknown = JSON.parse(readFileSync(schemaFile, 'utf8'))
  // All that a deserializer asks of a registry.
  const registry = { writerSchema: () => Promise.resolve(schema) } as unknown as Registry
  const reading = new Deserializer('aggregator-state', registry)
  await reading.prepare([headerOf(schemaId)])
  return storedWindowCodec(new Serializer('aggregator-state', schemaId), reading)
}

function windowOf(ids: Uint8Array | null, wide: bigint): StoredWindow {
  const price: Decimal = { mantissa: 5, exponent: 4 }
  const order = { eventTime: 10, sequence: null, venueOrder: 3, tradeId: 'é' }
  return {
    sums: {
      windowStart: 1_767_571_200_000,
      open: price,
      high: price,
      low: price,
      close: price,
      volume: { mantissa: wide, exponent: -18 },
      buyVolume: price,
      quoteVolume: price,
      notionalUsd: null,
      tradeCount: 3,
      firstSequence: null,
      lastSequence: null,
      quality: 'backfilled',
    },
    openOrder: order,
    closeOrder: order,
    sequences: [{ from: 1, to: 9 }],
    ids,
    offsets: [{ from: 4, to: 400 }],
    revision: 2,
    pending: true,
    rebuildId: 12,
    inverse: true,
    means: [{ mean: 1.5, weight: 2, observations: 3, lastTime: null }],
    revisedMeans: [{ mean: null, weight: 0, observations: 0, lastTime: 5 }],
  }
}

it('a window comes back as it was, and from the same bytes again and again', async () => {
  const codec = await createCodec()
  for (const ids of [null, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])]) {
    const window = windowOf(ids, 123_456_789_012_345_678_901_234n)
    const bytes = codec.encode(window)
    expect(codec.decode(bytes)).toEqual(window)
    expect(codec.decode(bytes)).toEqual(window)
  }
})

// A Buffer's slice is a view: whoever took the buffer of it for the ids alone read the bytes around them, and
// corrections of trades without sequences did not find their trades.
it('the ids of a window that comes back are bytes of their own', async () => {
  const codec = await createCodec()
  const written = new Float64Array([1.5, 2.5])
  const bytes = codec.encode(windowOf(new Uint8Array(written.buffer), 1n << 70n))
  const { ids } = codec.decode(bytes)
  expect([...new Float64Array(ids?.slice().buffer ?? new ArrayBuffer(0))]).toEqual([...written])
})

it('bytes of another kind are refused with a word on what to do', async () => {
  const codec = await createCodec()
  expect(() => codec.decode(Buffer.from('no window'))).toThrow('another version wrote it')
})
