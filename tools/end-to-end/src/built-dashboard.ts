import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'vite'

const project = fileURLToPath(new URL('../../../apps/dashboard/', import.meta.url))

/** The dashboard as its sources are now, built for a gateway to serve; its folder is deleted when disposed. */
export class BuiltDashboard implements AsyncDisposable {
  /** For GATEWAY_DASHBOARD_FOLDER. */
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<BuiltDashboard> {
    const folder = await mkdtemp(join(tmpdir(), 'dashboard-'))
    await build({
      configFile: join(project, 'vite.config.ts'),
      build: { outDir: folder },
      logLevel: 'error',
    })
    return new BuiltDashboard(folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}
