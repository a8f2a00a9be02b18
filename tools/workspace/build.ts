/**
 * Bundles one app into one file, dist/main.js, with its source map. What cannot be bundled (native
 * modules) stays outside and is listed in dist/package.json. Files that an app serves are copied beside it.
 *
 * Run: node tools/workspace/build.ts apps/<app>
 */
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { build } from 'esbuild'

/** Loads a binary of its own at run time. */
const native = ['@confluentinc/kafka-javascript']

/** Of the Kafka client; it reads a file beside itself, which is beside the bundle then. */
const wasmPackage = 'node_modules/@platformatic/wasm-utils/'

/** By app, what it serves: files of a folder, and the name of the folder that they get beside the bundle. */
const served: Readonly<
  Record<string, readonly { readonly from: string; readonly to: string; readonly only?: RegExp }[]>
> = {
  gateway: [
    {
      from: 'node_modules/swagger-ui-dist',
      to: 'swagger-ui',
      only: /(swagger-ui\.css|swagger-ui-bundle\.js|favicon-32x32\.png|LICENSE|NOTICE)$/,
    },
    { from: 'apps/dashboard/dist', to: 'dashboard' },
  ],
}

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
  const { metafile } = await build({
    metafile: true,
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
  if (Object.keys(metafile.inputs).some((input) => input.startsWith(wasmPackage))) {
    copyFileSync(join(wasmPackage, 'dist/native.wasm'), join(root, 'dist/native.wasm'))
  }
  for (const { from, to, only } of served[basename(root)] ?? []) {
    copyServed(from, join(root, 'dist', to), only)
  }
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

function copyServed(from: string, to: string, only: RegExp | undefined): void {
  if (!existsSync(from)) {
    throw new Error(`${from} is not there: build what this app serves first, as nx does`)
  }
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, {
    recursive: true,
    filter: (path) => only === undefined || path === from || only.test(path),
  })
}
