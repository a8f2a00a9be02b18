import { expect, test } from 'vitest'
import { runCommandLine } from './command-line.ts'

async function problemsOf(args: readonly string[]): Promise<{ code: number; told: string }> {
  const problems: string[] = []
  const code = await runCommandLine(args, {
    print: () => undefined,
    printProblem: (line) => problems.push(line),
    signal: new AbortController().signal,
  })
  return { code, told: problems.join('\n') }
}

test.each([[[]], [['sideways']], [['up', 'now']]])(
  'without a command that exists the commands are listed: %j',
  async (args) => {
    const { code, told } = await problemsOf(args)
    expect(code).toBe(2)
    expect(told).toMatch(/up .*\n.*--with .*\n.*down .*\n.*status .*\n.*reset /)
  },
)

test.each([
  [['up', '--with', 'jaeger'], /^--with must be zipkin, got "jaeger"\n/],
  [['up', '--with'], /^Option '--with <value>' argument missing\n/],
  [['down', '--with', 'zipkin'], /^--with belongs to "up"\n/],
])('a part that there is not, or not there, is told: %j', async (args, message) => {
  const { code, told } = await problemsOf(args)
  expect(code).toBe(2)
  expect(told).toMatch(message)
})
