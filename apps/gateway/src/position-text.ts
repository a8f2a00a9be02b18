import type { StreamPosition } from './market-view.ts'

/** The form of the text; another form gets another number. */
const form = '1'

/**
 * A position as clients carry it: `1-<offsets of candles>-<offsets of market-events>`, in base 36, by
 * partition. REST answers and cursors of the stream hold the same text, on every instance.
 */
export function positionText({ candles, marketEvents }: StreamPosition): string {
  return [form, offsetsText(candles), offsetsText(marketEvents)].join('-')
}

/** @returns undefined for a text that this version did not write. */
export function positionOf(text: string): StreamPosition | undefined {
  const [written, candlesText, marketEventsText, ...rest] = text.split('-')
  if (written !== form || candlesText === undefined || marketEventsText === undefined) {
    return undefined
  }
  const candles = offsetsOf(candlesText)
  const marketEvents = offsetsOf(marketEventsText)
  if (rest.length > 0 || candles === undefined || marketEvents === undefined) return undefined
  return { candles, marketEvents }
}

function offsetsText(offsets: readonly number[]): string {
  return offsets.map((offset) => offset.toString(36)).join('_')
}

function offsetsOf(text: string): readonly number[] | undefined {
  const offsets = text.split('_').map((part) => Number.parseInt(part, 36))
  // Whatever parseInt lets pass (signs, what follows the digits) is not written back the same.
  return offsets.every((offset) => Number.isSafeInteger(offset)) && offsetsText(offsets) === text
    ? offsets
    : undefined
}
