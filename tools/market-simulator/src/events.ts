import type { RunningSimulator, SimulatorOptions } from './simulator.ts'

/** The simulator is ready; the line that a starter waits for. */
export function listening(simulator: RunningSimulator, options: SimulatorOptions): void {
  const { binanceRestUrl, binanceWsUrl, controlUrl, deribitRestUrl, deribitWsUrl, port } = simulator
  write('listening', {
    port,
    deribitWsUrl,
    deribitRestUrl,
    binanceWsUrl,
    binanceRestUrl,
    controlUrl,
    settings: options,
  })
}

export function stopped(): void {
  write('stopped', {})
}

/** The settings cannot be used. */
export function unfit(problem: string): void {
  process.stderr.write(`market-simulator: ${problem}\n`)
}

function write(event: string, facts: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ service: 'market-simulator', event, ...facts })}\n`)
}
