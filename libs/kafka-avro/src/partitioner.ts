/**
 * The partition of a key: murmur2 with Java's seed and sign handling, as Kafka's default partitioner
 * computes it. Every producer of the system names the partition, so that an instrument lives in the
 * same one in all topics, whichever client writes.
 */
export function partitionOf(key: Uint8Array | string, partitions: number): number {
  const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : key
  return (murmur2(bytes) & 0x7fffffff) % partitions
}

/** MurmurHash2 by Austin Appleby (public domain), 32 bit, with the seed of Kafka's Java client. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const m = 0x5bd1e995
  let hash = 0x9747b28c ^ length
  const whole = length - (length % 4)
  for (let at = 0; at < whole; at += 4) {
    let word = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8)
    word |= (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
    word = Math.imul(word, m)
    word ^= word >>> 24
    hash = Math.imul(hash, m) ^ Math.imul(word, m)
  }
  const rest = length % 4
  if (rest === 3) hash ^= byteAt(bytes, whole + 2) << 16
  if (rest >= 2) hash ^= byteAt(bytes, whole + 1) << 8
  if (rest >= 1) hash = Math.imul(hash ^ byteAt(bytes, whole), m)
  hash = Math.imul(hash ^ (hash >>> 13), m)
  return hash ^ (hash >>> 15)
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
