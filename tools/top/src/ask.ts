import type { Answer, Readiness } from './service-history.ts'

/** Longer than that, in ms, a service that hangs may not keep the others from being shown. */
const patienceMs = 3_000

/** Asks a service's admin port for its metrics and its readiness. */
export async function ask(url: string): Promise<Answer> {
  try {
    const [metrics, readiness] = await Promise.all([
      get(`${url}/metrics`).then((answer) => answer.text()),
      get(`${url}/readyz`).then(async (answer) => readinessOf(await answer.json())),
    ])
    return { metrics, readiness }
  } catch (error) {
    return { unreachable: reasonOf(error) }
  }
}

function get(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(patienceMs) })
}

function readinessOf(answer: unknown): Readiness {
  // The admin port's own contract.
  const { ready, reasons, degraded } = answer as {
    ready: boolean
    reasons: readonly { reason: string }[]
    degraded: readonly { reason: string }[]
  }
  return { ready, reasons: [...reasons, ...degraded].map(({ reason }) => reason) }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${patienceMs / 1000} s`
  return error.cause instanceof Error ? error.cause.message : error.message
}
