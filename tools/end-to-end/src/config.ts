import { parseArgs } from 'node:util'

export interface TestRunOptions {
  /** The long fault runs with their full counts, besides everything else. */
  readonly long: boolean
  /** The git ref from which changes are counted, where only projects that they touch are tested. */
  readonly affectedSince: string | undefined
}

const usage = 'npm test takes --long, and --affected [--base <git ref>]'

/** @throws Error for arguments that mean nothing. */
export function readOptions(args: readonly string[]): TestRunOptions {
  const { long, affected, base } = parse(args)
  if (base !== undefined && !affected) {
    throw new Error(`--base says from where changes count, which --affected asks for: ${usage}`)
  }
  return { long, affectedSince: affected ? (base ?? 'main') : undefined }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        long: { type: 'boolean', default: false },
        affected: { type: 'boolean', default: false },
        base: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}. ${usage}`, {
      cause: error,
    })
  }
}

/** Environment of the test processes. */
export function testEnvironment(additions: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', ...additions }
}
