import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { getJson, VenueClient } from './venue-client.ts'

const recordings = path.resolve(import.meta.dirname, '../../../../shared/recordings')
const manifest = path.join(recordings, 'manifest.json')

interface Manifest {
  readonly recordings: readonly {
    readonly file: string
    readonly trades: number
    readonly per_symbol: Readonly<Record<string, { first_seq: number; last_seq: number }>>
  }[]
}

test('all trades of the recorded Binance messages arrive exactly once and in order', async ({
  skip,
}) => {
  if (!existsSync(manifest)) skip(`The recordings are not at hand: there is no ${manifest}`)
  // Its shape is fixed by the recordings' own description.
  const { recordings: listed } = JSON.parse(await readFile(manifest, 'utf8')) as Manifest
  const recording = listed.find(({ file }) => file.startsWith('binance/spot-btcusdt-'))
  const symbol = recording?.per_symbol['BTCUSDT']
  if (recording === undefined || symbol === undefined) {
    throw new Error(`${manifest} lists no recording of Binance spot's BTCUSDT`)
  }
  const replay = path.join(recordings, recording.file)
  await using simulator = await startSimulator({ replay, speed: 'max', hold: true })
  await using client = await VenueClient.connect(
    `${simulator.binanceWsUrl}/stream?streams=btcusdt@trade`,
  )
  simulator.release()
  await client.until(() => client.trades.at(-1)?.sequence === symbol.last_seq)
  const { first_seq: first } = symbol
  expect(client.trades.map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: recording.trades }, (_, index) => first + index),
  )
  const url = `${simulator.controlUrl}/truth?instrument=BTCUSDT`
  const truth = await getJson<{ trades: readonly unknown[] }>(url)
  expect(truth.body.trades).toHaveLength(recording.trades)
})
