import type { Connection } from './connection.ts'

/** All open sockets of a simulator. */
export class Connections {
  readonly #open = new Map<number, Connection>()
  #lastId = 0

  nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }

  add(connection: Connection): void {
    this.#open.set(connection.id, connection)
  }

  remove(connection: Connection): void {
    this.#open.delete(connection.id)
  }

  all(): readonly Connection[] {
    return [...this.#open.values()]
  }

  /** Hands everything that was sent to the kernel. */
  flush(): void {
    for (const connection of this.#open.values()) connection.flush()
  }

  /** @param highWaterBytes a subscriber with more than this unsent is congested */
  subscribers(highWaterBytes: number): 'none' | 'ready' | 'congested' {
    let state: 'none' | 'ready' = 'none'
    for (const connection of this.#open.values()) {
      if (connection.subscriptions.size === 0) continue
      if (connection.bufferedBytes > highWaterBytes) return 'congested'
      state = 'ready'
    }
    return state
  }
}
