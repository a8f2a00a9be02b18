import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

import { trades } from '../../../pg-sink/tests/sink-log.ts'
import { createRestMarket, lastMinutes } from './rest-market.ts'
import { provideSchemathesis } from './schemathesis.ts'

const run = promisify(execFile)

/** The cache may have to be filled first. */
const timeout = 900_000

/** The same requests in each run, unless another seed is given. */
const seed = process.env['TICKERTAPE_TEST_SEED'] ?? '1'

/** A run that hangs is ended, in ms. */
const longestRunMs = 300_000

/** For what the description cannot know: names that this market has. */
const configuration = `
[parameters]
instrument = "deribit:BTC-PERPETUAL"
instrumentId = "deribit:BTC-PERPETUAL"
base = "BTC"
quote = "USD"
token = "BTC"
`

it(
  'a running gateway answers as its description says, whatever it is asked',
  { timeout },
  async (context) => {
    const provided = await provideSchemathesis()
    if (provided.program === undefined) {
      context.skip(provided.reason)
      return
    }
    await using market = await createRestMarket(trades(0, 300), lastMinutes(90))
    await market.written()
    const gateway = await market.startGateway({ GATEWAY_HELD_CANDLES: '20' })
    const folder = mkdtempSync(join(tmpdir(), 'tickertape-schemathesis-'))
    try {
      const configurationFile = join(folder, 'schemathesis.toml')
      writeFileSync(configurationFile, configuration)
      const { stdout } = await run(
        provided.program,
        [
          '--config-file',
          configurationFile,
          'run',
          `${gateway.origin}/v1/openapi.json`,
          '--max-examples=10',
          '--max-time=60',
          `--seed=${seed}`,
          '--no-color',
          '--generation-database=:memory:',
          // A cursor is opaque, and not every text of the shape of a time is on a calendar: such requests are refused.
          '--exclude-checks=positive_data_acceptance',
        ],
        { cwd: folder, maxBuffer: 50_000_000, timeout: longestRunMs },
      ).catch((error: Error & { readonly stdout?: string }) => {
        throw new Error(`schemathesis found:\n${error.stdout ?? error.message}`)
      })
      expect(stdout).toMatch(/Tested: \d+/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
