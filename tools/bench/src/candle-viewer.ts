import type { CandleAt } from './road-hops.ts'

/** Something that shows the open 1m candle of an instrument as it grows. */
export interface CandleViewer extends AsyncDisposable {
  /** For the report, as in "Chromium shows …". */
  readonly name: string
  /** What it has seen since it was opened. */
  seen(): Promise<{ readonly arrived: readonly CandleAt[]; readonly shown: readonly CandleAt[] }>
}
