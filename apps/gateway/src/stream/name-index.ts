/** How a follower is interested in a name, over all of its subscriptions. */
export interface Interest {
  readonly subscriptions: number
  /** Those that want what is not final as well. */
  readonly live: number
}

/** One name and those who follow it. The object itself is the key of what they are sent of it. */
export interface Followed<F> {
  readonly name: string
  readonly followers: ReadonlyMap<F, Interest>
}

interface OwnFollowed<F> extends Followed<F> {
  readonly followers: Map<F, { subscriptions: number; live: number }>
  /** Whether something came of it; what nobody heard of is kept only while it is followed. */
  isKnown: boolean
  /** How many patterns had come when it was last held against them. */
  heldAgainst: number
}

export interface Following<F> {
  readonly follower: F
  readonly live: boolean
  /** How many names it follows. */
  readonly size: number
  /** @returns the names of which the follower wants nothing but finals any more, or nothing at all. */
  end(): readonly Followed<F>[]
}

export interface FollowRequest<F> {
  readonly follower: F
  readonly live: boolean
  /** To begin with. */
  readonly names: Iterable<string>
  /** Whether a name of which something comes later belongs to it. */
  admits(name: string): boolean
}

/**
 * Who follows which name. Looking a name up is what is done for every update; subscribing pays for it: it
 * resolves its patterns, and a name of which something comes is held once against each pattern that came
 * since the last time. So one that was away, and among nobody's names when they subscribed, is found again,
 * and one of which nothing comes any more (an expired option) costs no follower anything.
 */
export class NameIndex<F> {
  readonly #names = new Map<string, OwnFollowed<F>>()
  /** Those that admit more, the newest last. */
  readonly #patterns: { readonly number: number; readonly following: OpenFollowing<F> }[] = []
  /** How many have come, those that ended included. */
  #patternsCome = 0

  /** Whom an update of this name concerns. */
  heardOf(name: string): Followed<F> {
    const followed = this.#names.get(name) ?? this.#add(name)
    followed.isKnown = true
    if (followed.heldAgainst < this.#patternsCome) this.#holdAgainstNew(followed)
    return followed
  }

  /** @param admitsMore whether names that come later may belong to it at all. */
  follow(request: FollowRequest<F>, admitsMore: boolean): Following<F> {
    const following = new OpenFollowing(request, (followed) => {
      if (!followed.isKnown && followed.followers.size === 0) this.#names.delete(followed.name)
    })
    for (const name of request.names) following.add(this.#names.get(name) ?? this.#add(name))
    if (admitsMore) {
      this.#patternsCome += 1
      const entry = { number: this.#patternsCome, following }
      this.#patterns.push(entry)
      following.onEnd = () => {
        const at = this.#patterns.indexOf(entry)
        if (at >= 0) this.#patterns.splice(at, 1)
      }
    }
    return following
  }

  #holdAgainstNew(followed: OwnFollowed<F>): void {
    const { name, heldAgainst } = followed
    followed.heldAgainst = this.#patternsCome
    for (let at = this.#patterns.length - 1; at >= 0; at -= 1) {
      const pattern = this.#patterns[at]
      if (pattern === undefined || pattern.number <= heldAgainst) return
      const { following } = pattern
      if (!following.has(followed) && following.admits(name)) following.add(followed)
    }
  }

  /** Names that are held, for tests of its bounds. */
  get size(): number {
    return this.#names.size
  }

  #add(name: string): OwnFollowed<F> {
    const followed: OwnFollowed<F> = {
      name,
      followers: new Map(),
      isKnown: false,
      heldAgainst: 0,
    }
    this.#names.set(name, followed)
    return followed
  }
}

class OpenFollowing<F> implements Following<F> {
  readonly follower: F
  readonly live: boolean
  readonly admits: (name: string) => boolean
  onEnd: () => void = () => undefined
  readonly #followed = new Set<OwnFollowed<F>>()
  readonly #left: (followed: OwnFollowed<F>) => void

  constructor(
    { follower, live, admits }: FollowRequest<F>,
    left: (followed: OwnFollowed<F>) => void,
  ) {
    this.follower = follower
    this.live = live
    this.admits = admits
    this.#left = left
  }

  get size(): number {
    return this.#followed.size
  }

  has(followed: OwnFollowed<F>): boolean {
    return this.#followed.has(followed)
  }

  add(followed: OwnFollowed<F>): void {
    if (this.#followed.has(followed)) return
    this.#followed.add(followed)
    const interest = followed.followers.get(this.follower)
    const live = this.live ? 1 : 0
    if (interest === undefined) {
      followed.followers.set(this.follower, { subscriptions: 1, live })
    } else {
      interest.subscriptions += 1
      interest.live += live
    }
  }

  end(): readonly Followed<F>[] {
    this.onEnd()
    const left: Followed<F>[] = []
    for (const followed of this.#followed) {
      const interest = followed.followers.get(this.follower)
      if (interest === undefined) continue
      interest.subscriptions -= 1
      interest.live -= this.live ? 1 : 0
      if (interest.live === 0) left.push(followed)
      if (interest.subscriptions === 0) followed.followers.delete(this.follower)
      this.#left(followed)
    }
    this.#followed.clear()
    return left
  }
}
