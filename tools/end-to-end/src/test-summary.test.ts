import { describe, expect, it } from 'vitest'

import { formatSummary, summarize } from './test-summary.ts'

const report = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 0,
  numFailedTestSuites: 0,
  success: true,
}

describe('test summary', () => {
  it('adds reports up', () => {
    const failed = { ...report, numPassedTests: 1, numFailedTests: 2, success: false }
    expect(formatSummary(summarize([report, failed]))).toBe('4 passed, 2 failed, 2 skipped')
  })

  it('counts a suite that could not be loaded as one failure', () => {
    expect(summarize([{ ...report, numFailedTestSuites: 1, success: false }]).failed).toBe(1)
  })
})
