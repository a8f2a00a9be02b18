import { runCommandLine } from './command-line.ts'

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort())

process.exitCode = await runCommandLine(process.argv.slice(2), {
  print: (line) => console.log(line),
  printProblem: (line) => console.error(line),
  signal: stopping.signal,
})
