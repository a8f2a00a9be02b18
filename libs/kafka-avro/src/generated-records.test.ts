import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { generate } from '../generate-records.ts'

it.each([...generate()])('%s is what the Avro schemas say', (path, text) => {
  // If this fails: node libs/kafka-avro/generate-records.ts
  expect(readFileSync(path, 'utf8')).toBe(text)
})
