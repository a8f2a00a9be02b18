import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import { plainEnvironment } from './config.ts'

export interface ServiceProcessOptions {
  /** Path of the TypeScript or JavaScript main file. */
  readonly main: string
  readonly arguments?: readonly string[]
  /** On top of PATH and HOME; nothing else is passed on. */
  readonly environment: Readonly<Record<string, string>>
}

/** For what it wrote last: children of its own may keep its output open. */
const outputMs = 5_000

/** Its end comes before the last of its output, which tells why. */
async function endOf(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  await once(child, 'exit')
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, outputMs)
  await Promise.race([closed, promise])
  clearTimeout(timer)
}

/** A service as a process of its own, so that a test can kill it at any moment. */
export class ServiceProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #output = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = endOf(child)
    const collect = (chunk: Buffer): void => {
      // The tail tells why a service ended; a long run must not fill the memory.
      this.#output = (this.#output + chunk.toString('utf8')).slice(-200_000)
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
  }

  static start(options: ServiceProcessOptions): ServiceProcess {
    return new ServiceProcess(
      spawn(process.execPath, [options.main, ...(options.arguments ?? [])], {
        env: { ...plainEnvironment(), ...options.environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The last of what it wrote, standard output and error together. */
  get output(): string {
    return this.#output
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Sends the signal and waits for the end. @returns the exit code, null after a signal. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    if (this.running) this.#child.kill(signal)
    await this.#exited
    return this.#child.exitCode
  }

  /** Waits for an end that it comes to by itself. */
  async exited(): Promise<number | null> {
    await this.#exited
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
  }
}
