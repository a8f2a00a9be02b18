import { expect, it } from 'vitest'

import { parseRedriveArguments } from './redrive-arguments.ts'

it('takes a reason, and whether to count only', () => {
  expect(parseRedriveArguments(['--reason', 'malformed'])).toEqual({
    reason: 'malformed',
    dryRun: false,
  })
  expect(parseRedriveArguments(['--dry-run', '--reason=future']).dryRun).toBe(true)
})

it.each([
  [[], /--reason is missing\. Usage: npm run redrive/],
  [['--reason', 'unlucky'], /There is no reason "unlucky"\. The reasons are malformed, /],
  [['--raeson', 'late'], /raeson.*Usage: npm run redrive/s],
  [['--reason', 'late'], /cannot be put back: its window is forgotten.*npm run rebuild/],
  [['--reason', 'conflict'], /cannot be put back: the first record of an identity stands/],
] as const)('%s is explained', (args, message) => {
  expect(() => parseRedriveArguments(args)).toThrow(message)
})
