import { expect, it } from 'vitest'

import { redrivenFrom, redrivenHeader } from './redriven-header.ts'

it('a redriven record names its reject, whatever the topic is called', () => {
  const position = { topic: 'blue[1].rejected', partition: 2, offset: 17 }
  const header = redrivenHeader(position)
  expect(redrivenFrom([{ traceparent: 'x' }, header])).toEqual(position)
  // The reader gives values as bytes.
  const [[name, value] = []] = Object.entries(header)
  expect(redrivenFrom([{ [name ?? '']: Buffer.from(String(value)) }])).toEqual(position)
})

it('other records name none', () => {
  expect(redrivenFrom(undefined)).toBeUndefined()
  expect(redrivenFrom([{ 'tickertape.redriven-from': 'somewhere' }])).toBeUndefined()
})
