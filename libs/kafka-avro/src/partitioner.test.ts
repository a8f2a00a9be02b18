import { describe, expect, it } from 'vitest'

import { murmur2, partitionOf } from './partitioner.ts'

// Values of org.apache.kafka.common.utils.Utils.murmur2, from Kafka's own UtilsTest.
const javaHashes = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
] as const

describe('partitioner', () => {
  it.each(javaHashes)('hashes %s as the Java client does', (text, expected) => {
    expect(murmur2(new TextEncoder().encode(text))).toBe(expected)
  })

  it('gives a partition in range for a negative hash', () => {
    expect(partitionOf('21', 4)).toBe((-973932308 & 0x7fffffff) % 4)
  })

  it('gives the same partition for text and for its bytes', () => {
    expect(partitionOf('deribit:BTC-PERPETUAL', 12)).toBe(
      partitionOf(new TextEncoder().encode('deribit:BTC-PERPETUAL'), 12),
    )
  })
})
