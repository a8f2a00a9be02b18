import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { generatedFiles, generatedFolders } from './generated-files.ts'

const docker = fileURLToPath(new URL('../../../docker/', import.meta.url))

describe('what docker/ holds', () => {
  it.each([...generatedFiles()])('%s is what this project makes', (path, text) => {
    expect(readFileSync(join(docker, path), 'utf8')).toBe(text)
  })

  it('has no file that nobody makes', () => {
    const found = generatedFolders.flatMap((folder) =>
      readdirSync(join(docker, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(docker.length)),
    )
    expect(found.sort()).toEqual([...generatedFiles().keys()].sort())
  })
})
