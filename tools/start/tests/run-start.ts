/** `npm start` on free ports, in the folder that is its first argument, with what the others name. */
import { readOptionalParts } from '@tickertape/stack'

import { start } from '../src/start.ts'

const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort())

const [folder = '', ...optional] = process.argv.slice(2)
await start(
  { venue: undefined, instruments: undefined, with: readOptionalParts(optional) },
  { folder, ports: 'free' },
  stopping.signal,
  (line) => process.stdout.write(`${line}\n`),
)
