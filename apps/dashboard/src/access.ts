import { signal } from '@preact/signals'

/** Why the gateway wants a key or token: there is none, it was not taken, or it was and counts no longer. */
export type KeyTrouble = 'needed' | 'refused' | 'ended'

export const keyTrouble = signal<KeyTrouble | undefined>(undefined)
/** Whether the dialog is open that asks for one. It can be put aside, and called back. */
export const asksForKey = signal(false)

export const troubleTexts: Readonly<Record<KeyTrouble, string>> = {
  needed: 'This gateway shows its data to who has a key.',
  refused: 'The gateway does not take this key. Look whether it is whole, or use another one.',
  ended: 'The key counts no longer: it was revoked, or has expired. What you see stands still.',
}

let wasTaken = false

/** The gateway has answered with data. */
export function noteTaken(): void {
  wasTaken = true
  if (keyTrouble.value === undefined) return
  keyTrouble.value = undefined
  asksForKey.value = false
}

/** The gateway has refused. Asks for a key once; whoever puts that aside is not asked again for the same trouble. */
export function noteRefused(hasKey: boolean): void {
  if (keyTrouble.value !== undefined) return
  if (!hasKey) keyTrouble.value = 'needed'
  else keyTrouble.value = wasTaken ? 'ended' : 'refused'
  asksForKey.value = true
}

/** Another key is tried. */
export function forgetTrouble(): void {
  wasTaken = false
  keyTrouble.value = undefined
  asksForKey.value = false
}
