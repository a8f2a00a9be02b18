import type { Pace } from '../pace.ts'

export interface Alert {
  readonly name: string
  /** critical: data is late or at risk now, wake somebody up. warning: look at it today. */
  readonly severity: 'critical' | 'warning'
  readonly expr: string
  /** How long it has to be so, in seconds of ordinary running. */
  readonly forSeconds: number
  /** A template of Prometheus', as the description. */
  readonly summary: string
  readonly description: string
  readonly example: Example
}

/**
 * What promtool plays: series with a value for each minute, and minutes at which the alert must not fire yet, must
 * fire, and must have cleared.
 */
export interface Example {
  readonly series: Readonly<Record<string, string>>
  readonly quietAt: number
  readonly firesAt: number
  readonly clearsAt: number
}

export interface AlertGroup {
  readonly name: string
  readonly alerts: readonly Alert[]
}

export type AlertGroupAt = (pace: Pace) => AlertGroup

/** A series that has one value after the other, each for some minutes: `during([1, 5], [0, 10])`. */
export function during(...phases: readonly (readonly [value: number, minutes: number])[]): string {
  return phases.map(([value, minutes]) => `${value}+0x${minutes - 1}`).join(' ')
}

/** A counter that rises by so much a minute, phase by phase. */
export function rising(...phases: readonly (readonly [by: number, minutes: number])[]): string {
  let from = 0
  return phases
    .map(([by, minutes]) => {
      const text = `${from}+${by}x${minutes - 1}`
      from += by * minutes
      return text
    })
    .join(' ')
}

/** Minutes without a value. */
export function absent(minutes: number): string {
  return `_x${minutes}`
}
