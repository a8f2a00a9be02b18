import { readOptions, usage } from './config.ts'
import { defaultFolder } from './services.ts'
import { start } from './start.ts'

const stopping = new AbortController()
process.on('SIGINT', () => stopping.abort())
process.on('SIGTERM', () => stopping.abort())

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') print(usage)
  else await start(options, { folder: defaultFolder, ports: 'default' }, stopping.signal, print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
