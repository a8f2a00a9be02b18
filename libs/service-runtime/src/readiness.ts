/** Why a service is not ready; empty when it is. */
export class Readiness {
  readonly #reasons = new Map<string, string>()
  readonly #degraded = new Map<string, string>()

  /** @param subject what is waited for, for example `kafka`; one reason each. */
  waitFor(subject: string, reason: string): void {
    this.#reasons.set(subject, reason)
  }

  /** A part does not work while all else does: the service is ready, and says what it lacks. */
  degrade(subject: string, reason: string): void {
    this.#reasons.delete(subject)
    this.#degraded.set(subject, reason)
  }

  /** @param subject of what was waited for, or of a part that works again. */
  ready(subject: string): void {
    this.#reasons.delete(subject)
    this.#degraded.delete(subject)
  }

  get reasons(): readonly { readonly subject: string; readonly reason: string }[] {
    return [...this.#reasons].map(([subject, reason]) => ({ subject, reason }))
  }

  /** What a service that is ready lacks. */
  get degraded(): readonly { readonly subject: string; readonly reason: string }[] {
    return [...this.#degraded].map(([subject, reason]) => ({ subject, reason }))
  }
}
