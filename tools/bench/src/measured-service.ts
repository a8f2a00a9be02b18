import { ServiceProcess, waitUntil } from '@tickertape/testing'

import { sumMetric } from './metrics-text.ts'
import { usageOf } from './process-usage.ts'
import type { ProcessUsage } from './process-usage.ts'

export interface MeasuredServiceOptions {
  /** For messages, as in "the aggregator". */
  readonly name: string
  /** Path of its main file. */
  readonly main: string
  readonly environment: Readonly<Record<string, string>>
  /** Folder for a CPU profile of the process, written when it stops. */
  readonly cpuProf: string | undefined
}

/** What a process had used at a moment. */
export interface UsageAt extends ProcessUsage {
  /** By performance.now(). */
  readonly at: number
}

/** A service as a process of its own, whose CPU time and memory are read from outside. */
export class MeasuredService implements AsyncDisposable {
  readonly #name: string
  readonly #service: ServiceProcess
  readonly #pid: number
  #port: string | undefined

  private constructor(name: string, service: ServiceProcess, pid: number) {
    this.#name = name
    this.#service = service
    this.#pid = pid
  }

  static start({ name, main, environment, cpuProf }: MeasuredServiceOptions): MeasuredService {
    const profile =
      cpuProf === undefined
        ? {}
        : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${JSON.stringify(cpuProf)}` }
    const service = ServiceProcess.start({ main, environment: { ...environment, ...profile } })
    if (service.pid === undefined) throw new Error(`${name} could not be started`)
    return new MeasuredService(name, service, service.pid)
  }

  /**
   * Waits until it owns its partitions, their state restored.
   *
   * @returns what it had used when it was last seen without them, 10 ms before at most while its loop
   *   is free: nothing that it does with a record is left out.
   */
  async joined(): Promise<UsageAt> {
    let before = await this.usage()
    await this.#until(
      'own its partitions',
      1,
      async () => {
        const now = await this.usage()
        if (await this.#isReady()) return true
        before = now
        await new Promise((resolve) => setTimeout(resolve, 10))
        return false
      },
      120_000,
    )
    return before
  }

  /** What the pattern's first group finds in the last of what it wrote. */
  said(pattern: RegExp): string | undefined {
    return pattern.exec(this.#service.output)?.[1]
  }

  async usage(): Promise<UsageAt> {
    return { at: performance.now(), ...(await usageOf(this.#pid)) }
  }

  /** Sum of a metric over its labels. @throws Error if the service has none of that name. */
  async metric(name: string): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort()}/metrics`)
    const sum = sumMetric(await answer.text(), name)
    if (sum === undefined) throw new Error(`${this.#name} has no metric ${name}`)
    return sum
  }

  /** Waits for something that comes of its work; fails at once if it has ended. */
  async until(what: string, condition: () => Promise<boolean>, withinMs = 300_000): Promise<void> {
    await this.#until(what, 10, condition, withinMs)
  }

  /** Lets it drain. @throws Error if it did not end well. */
  async stop(): Promise<void> {
    const code = await this.#service.stop('SIGTERM')
    if (code !== 0) throw this.#failure(`ended with code ${code}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service[Symbol.asyncDispose]()
  }

  async #until(
    what: string,
    everyMs: number,
    condition: () => Promise<boolean>,
    withinMs = 60_000,
  ): Promise<void> {
    let ended = false
    try {
      await waitUntil(
        `${this.#name} to ${what}`,
        async () => {
          ended = !this.#service.running
          return ended || (await condition())
        },
        { withinMs, everyMs },
      )
    } catch (error) {
      throw this.#failure(`did not ${what}`, error)
    }
    if (ended) throw this.#failure('ended by itself')
  }

  async #isReady(): Promise<boolean> {
    const port = this.#adminPort()
    if (port === undefined) return false
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok
  }

  #adminPort(): string | undefined {
    // Kept: of a long output only the end stays.
    this.#port ??= this.said(/"adminPort":(\d+)/)
    return this.#port
  }

  #failure(what: string, cause?: unknown): Error {
    return new Error(`${this.#name} ${what}:\n${this.#service.output.slice(-4_000)}`, { cause })
  }
}
