import { expect, it } from 'vitest'

import { InstrumentDelivery } from './instrument-delivery.ts'
import { beginNewListing } from './new-listing.ts'
import { RestError } from './rest-client.ts'
import { RecordingLog } from './testing/recording-log.ts'
import { ScriptedHistory } from './testing/scripted-history.ts'

const { signal } = new AbortController()

function given() {
  const names = { feedId: 'f', replicaId: 'a', instrument: 'X', instrumentId: 'sample:X' }
  return new InstrumentDelivery({ ...names, log: new RecordingLog().log, cursor: undefined })
}

it.each([
  [5_000, 'at the first trade'],
  [50_000, 'unknown'],
])('a listing whose last trade is its %i-th begins %s', async (last, beginning) => {
  const delivery = given()
  await beginNewListing(delivery, new ScriptedHistory({ last }), signal)
  expect(delivery.beginning).toBe(beginning)
})

it('a history that does not answer leaves the beginning to be found later', async () => {
  const delivery = given()
  const history = new ScriptedHistory({ last: 5 })
  history.newest = async () => {
    throw new RestError('unavailable', 'scripted')
  }
  await beginNewListing(delivery, history, signal)
  expect(delivery.beginning).toBe('unknown')
})
