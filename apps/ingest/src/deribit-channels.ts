import { readDeribitName } from './deribit-names.ts'

/** How often a session gets trades; `raw` is for authorized ones only. */
export type DeribitInterval = '100ms' | 'agg2' | 'raw'

/** From so many instruments of a kind and a currency on, their common channel costs less. */
const groupedFrom = 50

/** Whether a channel is of a kind and a currency: `trades.{kind}.{currency}.{interval}`. */
export function isCommonChannel(channel: string): boolean {
  return channel.split('.').length === 4
}

/**
 * The channels that bring the trades of these instruments, each in one channel: its own, or where many of
 * a kind and a currency are wanted (a pattern over the options) the common one, which brings the trades
 * of others too.
 *
 * @returns the instruments behind each channel.
 */
export function deribitChannels(
  instruments: readonly string[],
  interval: DeribitInterval,
): ReadonlyMap<string, readonly string[]> {
  const groups = Map.groupBy(instruments, (instrument) => {
    const name = readDeribitName(instrument)
    return name === undefined ? undefined : `trades.${name.kind}.${name.currency}.${interval}`
  })
  const channels = new Map<string, readonly string[]>()
  for (const [common, members] of groups) {
    if (common !== undefined && members.length >= groupedFrom) channels.set(common, members)
    else for (const each of members) channels.set(`trades.${each}.${interval}`, [each])
  }
  return channels
}
