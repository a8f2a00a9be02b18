/**
 * Bundles one app into one file, dist/main.js, with its source map. What cannot be bundled (native
 * modules) stays outside and is listed in dist/package.json.
 *
 * Run: node tools/workspace/build.ts apps/<app>
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { build } from 'esbuild'

/** Loads a binary of its own at run time. */
const native = ['@confluentinc/kafka-javascript']

const [projectRoot] = process.argv.slice(2)
if (projectRoot === undefined) {
  process.stderr.write(
    'build: name the app, for example: node tools/workspace/build.ts apps/ingest\n',
  )
  process.exitCode = 1
} else {
  await bundle(projectRoot)
}

async function bundle(root: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'src/main.ts')],
    outfile: join(root, 'dist/main.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: true,
    external: native,
    logLevel: 'warning',
    // Bundled CommonJS packages call require, which an ES module does not have.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  })
  // Both files are ours and of this shape.
  const lib = JSON.parse(readFileSync('libs/kafka-avro/package.json', 'utf8')) as {
    dependencies: Record<string, string>
  }
  const app = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  const dependencies = Object.fromEntries(native.map((name) => [name, lib.dependencies[name]]))
  const manifest = { name: app.name, version: app.version, type: 'module', dependencies }
  writeFileSync(join(root, 'dist/package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
