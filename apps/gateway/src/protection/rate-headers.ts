import type { RateVerdict } from './rate-windows.ts'
import type { RatePolicy } from './settings.ts'

/** Name of the only policy there is. */
const policyName = '"requests"'

/**
 * RateLimit-Policy and RateLimit as in draft-ietf-httpapi-ratelimit-headers-10: quota `q` in a window of `w` seconds;
 * `r` of it remain for the next `t` seconds.
 */
export function rateHeaders(
  { requests, windowMs }: RatePolicy,
  { remaining, resetMs }: RateVerdict,
): Readonly<Record<string, string>> {
  return {
    'ratelimit-policy': `${policyName};q=${requests};w=${Math.ceil(windowMs / 1_000)}`,
    ratelimit: `${policyName};r=${remaining};t=${wholeSeconds(resetMs)}`,
  }
}

/** Rounded up, so that who waits as long as told is not early. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000))
}
