import { expect, test } from 'vitest'
import { runCommandLine } from './command-line.ts'

test.each([[[]], [['sideways']], [['up', 'now']]])(
  'without a command that exists the commands are listed: %j',
  async (args) => {
    const problems: string[] = []
    const code = await runCommandLine(args, {
      print: () => undefined,
      printProblem: (line) => problems.push(line),
      signal: new AbortController().signal,
    })
    expect(code).toBe(2)
    expect(problems.join('\n')).toMatch(/up .*\n.*down .*\n.*status .*\n.*reset /)
  },
)
