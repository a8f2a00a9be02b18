import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksumsOf, parseChecksums, renderChecksums, requireChecksums } from './checksums.ts'

const one = 'a'.repeat(64)
const two = 'b'.repeat(64)

describe('a list of checksums', () => {
  test('is read as sha256sum writes it, comments aside', () => {
    const text = `# a comment\n\n${one}  kafka/a.jar\n${two}  registry/b c.tar.gz\n`
    expect([...parseChecksums(text)]).toEqual([
      ['kafka/a.jar', one],
      ['registry/b c.tar.gz', two],
    ])
  })

  test.each(['not a line', `${one} one-space.jar`, `${one.slice(1)}  short.jar`, `${one}  `])(
    'names the line that it can not read: %j',
    (line) => {
      expect(() => parseChecksums(`# comment\n${line}\n`)).toThrow(/^Line 2 of the checksums/)
    },
  )

  test('is read back as it was written', () => {
    const path = fc.stringMatching(/^[a-z][a-z0-9./-]{0,20}$/)
    const digest = fc.stringMatching(/^[0-9a-f]{64}$/)
    fc.assert(
      fc.property(fc.dictionary(path, digest), (entries) => {
        const checksums = new Map(Object.entries(entries))
        expect(parseChecksums(renderChecksums(checksums))).toEqual(checksums)
      }),
    )
  })
})

test('the checksum of a file in a subfolder is its SHA-256', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tickertape-checksums-'))
  try {
    mkdirSync(join(folder, 'kafka'))
    writeFileSync(join(folder, 'kafka', 'empty.jar'), '')
    expect([...(await checksumsOf(folder))]).toEqual([
      ['kafka/empty.jar', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('a download', () => {
  const expected = new Map([['kafka/a.jar', one]])

  test('passes with exactly the expected files and bytes', () => {
    expect(() => requireChecksums(expected, new Map(expected))).not.toThrow()
  })

  test.each([
    ['lacks a file', new Map(), /lacks kafka\/a\.jar/],
    [
      'has a changed file',
      new Map([['kafka/a.jar', two]]),
      /a\.jar has SHA-256 b{64}, where a{64}/,
    ],
    [
      'has a file too many',
      new Map([...expected, ['kafka/extra.jar', two]]),
      /holds kafka\/extra\.jar, unexpected/,
    ],
  ])('that %s is refused', (_, actual, message) => {
    expect(() => requireChecksums(expected, actual)).toThrow(
      expect.objectContaining({ code: 'checksum', message: expect.stringMatching(message) }),
    )
  })
})
