/** Writes docker/grafana and docker/prometheus anew. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { generatedFiles, generatedFolders } from './generated-files.ts'

const docker = fileURLToPath(new URL('../../../docker/', import.meta.url))

for (const folder of generatedFolders)
  rmSync(join(docker, folder), { recursive: true, force: true })
for (const [path, text] of generatedFiles()) {
  const file = join(docker, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  console.log(`docker/${path}`)
}
