import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { javaMajorVersion, requireDisk, requireJava } from './requirements.ts'

describe('the major version of Java', () => {
  test.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build …)', 17],
    ['openjdk version "21" 2023-09-19', 21],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "26-ea" 2026-03-17', 26],
    ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "17.0.1"', 17],
    ['something else', undefined],
  ])('in %j is %j', (output, major) => {
    expect(javaMajorVersion(output)).toBe(major)
  })
})

test('a missing Java is one line that says what to install', async () => {
  await expect(requireJava('/no/such/java')).rejects.toMatchObject({
    code: 'java',
    message: expect.stringMatching(/^[^\n]*\/no\/such\/java can't be run\. Install Java 17[^\n]*$/),
  })
})

describe('free disk', () => {
  test('is measured where the folder will be, which need not exist', async () => {
    await expect(requireDisk(join(tmpdir(), 'not', 'there', 'yet'), 0)).resolves.toBeUndefined()
  })

  test('that is too little is one line that names the folder', async () => {
    await expect(requireDisk(tmpdir(), 1e15)).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringMatching(/ needs 1000000000000000 MB, and its disk has \d+ MB left/),
    })
  })
})
