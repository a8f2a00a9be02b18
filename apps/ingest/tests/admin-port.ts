import { waitUntil } from '@tickertape/testing'
import type { ServiceProcess } from '@tickertape/testing'

/** What the admin port of an ingest answers; which port that is stands in its log. */
export async function ask(ingest: ServiceProcess, path: string): Promise<string> {
  const port = await waitUntil('the admin port', () => {
    if (!ingest.running) throw new Error(`Ingest has ended: ${ingest.output}`)
    return /"adminPort":(\d+)/.exec(ingest.output)?.[1]
  })
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text()
}

/** Waits until readiness says this; the empty text: until there is no reason left. */
export async function readinessSays(ingest: ServiceProcess, reason: string): Promise<void> {
  let last = ''
  try {
    await waitUntil(
      `readiness to say "${reason}"`,
      async () => {
        last = await ask(ingest, '/readyz')
        return reason === '' ? last.includes('"ready":true') : last.includes(reason)
      },
      { withinMs: 60_000, everyMs: 100 },
    )
  } catch (error) {
    throw new Error(`${String(error)}; it says ${last}\n${ingest.output}`, { cause: error })
  }
}
