import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'

export interface SupervisedProcessOptions {
  readonly name: string
  readonly main: string
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
  /** Told of every end that nobody asked for. */
  readonly onExit: (description: string, restartInMs: number) => void
}

const endWithParent = new URL('./end-with-parent.ts', import.meta.url).href

const firstRestartMs = 500
const lastRestartMs = 10_000
const stopWithinMs = 25_000

/** Keeps a program running: when it ends by itself or is killed, it starts again after a pause. */
export class SupervisedProcess implements AsyncDisposable {
  readonly #options: SupervisedProcessOptions
  #child: ChildProcess
  #exited: Promise<unknown>
  #stopping = false
  #restartInMs = firstRestartMs
  #restart: NodeJS.Timeout | undefined

  constructor(options: SupervisedProcessOptions) {
    this.#options = options
    ;({ child: this.#child, exited: this.#exited } = this.#spawn())
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** SIGTERM, then SIGKILL for one that does not drain. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGTERM')
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), stopWithinMs)
    await this.#exited
    clearTimeout(kill)
  }

  #spawn(): { readonly child: ChildProcess; readonly exited: Promise<unknown> } {
    const { main, environment, logFile } = this.#options
    const log = openSync(logFile, 'a')
    const child = spawn(process.execPath, ['--import', endWithParent, main], {
      env: environment,
      stdio: ['pipe', log, log],
      // A process group of its own: Ctrl-C reaches only us, and we stop things in order.
      detached: true,
    })
    closeSync(log)
    const began = performance.now()
    const exited = once(child, 'exit')
    child.once('exit', (code, signal) => {
      if (this.#stopping) return
      if (performance.now() - began > 30_000) this.#restartInMs = firstRestartMs
      const how = signal === null ? `ended with code ${code}` : `was killed by ${signal}`
      this.#options.onExit(how, this.#restartInMs)
      this.#restart = setTimeout(() => {
        ;({ child: this.#child, exited: this.#exited } = this.#spawn())
      }, this.#restartInMs)
      this.#restartInMs = Math.min(this.#restartInMs * 2, lastRestartMs)
    })
    return { child, exited }
  }
}
