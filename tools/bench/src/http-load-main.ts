import { createRequire } from 'node:module'

/** What is used of autocannon, which has no types. */
interface Autocannon {
  (options: {
    readonly url: string
    readonly connections: number
    readonly duration: number
    readonly overallRate?: number
    readonly requests: readonly { readonly path: string }[]
  }): Promise<{
    readonly requests: { readonly average: number; readonly total: number }
    readonly latency: { readonly p99: number }
    readonly non2xx: number
    readonly errors: number
  }>
}

/**
 * Asks for each of the paths in turn, from `connections` connections, for `seconds`; at most `rate` times a
 * second unless that is 0. Prints one line of JSON.
 */
const [origin = '', connections = '', seconds = '', rate = '', ...paths] = process.argv.slice(2)
// The package is CommonJS without types.
const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon
const measured = await autocannon({
  url: origin,
  connections: Number(connections),
  duration: Number(seconds),
  ...(Number(rate) > 0 ? { overallRate: Number(rate) } : {}),
  requests: paths.map((path) => ({ path })),
})
const failed = measured.non2xx + measured.errors
const { requests, latency } = measured
process.stdout.write(
  `load ${JSON.stringify({ perSecond: requests.average, answered: requests.total, p99Ms: latency.p99, failed })}\n`,
)
