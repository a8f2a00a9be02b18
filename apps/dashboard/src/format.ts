import type { Zone } from './preferences.ts'

/**
 * A decimal with its thousands grouped and every digit kept.
 *
 * @param digits behind the point at least: figures that stand below each other line up.
 */
export function groupDecimal(text: string, digits = 0): string {
  const [whole = '', fraction = ''] = text.split('.')
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  const padded = fraction.padEnd(digits, '0')
  return padded === '' ? grouped : `${grouped}.${padded}`
}

/** Digits behind the point. */
export function digitsOf(text: string): number {
  return text.split('.')[1]?.length ?? 0
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 4 })

/** For an overview: 1.234M. Null is a dash: nothing is known. */
export function compactDecimal(text: string | null): string {
  return text === null ? '–' : compact.format(Number(text))
}

export function compactUsd(text: string | null): string {
  return text === null ? '–' : `$${compact.format(Number(text))}`
}

export function percent(share: number | null): string {
  if (share === null) return '–'
  const text = Math.abs(share * 100).toFixed(2)
  if (text === '0.00') return '0.00%'
  return `${share < 0 ? '−' : '+'}${text}%`
}

export function count(value: number): string {
  return value.toLocaleString('en')
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: Zone, options: Intl.DateTimeFormatOptions, key: string): Intl.DateTimeFormat {
  const known = formats.get(zone + key)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-GB', {
    ...options,
    hourCycle: 'h23',
    ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
  })
  formats.set(zone + key, made)
  return made
}

/** 14:03:27 */
export function clockText(time: number, zone: Zone, withSeconds = true): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }
  return format(
    zone,
    withSeconds ? { ...options, second: '2-digit' } : options,
    withSeconds ? 'hms' : 'hm',
  ).format(time)
}

/** 21 Nov */
export function dayText(time: number, zone: Zone): string {
  return format(zone, { day: 'numeric', month: 'short' }, 'dm').format(time)
}

/** Nov 2026 */
export function monthText(time: number, zone: Zone): string {
  return format(zone, { month: 'short', year: 'numeric' }, 'my').format(time)
}

/** 21 Nov 2026 14:03:27 */
export function momentText(time: number, zone: Zone, withSeconds = true): string {
  const day = format(zone, { day: '2-digit', month: 'short', year: 'numeric' }, 'dmy').format(time)
  return `${day} ${clockText(time, zone, withSeconds)}`
}

/** 480 ms, 1.4 s, 3 min, 2.5 h */
export function durationText(ms: number | null): string {
  if (ms === null) return '–'
  const size = Math.abs(ms)
  if (size < 1_000) return `${Math.round(ms)} ms`
  if (size < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  if (size < 3_600_000) return `${Math.round(ms / 60_000)} min`
  if (size < 172_800_000) return `${(ms / 3_600_000).toFixed(1)} h`
  return `${Math.round(ms / 86_400_000)} days`
}
