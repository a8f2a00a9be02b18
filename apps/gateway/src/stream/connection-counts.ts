import type { Caller } from '../admission.ts'
import { addressKey } from '../protection/client-address.ts'
import type { StreamOptions } from './settings.ts'

/** Connections by address (of IPv6 by the /64, as rates are), and by key or token. */
export class ConnectionCounts {
  readonly #limits: Pick<StreamOptions['limits'], 'connectionsPerAddress' | 'connectionsPerCaller'>
  readonly #byAddress = new Map<string, number>()
  readonly #byCaller = new Map<string, number>()

  constructor(limits: StreamOptions['limits']) {
    this.#limits = limits
  }

  /** Counts one more. @returns false, and counts nothing, where that would be too many. */
  add(caller: Caller): boolean {
    const { connectionsPerAddress, connectionsPerCaller } = this.#limits
    const address = addressKey(caller.address)
    const name = nameOf(caller)
    if ((this.#byAddress.get(address) ?? 0) >= connectionsPerAddress) return false
    if (name !== undefined && (this.#byCaller.get(name) ?? 0) >= connectionsPerCaller) return false
    change(this.#byAddress, address, 1)
    if (name !== undefined) change(this.#byCaller, name, 1)
    return true
  }

  remove(caller: Caller): void {
    const name = nameOf(caller)
    change(this.#byAddress, addressKey(caller.address), -1)
    if (name !== undefined) change(this.#byCaller, name, -1)
  }
}

/** undefined: there is nothing to count by but the address. */
function nameOf({ kind, name }: Caller): string | undefined {
  return kind === 'address' ? undefined : `${kind} ${name}`
}

function change(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
