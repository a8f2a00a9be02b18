import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { alertGroups } from '../src/index.ts'
import { missingPrometheus, promtool } from './prometheus.ts'

const folder = fileURLToPath(new URL('../../../docker/prometheus/', import.meta.url))
const missing = await missingPrometheus()

describe.skipIf(missing !== undefined)(
  `promtool${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    it.each(['prometheus.yml', 'prometheus.compose.yml'])(
      'finds no fault with %s',
      async (file) => {
        expect(await promtool(folder, 'check', 'config', file)).toContain('SUCCESS')
      },
    )

    it.each(['recording', 'alerts'])('finds no fault with the rules in %s.yml', async (file) => {
      const said = await promtool(folder, 'check', 'rules', `rules/${file}.yml`)
      expect(said).toMatch(/SUCCESS: \d+ rules found/)
    })

    it.each(alertGroups().map(({ name }) => name))(
      'sees each alert of the group %s keep quiet, fire and clear',
      async (name) => {
        expect(await promtool(folder, 'test', 'rules', `tests/${name}.yml`)).toContain('SUCCESS')
      },
    )

    it('is given an example of every alert', () => {
      const examples = globSync(`${folder}tests/*.yml`).map((file) => readFileSync(file, 'utf8'))
      for (const { alerts } of alertGroups()) {
        for (const { name } of alerts) expect(examples.join('\n')).toContain(`- name: ${name}\n`)
      }
    })
  },
)
