import fc from 'fast-check'
import { expect, it } from 'vitest'

import { matchesPattern } from './name-pattern.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '.', '+') })

it('a pattern fits what its parts are found in, one behind the other, from end to end', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '.', '+', '*'), maxLength: 8 })
  fc.assert(
    fc.property(text, pattern, (name, asked) => {
      const parts = asked.split('*').map((part) => part.replaceAll(/[.+]/g, String.raw`\$&`))
      const reference = new RegExp(`^${parts.join('.*')}$`, 's')
      expect(matchesPattern(name, asked)).toBe(reference.test(name))
    }),
  )
})

it('many stars are no work without end', () => {
  expect(matchesPattern('a'.repeat(200), `${'*a'.repeat(99)}*b`)).toBe(false)
})
