import { pino } from 'pino'
import type { Logger } from 'pino'
import { default as pretty } from 'pino-pretty'

export type { Logger } from 'pino'

export interface LoggerOptions {
  readonly service: string
  readonly level: string
}

/** JSON lines on standard output; readable ones where that is a terminal. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: { service: options.service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (!process.stdout.isTTY) return pino(settings)
  return pino(settings, pretty({ colorize: true, ignore: 'pid', sync: true }))
}
