import { z } from 'zod'
import { venueNames } from './market/venue-name.ts'
import type { SimulatorOptions } from './simulator.ts'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const integer = (least: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d+$/, 'must be a non-negative integer')
    .transform(Number)
    .pipe(z.int().min(least, `must be an integer of at least ${least}`))

const positive = z
  .string()
  .refine((text) => Number(text) > 0 && Number.isFinite(Number(text)), 'must be a positive number')
  .transform(Number)

const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((text) => text === 'true')

const time = z
  .string()
  .refine((text) => !Number.isNaN(readTime(text)), {
    message: 'must be milliseconds since the epoch or an ISO time',
  })
  .transform(readTime)

const venue = z.enum(venueNames)

/** Settings that a recording decides. */
const seededOnly = ['SIMULATOR_VENUES', 'SIMULATOR_END'] as const

const settings = z
  .object({
    SIMULATOR_PORT: integer(0).default(9100),
    SIMULATOR_VENUES: z
      .string()
      .transform((text) => text.split(','))
      .pipe(
        z.array(venue, {
          error: `must name venues, separated by a comma, out of ${venueNames.join(', ')}`,
        }),
      )
      .optional(),
    SIMULATOR_SEED: z.string().default('tickertape'),
    SIMULATOR_RATE: positive.default(1),
    SIMULATOR_SWAPS_PER_MINUTE: positive.optional(),
    SIMULATOR_SPEED: z
      .union([z.literal('max'), positive], { error: 'must be a positive number or "max"' })
      .default(1),
    SIMULATOR_SPEED_AFTER_END: positive.optional(),
    SIMULATOR_REPLAY: z.string().optional(),
    SIMULATOR_START: time.optional(),
    SIMULATOR_END: time.optional(),
    SIMULATOR_HOLD: flag.default(false),
    SIMULATOR_LIMITS: flag.default(true),
  })
  .check((read) => {
    const { value } = read
    for (const name of seededOnly) {
      if (value.SIMULATOR_REPLAY === undefined || value[name] === undefined) continue
      read.issues.push({
        code: 'custom',
        path: [name],
        message: 'must be left out with SIMULATOR_REPLAY, which brings its own',
        input: value[name],
      })
    }
  })

export const settingNames: readonly string[] = Object.keys(settings.shape)

/**
 * Reads the settings from the environment.
 *
 * @throws ConfigError that names every variable at fault, what it must be and what it is.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): SimulatorOptions {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const unknown = Object.keys(present)
    .filter((name) => name.startsWith('SIMULATOR_') && !settingNames.includes(name))
    .map((name) => `${name} is no setting; there are ${settingNames.join(', ')}`)
  const read = settings.safeParse(present)
  if (!read.success || unknown.length > 0) {
    const problems = (read.error?.issues ?? []).map((issue) => {
      const name = String(issue.path[0])
      return `${name} ${issue.message}, got "${present[name] ?? ''}"`
    })
    throw new ConfigError([...new Set([...unknown, ...problems])].join('\n'))
  }
  const given = read.data
  return {
    port: given.SIMULATOR_PORT,
    seed: given.SIMULATOR_SEED,
    rate: given.SIMULATOR_RATE,
    speed: given.SIMULATOR_SPEED,
    hold: given.SIMULATOR_HOLD,
    limits: given.SIMULATOR_LIMITS,
    ...(given.SIMULATOR_VENUES !== undefined && { venues: given.SIMULATOR_VENUES }),
    ...(given.SIMULATOR_SWAPS_PER_MINUTE !== undefined && {
      swapsPerMinute: given.SIMULATOR_SWAPS_PER_MINUTE,
    }),
    ...(given.SIMULATOR_SPEED_AFTER_END !== undefined && {
      speedAfterEnd: given.SIMULATOR_SPEED_AFTER_END,
    }),
    ...(given.SIMULATOR_REPLAY !== undefined && { replay: given.SIMULATOR_REPLAY }),
    ...(given.SIMULATOR_START !== undefined && { start: given.SIMULATOR_START }),
    ...(given.SIMULATOR_END !== undefined && { end: given.SIMULATOR_END }),
  }
}

function readTime(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text)
}
