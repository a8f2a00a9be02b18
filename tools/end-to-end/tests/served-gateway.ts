import { fileURLToPath } from 'node:url'

import { ServiceProcess, TcpProxy, waitUntil } from '@tickertape/testing'

const main = fileURLToPath(new URL('../../../apps/gateway/src/main.ts', import.meta.url))

/**
 * The gateway as a process of its own, at an address that stays its own however often it is started anew: the
 * process takes any free port, and a proxy leads there.
 */
export class ServedGateway implements AsyncDisposable {
  readonly #environment: Readonly<Record<string, string>>
  readonly #proxy: TcpProxy
  #process: ServiceProcess
  /** Kept: of a long output only the end stays. */
  #adminPort: string | undefined

  private constructor(environment: Readonly<Record<string, string>>, proxy: TcpProxy) {
    this.#environment = environment
    this.#proxy = proxy
    this.#process = this.#spawn()
  }

  /** @param environment of the process, beside its ports. */
  static async open(environment: Readonly<Record<string, string>>): Promise<ServedGateway> {
    // Where it leads is known once the process listens.
    const proxy = await TcpProxy.to('127.0.0.1:0')
    const gateway = new ServedGateway(environment, proxy)
    try {
      await gateway.#listening()
      return gateway
    } catch (error) {
      await gateway[Symbol.asyncDispose]()
      throw error
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy.port}`
  }

  /** The last of what it wrote. */
  get output(): string {
    return this.#process.output.slice(-6_000)
  }

  /**
   * After `stop`: a new process, which listens when this resolves.
   *
   * @param settings of this one process, beside those of all.
   */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#process = this.#spawn(settings)
    await this.#listening()
  }

  /** Ends the process; connections are refused until it is started again. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#process.stop(signal)
    this.#proxy.shut()
  }

  /** What /readyz says, ready or not. */
  async readiness(): Promise<string> {
    return await (await this.#askReadiness()).text()
  }

  async isReady(): Promise<boolean> {
    return (await this.#askReadiness()).ok
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop('SIGKILL')
    await this.#proxy[Symbol.asyncDispose]()
  }

  async #askReadiness(): Promise<Response> {
    const port = await waitUntil('the admin port', () => {
      this.#adminPort ??= /"adminPort":(\d+)/.exec(this.#process.output)?.[1]
      return this.#adminPort
    })
    return await fetch(`http://127.0.0.1:${port}/readyz`)
  }

  #spawn(settings: Readonly<Record<string, string>> = {}): ServiceProcess {
    this.#adminPort = undefined
    const ports = { GATEWAY_PORT: '0', GATEWAY_ADMIN_PORT: '0' }
    return ServiceProcess.start({
      main,
      environment: { ...this.#environment, ...settings, ...ports },
    })
  }

  async #listening(): Promise<void> {
    const target = await waitUntil(
      'the gateway to listen',
      () => {
        const { running, output } = this.#process
        return /listening on http:\/\/([\d.:]+)/.exec(output)?.[1] ?? (running ? undefined : null)
      },
      { withinMs: 180_000 },
    )
    if (target === null) throw new Error(`The gateway ended by itself:\n${this.output}`)
    this.#proxy.leadTo(target)
    this.#proxy.open()
  }
}
