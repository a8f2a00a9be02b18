import { expect, it } from 'vitest'

import { importFeedId, parseImportArguments } from './import-arguments.ts'

const now = Date.UTC(2026, 5, 1)
const parse = (text: string) => parseImportArguments(text.split(' '), now)

it('reads a range of a venue’s history', () => {
  expect(parse('--venue binance --instrument BTCUSDT,ETHUSDT,BTCUSDT --from 2026-01-05')).toEqual({
    venue: 'binance',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    fromTime: Date.UTC(2026, 0, 5),
    toTime: undefined,
    file: undefined,
  })
})

it('reads a file without a range', () => {
  const request = parse('--venue deribit --instrument BTC-PERPETUAL --file a/b.jsonl.gz')
  expect(request).toMatchObject({ file: 'a/b.jsonl.gz', fromTime: undefined, toTime: undefined })
})

it.each([
  ['--instrument X --from 1', '--venue is missing: it is one of deribit, '],
  ['--venue nasdaq --instrument X --from 1', '--venue nasdaq is not known: it is one of deribit, '],
  ['--venue binance --from 1', '--instrument is missing'],
  ['--venue binance --instrument X', '--from is missing'],
  ['--venue binance --instrument X --from soon', '--from must be a time, got "soon"'],
  ['--venue binance --instrument X --from 5 --to 5', 'is not before --to'],
  ['--venue binance --instrument X --from 2027-01-01', 'is not before now'],
  ['--venue binance --instrument X --form 1', "Unknown option '--form'"],
])('%s is a problem that says what to do', (text, message) => {
  expect(() => parse(text)).toThrow(message)
})

it('the same command is the same feed, another one is another', () => {
  const request = parse('--venue binance --instrument BTCUSDT --from 2026-01-05 --to 2026-01-06')
  const feedId = importFeedId(request, 'BTCUSDT')
  expect(feedId).toBe(
    'import/binance/BTCUSDT/history/2026-01-05T00:00:00.000Z..2026-01-06T00:00:00.000Z',
  )
  expect(importFeedId({ ...request, toTime: now }, 'BTCUSDT')).not.toBe(feedId)
  expect(importFeedId(request, 'ETHUSDT')).not.toBe(feedId)
  expect(importFeedId({ ...request, file: 'x.gz' }, 'BTCUSDT')).not.toBe(feedId)
})
