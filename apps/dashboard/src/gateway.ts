import { signal } from '@preact/signals'

import { createClient, GatewayError } from '@tickertape/client'
import type { Notice, ResetReason, StreamState } from '@tickertape/client'

import { forgetTrouble, keyTrouble, noteRefused, noteTaken, troubleTexts } from './access.ts'

/** Built for another origin with VITE_GATEWAY_URL; else the gateway that served the page. */
const configured: unknown = import.meta.env['VITE_GATEWAY_URL']
const url =
  typeof configured === 'string' && configured !== ''
    ? configured
    : new URL('.', location.href).href

let token = storedToken()

export const client = createClient({ url, token })
export const streamState = signal<StreamState>(client.stream().state)
/** The stream came back: whether all of it went on from where it was, or why not. */
export const cameBack = signal<'whole' | ResetReason | undefined>(undefined)
/** What the gateway says of a subscription that goes on, until it is put aside. */
export const streamNotice = signal<string | undefined>(undefined)
/** Raised when everything that was fetched should be fetched again: with a new token. */
export const generation = signal(0)

let wasLost = false
let wasReset = false

export function followConnection(): void {
  client.stream().onState((state) => {
    if (state.status === 'waiting') wasLost = true
    if (state.status === 'unauthenticated') noteRefused(token !== undefined)
    if (state.status === 'live') noteTaken()
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
export function noteReset(reason: ResetReason): void {
  if (wasReset) return
  wasReset = true
  if (cameBack.value !== undefined) cameBack.value = reason
}

export function noteNotice({ code, message }: Notice): void {
  const isLimit = code === 'instrument_not_followed' || code === 'too_many_instruments'
  streamNotice.value = isLimit
    ? 'More is traded than one connection may follow. What came last is left out.'
    : message
}

export function useToken(next: string): void {
  try {
    sessionStorage.setItem('tickertape.token', next)
  } catch {
    // Without storage it lasts as long as the page.
  }
  token = next
  forgetTrouble()
  client.setToken(next)
  generation.value += 1
}

/** What to show of a request that failed; also asks for a key where that is the reason. */
export function explain(error: unknown): string {
  if (error instanceof GatewayError) {
    if (error.code === 'unauthenticated') {
      noteRefused(token !== undefined)
      return troubleTexts[keyTrouble.value ?? 'needed']
    }
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
