import { createClient } from '@tickertape/client'
import type { CandleResource } from '@tickertape/client'

import type { CandleViewer } from './candle-viewer.ts'
import type { CandleAt } from './road-hops.ts'

/** The client library in this process, where there is no browser: a candle is shown when the handler has it. */
export function openClientViewer(url: string, instrument: string): CandleViewer {
  const client = createClient({ url })
  const seen: CandleAt[] = []
  const note = ({ windowStart, lastSequence }: CandleResource): void => {
    if (lastSequence !== null) seen.push({ at: Date.now(), windowStart, lastSequence })
  }
  client.stream().candles(
    { instruments: [instrument], intervals: ['1m'] },
    {
      event: (event) => {
        if ('candle' in event) note(event.candle)
        else if (event.type === 'snapshot') event.candles.forEach(note)
      },
    },
  )
  return {
    name: 'the client library in Node',
    seen: () => Promise.resolve({ arrived: seen, shown: seen }),
    [Symbol.asyncDispose]: () => {
      client.close()
      return Promise.resolve()
    },
  }
}
