import { describe, expect, it } from 'vitest'

import { readOptions } from './config.ts'

describe('npm test', () => {
  it('tests everything unless it is told otherwise', () => {
    expect(readOptions([])).toEqual({ long: false, affectedSince: undefined })
  })

  it('counts changes from main unless another base is named', () => {
    expect(readOptions(['--affected']).affectedSince).toBe('main')
    expect(readOptions(['--affected', '--base', 'origin/main'])).toEqual({
      long: false,
      affectedSince: 'origin/main',
    })
  })

  it('refuses what means nothing, and says what it takes', () => {
    expect(() => readOptions(['--lng'])).toThrow(/--lng.*npm test takes --long/)
    expect(() => readOptions(['--base', 'main'])).toThrow(/--affected asks for/)
    expect(() => readOptions(['some'])).toThrow(/npm test takes --long/)
  })
})
