/** `npm start` on free ports, in the folder that is its argument. */
import { start } from '../src/start.ts'

const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort())

const [folder = ''] = process.argv.slice(2)
await start(
  { venue: undefined, instruments: undefined },
  { folder, ports: 'free' },
  stopping.signal,
  (line) => process.stdout.write(`${line}\n`),
)
