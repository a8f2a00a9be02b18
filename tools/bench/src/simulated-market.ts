import { fileURLToPath } from 'node:url'

import { ServiceProcess, waitUntil } from '@tickertape/testing'

const simulatorMain = fileURLToPath(new URL('../../market-simulator/src/main.ts', import.meta.url))
const instruments = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL']

export interface SimulatorAddress {
  readonly wsUrl: string
  readonly restUrl: string
  readonly controlUrl: string
  readonly instruments: readonly string[]
}

/** Runs the simulator as a process of its own, held until /control/start. */
export async function withSimulator<T>(
  settings: Readonly<Record<string, string>>,
  use: (address: SimulatorAddress) => Promise<T>,
): Promise<T> {
  await using simulator = ServiceProcess.start({
    main: simulatorMain,
    environment: {
      SIMULATOR_PORT: '0',
      SIMULATOR_VENUES: 'deribit',
      SIMULATOR_HOLD: 'true',
      SIMULATOR_LIMITS: 'false',
      ...settings,
    },
  })
  const port = await waitUntil(
    'the simulator',
    () => /127\.0\.0\.1:(\d+)/.exec(simulator.output)?.[1],
  )
  return await use({
    wsUrl: `ws://127.0.0.1:${port}/ws/api/v2`,
    restUrl: `http://127.0.0.1:${port}/api/v2`,
    controlUrl: `http://127.0.0.1:${port}/control`,
    instruments,
  })
}

export interface SimulatorStatus {
  readonly finished: boolean
  readonly connections: readonly { readonly subscriptions: readonly string[] }[]
  readonly instruments: readonly { readonly sentTrades: number }[]
}

export async function statusOf(address: SimulatorAddress): Promise<SimulatorStatus> {
  const answer = await fetch(`${address.controlUrl}/status`)
  // The simulator's own document.
  return (await answer.json()) as SimulatorStatus
}
