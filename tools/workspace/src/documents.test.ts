import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import { brokenLinks, documents, missingTests } from './documents.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'documents-'))

afterAll(() => rmSync(folder, { recursive: true }))

describe.each(documents(root))('%s', (document) => {
  it('has no link that leads nowhere', () => {
    expect(brokenLinks(root, document)).toEqual([])
  })

  it('names no test that does not exist', () => {
    expect(missingTests(root, document)).toEqual([])
  })
})

describe('a document', () => {
  it('is told its broken links and missing tests, and nothing that is right', () => {
    const text = [
      '# One heading: `code`',
      '[right](#one-heading-code) [wrong](#another) [file](other.md) [web](https://example.org)',
      '`[code](nowhere.md)` and no-such.test.ts',
    ]
    writeFileSync(join(folder, 'some.md'), text.join('\n'))
    expect(brokenLinks(folder, 'some.md')).toEqual(['#another', 'other.md'])
    expect(missingTests(folder, 'some.md')).toEqual(['no-such.test.ts'])
  })
})
