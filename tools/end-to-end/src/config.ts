export interface TestRunOptions {
  /** The long fault runs with their full counts, besides everything else. */
  readonly long: boolean
}

/** @throws Error for arguments that mean nothing. */
export function readOptions(args: readonly string[]): TestRunOptions {
  const unknown = args.filter((arg) => arg !== '--long')
  if (unknown.length > 0)
    throw new Error(`npm test knows no ${unknown.join(' ')}; it takes --long only`)
  return { long: args.includes('--long') }
}

/** Environment of the test processes. */
export function testEnvironment(additions: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', ...additions }
}
