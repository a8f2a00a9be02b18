/** Which instruments are read: by name, and by pattern out of what the venue lists. */
export interface InstrumentSelection {
  readonly names: readonly string[]
  /** With `*` for any run of characters: `BTC-*`, `*`. */
  readonly patterns: readonly string[]
}

/** @param texts names and patterns as INGEST_INSTRUMENTS gives them. */
export function readSelection(texts: readonly string[]): InstrumentSelection {
  const distinct = [...new Set(texts)]
  return {
    names: distinct.filter((text) => !text.includes('*')),
    patterns: distinct.filter((text) => text.includes('*')),
  }
}

/** Whether a pattern takes the instrument; letters count as they are. */
export function matchesPattern({ patterns }: InstrumentSelection, instrument: string): boolean {
  return patterns.some((pattern) => matches(pattern, instrument))
}

export function selects(selection: InstrumentSelection, instrument: string): boolean {
  return selection.names.includes(instrument) || matchesPattern(selection, instrument)
}

/** Parts are found from left to right: names come from outside, and a regular expression may run away. */
function matches(pattern: string, instrument: string): boolean {
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (instrument.length < first.length + last.length) return false
  if (!instrument.startsWith(first) || !instrument.endsWith(last)) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = instrument.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= instrument.length - last.length
}
