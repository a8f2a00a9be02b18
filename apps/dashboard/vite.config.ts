import { fileURLToPath } from 'node:url'

import { defineConfig } from 'vite'

/**
 * Everything is a file of its own and nothing is inlined: the page runs under a policy that allows its own
 * origin alone. Addresses are relative, so that it can be served under any path.
 */
// oxlint-disable-next-line import/no-default-export -- Vite reads it.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: true,
    chunkSizeWarningLimit: 1_000,
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: { '/v1': { target: 'http://127.0.0.1:8080', ws: true } },
  },
})
