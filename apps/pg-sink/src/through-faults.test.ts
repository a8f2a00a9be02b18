import { describe, expect, it, vi } from 'vitest'

import { KafkaAvroError } from '@tickertape/kafka-avro'

import { PgSinkError } from './errors.ts'
import { throughFaults } from './through-faults.ts'

function sqlError(code: string): Error {
  return Object.assign(new Error(`state ${code}`), { code })
}

function setup(maxRetries = Infinity) {
  const events = { available: vi.fn(), overtaken: vi.fn(), refused: vi.fn(), unavailable: vi.fn() }
  const signal = new AbortController().signal
  const through = throughFaults({ firstMs: 1, maxMs: 2, signal, maxRetries }, events)
  return { events, through }
}

/** Fails with each of the errors in turn, and then succeeds. */
function failing(...errors: readonly Error[]) {
  const left = [...errors]
  return vi.fn(async () => {
    const error = left.shift()
    if (error !== undefined) throw error
    return 'done'
  })
}

describe('a fault of the database', () => {
  it('that passes by itself is waited for, whatever the limit', async () => {
    const { events, through } = setup(0)
    // A restart, a full disk, a deadlock, a connection that is refused.
    const action = failing(...['57P01', '53100', '40P01', 'ECONNREFUSED'].map(sqlError))
    expect(await through('database', action)).toBe('done')
    expect(events.unavailable).toHaveBeenCalledTimes(4)
    expect(events.refused).not.toHaveBeenCalled()
    expect(events.available).toHaveBeenCalledOnce()
  })

  it('that somebody has to mend is tried again, as often as is allowed', async () => {
    const { events, through } = setup(2)
    const missing = () => sqlError('42P01')
    expect(await through('database', failing(missing(), missing()))).toBe('done')
    expect(events.refused).toHaveBeenCalledTimes(2)
    const action = failing(missing(), sqlError('53100'), sqlError('42501'), missing())
    await expect(through('database', action)).rejects.toMatchObject({
      code: 'write_refused',
      message: expect.stringContaining('PG_SINK_MAX_RETRIES'),
    })
    expect(action).toHaveBeenCalledTimes(4)
  })

  it.each(['22P02', '23514', '23505', '54000', 'P0001'])(
    'of a row (%s) is not tried again as it is',
    async (code) => {
      const { through } = setup()
      const action = failing(Object.assign(sqlError(code), { constraint: 'some' }))
      await expect(through('database', action)).rejects.toMatchObject({ code })
      expect(action).toHaveBeenCalledOnce()
    },
  )

  it('is none if it is an error of ours', async () => {
    const { through } = setup()
    const action = failing(new TypeError('a defect'))
    await expect(through('database', action)).rejects.toThrow('a defect')
    expect(action).toHaveBeenCalledOnce()
  })
})

describe('a fault of Kafka', () => {
  it('is waited for if the broker may come back, and told otherwise', async () => {
    const { through } = setup(0)
    const gone = new KafkaAvroError('reading_failed', 'gone')
    expect(await through('kafka', failing(gone, gone))).toBe('done')
    const lost = new KafkaAvroError('offset_out_of_range', 'lost')
    await expect(through('kafka', failing(lost))).rejects.toBe(lost)
  })

  it('is none where another instance has taken over: a new session joins the group', async () => {
    const { events, through } = setup(0)
    const stale = new PgSinkError('stale_owner', 'another has taken over')
    await expect(through('database', failing(stale))).rejects.toBe(stale)
    expect(await through('kafka', failing(stale))).toBe('done')
    expect(events.overtaken).toHaveBeenCalledOnce()
    const moved = new PgSinkError('offsets_changed', 'somebody has changed them')
    await expect(through('kafka', failing(moved))).rejects.toBe(moved)
  })
})
