import type { IngestRun } from '../ingest-run.ts'
import type { TestedMarket } from './tested-markets.ts'
import type { FaultStep, VenueFault } from './venue-fault.ts'

/** A time in which a connection certainly ended: by the venue's clock. */
export interface Cut {
  readonly by: VenueFault['name']
  readonly fromTime: number
  readonly toTime: number
}

/** An ingest that suffers faults, and what they must have left behind in its log. */
export class FaultyRun {
  readonly cuts: Cut[] = []
  /** What was suffered, each with the venue's time: why a test failed. */
  readonly steps: string[] = []
  readonly #run: IngestRun
  readonly #market: TestedMarket

  constructor(run: IngestRun, market: TestedMarket) {
    this.#run = run
    this.#market = market
  }

  async suffer({ fault, pauseMs }: FaultStep): Promise<void> {
    this.steps.push(`${await this.#run.venueTime()} ${JSON.stringify({ ...fault, pauseMs })}`)
    switch (fault.name) {
      case 'kill':
        await this.#cut('kill', async () => {
          await this.#run.stop('SIGKILL')
          this.#run.start()
        })
        break
      case 'cut':
        await this.#cut('cut', () =>
          this.#run.arm('cut', { code: 1012, reason: 'service restart' }),
        )
        break
      case 'drop':
      case 'half-open':
        await this.#cut(fault.name, () => this.#run.arm(fault.name))
        break
      case 'error-frame':
        await this.#run.arm('error-frame', { text: this.#market.frame })
        break
      case 'limit':
        await this.#limit(fault.count)
        break
      case 'refuse':
        await this.#refuse(pauseMs)
        break
      case 'silence':
        await this.#silence(pauseMs)
        break
      case 'skip':
        await this.#run.arm('skip', { count: fault.count, venue: this.#market.venue })
        break
      case 'delay':
        await this.#delay(fault.count)
        break
      default:
        await this.#run.arm(fault.name, { count: fault.count })
    }
    await this.#pause(pauseMs)
  }

  async #cut(by: VenueFault['name'], cut: () => Promise<unknown>): Promise<void> {
    const fromTime = await this.#run.venueTime()
    await cut()
    this.cuts.push({ by, fromTime, toTime: await this.#run.venueTime() })
  }

  /** Met by what a cut makes necessary: to connect, and to ask for the history. */
  async #limit(count: number): Promise<void> {
    await this.#run.arm('limit', { ...this.#market.limit, requests: count })
    await this.#run.arm('limit', { status: 429, body: '', connects: 1 })
    await this.#cut('limit', () => this.#run.arm('drop'))
  }

  async #refuse(pauseMs: number): Promise<void> {
    const instrument = this.#market.instruments.at(-1)
    await this.#run.arm('refuse', { instrument, on: true })
    await this.#cut('refuse', () => this.#run.arm('drop'))
    await this.#pause(pauseMs)
    await this.#run.arm('refuse', { instrument, on: false })
    await this.#cut('refuse', () => this.#run.arm('drop'))
  }

  /** Without sequences what was left out shows behind a cut alone, and only if nothing came behind it before. */
  async #silence(pauseMs: number): Promise<void> {
    await this.#run.arm('silence', { on: true })
    await this.#pause(pauseMs)
    if (!this.#market.sequenced) await this.#cut('silence', () => this.#run.arm('drop'))
    await this.#run.arm('silence', { on: false })
  }

  /** Without sequences nothing shows of a delayed trade that a cut takes away. */
  async #delay(count: number): Promise<void> {
    const { sequenced } = this.#market
    if (!sequenced) await this.#pause(100)
    await this.#run.arm('delay', { count, milliseconds: 300 })
    if (!sequenced) await this.#pause(500)
  }

  async #pause(realMs: number): Promise<void> {
    if (realMs > 0) await this.#run.advance(realMs * this.#market.speed)
  }
}
