/** What we need of a report in vitest's JSON format (that of Jest). */
export interface TestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly numFailedTestSuites: number
  readonly success: boolean
}

export interface TestSummary {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Adds reports up. A suite that failed outside of its tests (it could not be loaded, a hook threw) has no
 * failed test of its own and counts as one.
 */
export function summarize(reports: readonly TestReport[]): TestSummary {
  return reports.reduce<TestSummary>(
    (sum, report) => ({
      passed: sum.passed + report.numPassedTests,
      failed: sum.failed + Math.max(report.numFailedTests, report.success ? 0 : 1),
      skipped: sum.skipped + report.numPendingTests + report.numTodoTests,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  )
}

export function formatSummary({ passed, failed, skipped }: TestSummary): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
