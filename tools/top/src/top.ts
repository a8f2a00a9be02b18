import { setTimeout as delay } from 'node:timers/promises'

import { ask } from './ask.ts'
import type { ServiceAddress, TopOptions } from './config.ts'
import type { Paint } from './paint.ts'
import { screen } from './screen.ts'
import type { ShownService } from './screen.ts'
import { ServiceHistory } from './service-history.ts'

/** Where the view is shown. */
export interface Output {
  readonly paint: Paint
  readonly columns: () => number
  /** Told under which the next view replaces the one before, or follows it. */
  readonly show: (lines: readonly string[]) => void
  /** Shown beside the title. */
  readonly hint: string
}

const everyMs = 1_000

/**
 * Shows the services each second until the signal; once, if that is wanted.
 *
 * @returns whether all of them were ready the last time.
 */
export async function top(
  { once, services }: TopOptions,
  output: Output,
  signal: AbortSignal,
): Promise<boolean> {
  const histories = services.map((address) => ({ address, history: new ServiceHistory() }))
  let shown = await askAll(histories)
  // A rate takes two moments: what is printed once waits for the second one.
  if (!once) show(shown, output)
  while (await pause(signal)) {
    shown = await askAll(histories)
    show(shown, output)
    if (once) break
  }
  return shown.every(({ standing }) => standing.state === 'up' && standing.readiness.ready)
}

async function askAll(
  histories: readonly { readonly address: ServiceAddress; readonly history: ServiceHistory }[],
): Promise<readonly ShownService[]> {
  return await Promise.all(
    histories.map(async ({ address, history }) => ({
      ...address,
      standing: history.add(await ask(address.url), performance.now()),
    })),
  )
}

function show(
  services: readonly ShownService[],
  { paint, columns, hint, show: print }: Output,
): void {
  const clock = new Date().toTimeString().slice(0, 8)
  print(screen(services, { paint, columns: columns(), clock, hint }))
}

/** @returns false when the signal came. */
async function pause(signal: AbortSignal): Promise<boolean> {
  try {
    await delay(everyMs, undefined, { signal })
    return true
  } catch {
    return false
  }
}
