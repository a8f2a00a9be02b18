/** Stored windows as tests keep them: whatever is decoded is what was encoded, and nobody else's object. */
import type { StoredWindow } from '@tickertape/market-model'
import type { StoredWindowCodec } from './packed-windows.ts'

export function memoryCodec(): StoredWindowCodec {
  const windows: StoredWindow[] = []
  return {
    encode(window) {
      const number = windows.push(structuredClone(window)) - 1
      return new Uint8Array(Uint32Array.of(number).buffer)
    },
    decode(bytes) {
      const window = windows[new Uint32Array(bytes.slice().buffer)[0] ?? -1]
      if (window === undefined) throw new Error('These bytes were not encoded here')
      return structuredClone(window)
    },
  }
}
