import { z } from 'zod'

/** One environment variable: how it is read, its default, and what the README says of it. */
export interface Setting<T> {
  readonly schema: z.ZodType<T, string>
  /** As it would stand in the environment; undefined if the variable must be set. */
  readonly default: string | undefined
  readonly about: string
  readonly secret: boolean
  /** Whether it goes together with others, once all are read. */
  readonly check?: SettingCheck
}

/**
 * @param values of the settings that could be read.
 * @returns what does not go together, each problem as a sentence that names the variable.
 */
export type SettingCheck = (
  values: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
) => readonly string[]

export type Settings = Readonly<Record<string, Setting<unknown>>>

export type SettingValues<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never
}

interface Described {
  readonly default?: string
  readonly about: string
}

function describe<T>(
  schema: z.ZodType<T, string>,
  described: Described,
  secret = false,
): Setting<T> {
  return { schema, default: described.default, about: described.about, secret }
}

export function textSetting(described: Described): Setting<string> {
  return describe(z.string(), described)
}

/** Text that is printed nowhere. */
export function secretSetting(described: Described): Setting<string> {
  return describe(z.string(), described, true)
}

/** A whole number within bounds. */
export function integerSetting(
  described: Described & { readonly min?: number; readonly max?: number },
): Setting<number> {
  const min = described.min ?? 0
  const max = described.max ?? Number.MAX_SAFE_INTEGER
  const kind = min === 0 ? 'a non-negative integer' : `an integer of at least ${min}`
  const bound = described.max === undefined ? '' : ` and at most ${max}`
  return describe(
    z
      .string()
      .regex(/^-?\d+$/, `must be ${kind}${bound}`)
      .transform(Number)
      .refine((value) => value >= min && value <= max, `must be ${kind}${bound}`),
    described,
  )
}

/** Separated by commas or by what is named; spaces around the parts dropped; no text is no parts. */
export function listSetting(
  described: Described & { readonly separator?: string },
): Setting<readonly string[]> {
  return describe(
    z.string().transform((text) =>
      text
        .split(described.separator ?? ',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    ),
    described,
  )
}

export function choiceSetting<const T extends string>(
  choices: readonly T[],
  described: Described,
): Setting<T> {
  return describe(
    z.string().refine((text): text is T => choices.some((choice) => choice === text), {
      message: `must be one of ${choices.filter((choice) => choice !== '').join(', ')}`,
    }),
    described,
  )
}

/** An address with one of the given schemes. A password in it is masked wherever it is printed. */
export function urlSetting(
  schemes: readonly string[],
  described: Described & {
    readonly optional?: boolean
    /** A name and password in the address are refused: whoever uses it would not send them, and would tell them. */
    readonly withoutCredentials?: boolean
  },
): Setting<string> {
  const isEmpty = (text: string): boolean => text === '' && described.optional === true
  const isUrl = (text: string): boolean => {
    if (isEmpty(text)) return true
    return URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1))
  }
  const mayHold = (text: string): boolean => {
    if (described.withoutCredentials !== true || isEmpty(text) || !isUrl(text)) return true
    const { username, password } = new URL(text)
    return username === '' && password === ''
  }
  return describe(
    z
      .string()
      .refine(
        isUrl,
        `must be an address that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
      )
      .refine(mayHold, 'must hold no name and no password'),
    described,
  )
}

/** Settings cannot be used: every problem at once. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`Settings that cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/**
 * Reads settings from an environment. A variable that begins with the service's own prefix and is not
 * known is a problem as well: a typo must never mean the default.
 *
 * @param ownPrefix for example `AGGREGATOR_`.
 * @throws SettingsError
 */
export function readSettings<S extends Settings>(
  settings: S,
  ownPrefix: string,
  environment: Readonly<Record<string, string | undefined>>,
): SettingValues<S> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const text = environment[name] ?? setting.default
    if (text === undefined) {
      problems.push(`${name} must be set: ${setting.about}`)
      continue
    }
    const result = setting.schema.safeParse(text)
    if (result.success) {
      values[name] = result.data
    } else {
      const reason = result.error.issues[0]?.message ?? 'cannot be read'
      problems.push(`${name} ${reason}, got "${maskSecrets(text)}"`)
    }
  }
  for (const name of Object.keys(environment)) {
    if (name.startsWith(ownPrefix) && !Object.hasOwn(settings, name)) {
      problems.push(
        `${name} is no setting of this service; it knows ${Object.keys(settings)
          .filter((known) => known.startsWith(ownPrefix))
          .join(', ')}`,
      )
    }
  }
  for (const { check } of Object.values(settings)) {
    if (check !== undefined) problems.push(...check(values, environment))
  }
  if (problems.length > 0) throw new SettingsError(problems)
  // Every name of S has been read above.
  return values as SettingValues<S>
}

/** What was read, for the log: secrets masked. */
export function printableSettings(
  settings: Settings,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (settings[name]?.secret) return [name, value === '' ? '' : '***']
      return [name, typeof value === 'string' ? maskSecrets(value) : value]
    }),
  )
}

/** Hides the password of an address. */
export function maskSecrets(text: string): string {
  return text.replace(/(:\/\/[^:/@]*:)[^@]*@/, '$1***@')
}
