import { waitUntil } from '@tickertape/testing'
import { readSettings } from '@tickertape/service-runtime'
import { expect, it } from 'vitest'

import { localVenue } from './testing/local-venue.ts'
import { venueNames, venues } from './venue-registry.ts'
import { readVenueSettings, venueSettings } from './venue-settings.ts'

const values = readSettings(venueSettings, 'INGEST_', {})

it.each(venueNames)('%s is told that an instrument is no longer read', async (name) => {
  const frames: string[] = []
  const local = await localVenue({ onFrame: (text) => frames.push(text) })
  const venue = venues[name](readVenueSettings(values, ''))
  using connection = await venue.connect(local.options)
  connection.unsubscribe?.(['BTC-1', 'ETH-1'])
  const told = await waitUntil('the request', () =>
    frames.find((frame) => /unsubscribe/i.test(frame)),
  )
  expect(told.toUpperCase()).toMatch(/BTC-1.*ETH-1/)
})
