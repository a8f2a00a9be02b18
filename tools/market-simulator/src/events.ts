import type { RunningSimulator, SimulatorOptions } from './simulator.ts'

/** The simulator is ready; the line that a starter waits for. */
export function listening(simulator: RunningSimulator, options: SimulatorOptions): void {
  const { controlUrl, markets, port } = simulator
  const venues = Object.fromEntries(
    [...markets.keys()].map((venue) => [
      venue,
      { wsUrl: simulator.wsUrl(venue), restUrl: simulator.restUrl(venue) },
    ]),
  )
  write('listening', { port, controlUrl, venues, settings: options })
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
