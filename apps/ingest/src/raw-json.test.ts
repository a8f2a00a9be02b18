import { describe, expect, it } from 'vitest'

import { elementText, exactInteger, parseExact, wideNumberIn } from './raw-json.ts'

const wide = wideNumberIn(['price', 'id'])

describe('exact numbers', () => {
  it('gives numbers that a double holds as numbers', () => {
    expect(parseExact('{"price":92294.5,"id":7}', wide)).toEqual({ price: 92294.5, id: 7 })
  })

  it.each([
    ['more digits than a double keeps', '0.12345678901234567'],
    ['an id beyond 2^53', '9007199254740993'],
    ['a subnormal', '1.5e-320'],
    ['a negative one', '-12345678901234.567'],
  ])('gives %s as its source text', (_what, source) => {
    expect(parseExact(`{"price": ${source}}`, wide)).toEqual({ price: source })
  })

  it('does not care for fields that nobody reads', () => {
    expect(parseExact('{"price":1.5,"other":214121762240081920}', wide)).toMatchObject({
      price: 1.5,
    })
  })

  it('takes only whole numbers that are exact', () => {
    expect(exactInteger(12)).toBe(12)
    expect(exactInteger('12')).toBe(12)
    expect(exactInteger(1.5)).toBeUndefined()
    expect(exactInteger('12.0')).toBeUndefined()
    expect(exactInteger('9007199254740993')).toBeUndefined()
    expect(exactInteger(2 ** 53)).toBeUndefined()
    expect(exactInteger(null)).toBeUndefined()
  })
})

describe('the text of an element', () => {
  const text = '{"x":[9],"data":[ {"a":"]},{\\"","b":[1,2]} ,{"a":1.0e3}, 5]}'

  it('is what stands there, byte for byte', () => {
    expect(elementText(text, 'data', 0)).toBe('{"a":"]},{\\"","b":[1,2]}')
    expect(elementText(text, 'data', 1)).toBe('{"a":1.0e3}')
    expect(elementText(text, 'data', 2)).toBe('5')
  })

  it('is found in a document that is an array', () => {
    expect(elementText(' [{"id":1},{"id":2}]', null, 1)).toBe('{"id":2}')
  })

  it('is undefined where there is none', () => {
    expect(elementText(text, 'data', 3)).toBeUndefined()
    expect(elementText(text, 'rows', 0)).toBeUndefined()
    expect(elementText('{"data":[]}', 'data', 0)).toBeUndefined()
  })
})
