import type { RawData } from 'ws'

/** The text of a received frame, in whichever form the socket hands it over. */
export function frameText(frame: RawData): string {
  if (Buffer.isBuffer(frame)) return frame.toString()
  return Array.isArray(frame) ? Buffer.concat(frame).toString() : Buffer.from(frame).toString()
}
