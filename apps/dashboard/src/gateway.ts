import { signal } from '@preact/signals'

import { createClient, GatewayError } from '@tickertape/client'
import type { StreamState } from '@tickertape/client'

/** Built for another origin with VITE_GATEWAY_URL; else the gateway that served the page. */
const configured: unknown = import.meta.env['VITE_GATEWAY_URL']
const url =
  typeof configured === 'string' && configured !== ''
    ? configured
    : new URL('.', location.href).href

export const client = createClient({ url, token: storedToken() })
export const streamState = signal<StreamState>(client.stream().state)
/** The gateway wants a key or token, or another one. */
export const wantsToken = signal(false)
/** The stream came back: whether all of it went on from where it was. */
export const cameBack = signal<'whole' | 'anew' | undefined>(undefined)
/** Raised when everything that was fetched should be fetched again: with a new token. */
export const generation = signal(0)

let wasLost = false
let wasReset = false

export function followConnection(): void {
  client.stream().onState((state) => {
    if (state.status === 'waiting') wasLost = true
    if (state.status === 'unauthenticated') wantsToken.value = true
    if (state.status === 'live' && wasLost) {
      wasLost = false
      wasReset = false
      cameBack.value = 'whole'
      setTimeout(() => {
        cameBack.value = undefined
      }, 6_000)
    }
    streamState.value = state
  })
  addEventListener('online', () => client.stream().retryNow())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') client.stream().retryNow()
  })
}

/** A subscription had to begin anew. */
export function noteReset(): void {
  if (wasReset) return
  wasReset = true
  if (cameBack.value !== undefined) cameBack.value = 'anew'
}

export function useToken(token: string): void {
  try {
    sessionStorage.setItem('tickertape.token', token)
  } catch {
    // Without storage it lasts as long as the page.
  }
  wantsToken.value = false
  client.setToken(token)
  generation.value += 1
}

/** What to show of a request that failed; also asks for a token where that is the reason. */
export function explain(error: unknown): string {
  if (error instanceof GatewayError) {
    if (error.code === 'unauthenticated') wantsToken.value = true
    if (error.code === 'unreachable') return 'The gateway does not answer.'
    return error.problem?.detail ?? error.message
  }
  return error instanceof Error ? error.message : String(error)
}

function storedToken(): string | undefined {
  try {
    return sessionStorage.getItem('tickertape.token') ?? undefined
  } catch {
    return undefined
  }
}
