import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { expect, it } from 'vitest'

import { LocalGateway } from './local-gateway.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const rootReadme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const example = /<!-- example:.*?```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''

it("README's five lines run as they are written", async () => {
  await using gateway = await LocalGateway.open()
  expect(example.trim().split('\n')).toHaveLength(5)
  expect(rootReadme).toContain(example)
  expect(example).toContain('http://127.0.0.1:8080')
  const program = spawn(
    process.execPath,
    ['--input-type=module', '-e', example.replace('http://127.0.0.1:8080', gateway.url)],
    {
      cwd: fileURLToPath(new URL('../../../', import.meta.url)),
      // Nx asks for colours of whatever it runs.
      env: { NO_COLOR: '1' },
    },
  )
  let output = ''
  const printed = new Promise<void>((resolve, reject) => {
    program.stdout.on('data', (text) => {
      output += String(text)
      if (output.includes('snapshot')) resolve()
    })
    program.stderr.on('data', (text) => {
      output += String(text)
    })
    program.on('exit', (code) => reject(new Error(`It ended with code ${code}: ${output}`)))
  })
  try {
    await printed
    expect(output).toMatch(/^0 \{ type: 'snapshot', candles: \[\] \}/)
  } finally {
    program.kill('SIGKILL')
  }
})
