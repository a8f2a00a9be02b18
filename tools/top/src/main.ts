import { readOptions, usage, wantsColours } from './config.ts'
import type { TopOptions } from './config.ts'
import { ansi, plain } from './paint.ts'
import { Terminal } from './terminal.ts'
import { top } from './top.ts'

const stopping = new AbortController()
const leave = (): void => stopping.abort()
process.on('SIGINT', leave)
process.on('SIGTERM', leave)

/** Lines of a terminal that is none, or not wide enough for what is shown. */
const leastColumns = 80

async function run(options: TopOptions): Promise<void> {
  const { stdin, stdout } = process
  const paint = wantsColours(stdout.isTTY) ? ansi : plain
  const columns = (): number => Math.max(leastColumns, stdout.columns ?? leastColumns)
  if (options.once || !stdout.isTTY) {
    const show = (lines: readonly string[]): void => void stdout.write(`${lines.join('\n')}\n\n`)
    const isReady = await top(options, { paint, columns, hint: '', show }, stopping.signal)
    if (options.once && !isReady) process.exitCode = 1
    return
  }
  using terminal = new Terminal(stdin, stdout, leave)
  const show = (lines: readonly string[]): void => terminal.show(lines)
  const exact = (): number => stdout.columns
  await top(options, { paint, columns: exact, hint: 'q leaves', show }, stopping.signal)
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(`${usage}\n`)
  else await run(options)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
