import { expect, it } from 'vitest'

import { alertExpressions, panelExpressions, recordedExpressions, seriesIn } from '../src/index.ts'
import { mayBeMissing } from './missing-series.ts'

const series = [...panelExpressions(), ...recordedExpressions(), ...alertExpressions()].flatMap(
  seriesIn,
)

it.each(mayBeMissing)('%s, which may be missing (%s), is asked for', (beginning) => {
  expect(series.some((name) => name.startsWith(beginning))).toBe(true)
})
