import type { Delivery } from './delivery.ts'
import type { FeedConnection } from './feed.ts'

/**
 * What the venue delivers over one connection. Of instruments without sequences it holds what a connection proves: what
 * comes behind a subscription says nothing of what came before it, unless another connection went on meanwhile.
 */
export class DeliveredInstruments {
  readonly #names = new Set<string>()

  /**
   * @param beside a connection that goes on until this one delivers.
   * @returns what the venue refuses.
   */
  async subscribe(
    connection: FeedConnection,
    deliveries: readonly Delivery[],
    beside?: DeliveredInstruments,
  ): Promise<readonly string[]> {
    const names = deliveries.map(({ instrument }) => instrument)
    const ends = deliveries.flatMap((each) => {
      if (each.kind === 'sequenced') return []
      return [each.cut(beside?.has(each) === true ? beside : undefined)]
    })
    try {
      const { refused } = await connection.subscribe(names)
      for (const each of names) if (!refused.includes(each)) this.#names.add(each)
      return refused
    } finally {
      for (const end of ends) end()
    }
  }

  has({ instrument }: Delivery): boolean {
    return this.#names.has(instrument)
  }

  /**
   * Nothing can be missing between another connection and this one of what the other one delivered.
   *
   * @returns what it did not deliver, and this one does.
   */
  follow(other: DeliveredInstruments, deliveries: readonly Delivery[]): readonly Delivery[] {
    for (const each of deliveries) if (each.kind === 'unsequenced') each.overlapped(other)
    return deliveries.filter((each) => this.has(each) && !other.has(each))
  }

  remove(instruments: readonly string[]): void {
    for (const each of instruments) this.#names.delete(each)
  }
}
