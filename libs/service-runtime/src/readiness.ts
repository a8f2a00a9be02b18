/** Why a service is not ready; empty when it is. */
export class Readiness {
  readonly #reasons = new Map<string, string>()

  /** @param subject what is waited for, for example `kafka`; one reason each. */
  waitFor(subject: string, reason: string): void {
    this.#reasons.set(subject, reason)
  }

  ready(subject: string): void {
    this.#reasons.delete(subject)
  }

  get reasons(): readonly { readonly subject: string; readonly reason: string }[] {
    return [...this.#reasons].map(([subject, reason]) => ({ subject, reason }))
  }
}
