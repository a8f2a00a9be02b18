import { expect, test } from 'vitest'
import { parseIndicator } from './indicator.ts'

test.each([
  ['close:span=12', 'close', { span: 12 }, true, 0],
  ['close:alpha=0.5,adjust=false,min=3', 'close', { alpha: 0.5 }, false, 3],
  ['close:min=3,com=9.5', 'close', { com: 9.5 }, true, 3],
  ['close:halflife=20', 'close', { halflife: 20 }, true, 0],
  ['price:halflife=30s', 'price', { halflifeMs: 30_000 }, true, 0],
  ['price:halflife=250ms', 'price', { halflifeMs: 250 }, true, 0],
  ['close:halflife=1.5m', 'close', { halflifeMs: 90_000 }, true, 0],
  ['close:halflife=2h,adjust=true', 'close', { halflifeMs: 7_200_000 }, true, 0],
  ['close:halflife=1d', 'close', { halflifeMs: 86_400_000 }, true, 0],
])('%s is read', (text, source, decay, adjust, minPeriods) => {
  expect(parseIndicator(text)).toStrictEqual({
    text,
    source,
    settings: { decay, adjust, minPeriods },
  })
})

test.each([
  ['', 'the source must be one of close, price'],
  ['open:span=12', 'the source must be one of close, price'],
  ['close', 'write source:decay=value'],
  ['close:span=12:min=3', 'write source:decay=value'],
  ['close:', '"" is not name=value'],
  ['close:span', '"span" is not name=value'],
  ['close:span=12=13', '"span=12=13" is not name=value'],
  ['close:min=3', 'give exactly one of alpha, span, com, halflife'],
  ['close:span=12,com=3', 'give exactly one of alpha, span, com, halflife'],
  ['close:window=12', '"window" is not known; use alpha, span, com, halflife, adjust, min'],
  ['close:span=12,adjust=yes', 'adjust must be true or false'],
  ['close:span=12,adjust=true,adjust=false', 'adjust is given twice'],
  ['close:span=12,min=-1', 'min must be a non-negative integer'],
  ['close:span=12,min=1,min=1', 'min is given twice'],
  ['close:alpha=0', 'it must be that 0 < alpha <= 1'],
  ['close:alpha=1.5', 'it must be that 0 < alpha <= 1'],
  ['close:span=0.5', 'it must be that span >= 1'],
  ['close:halflife=0s', 'it must be that halflife > 0'],
  ['close:span=12s', 'span must be a plain positive number, got "12s"'],
  ['close:span=-12', 'span must be a plain positive number, got "-12"'],
  ['close:span= 12', 'span must be a plain positive number, got " 12"'],
  [
    'close:halflife=1w',
    'halflife must be a plain positive number, or one with ms, s, m, h or d, got "1w"',
  ],
])('%j is refused: %s', (text, why) => {
  expect(parseIndicator(text)).toStrictEqual({ error: `Indicator "${text}": ${why}` })
})
