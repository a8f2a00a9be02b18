import type { StoredWindowCodec } from '@tickertape/candles'
import { DecodeFailure } from '@tickertape/kafka-avro'
import type { Deserializer, Serializer } from '@tickertape/kafka-avro'

/**
 * Windows as the values of their changelog records, wire format header included: what memory holds is what
 * the changelog gets, byte for byte, and a restore takes it over without decoding it.
 *
 * @param writing of its own: what it gives are views of larger buffers, which stay as long as any window in
 *   them, so nothing else may be in there.
 * @param reading must know the schema ids of all bytes that it is given: `prepare` them first.
 */
export function storedWindowCodec(
  writing: Serializer<'aggregator-state'>,
  reading: Deserializer<'aggregator-state'>,
): StoredWindowCodec {
  return {
    encode: (window) => {
      // avsc takes a Buffer for bytes, and no other array of them.
      const value = window.ids === null ? window : { ...window, ids: asBuffer(window.ids) }
      return writing.serialize({ type: 'StoredWindow', value })
    },
    decode: (bytes) => {
      const state = reading.deserialize(asBuffer(bytes))
      if (state instanceof DecodeFailure || state.type !== 'StoredWindow') {
        const why = state instanceof DecodeFailure ? state.message : `it is a ${state.type}`
        throw new Error(
          `A window of the changelog cannot be read (${why}): another version wrote it; run that version, or delete the changelog and the group's offsets to compute from the log's beginning`,
        )
      }
      const { ids } = state.value
      // Not a Buffer: its slice is no copy, as that of any other array of bytes is.
      return ids === null ? state.value : { ...state.value, ids: new Uint8Array(ids) }
    },
  }
}

/** The header alone: what `Deserializer.prepare` needs to know a schema before there are records of it. */
export function headerOf(schemaId: number): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(schemaId, 1)
  return header
}

/** The same bytes; no copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
