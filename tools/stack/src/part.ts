import type { CertificateFiles } from './certificates.ts'
import type { StackPorts } from './ports.ts'
import type { Termination } from './process-identity.ts'

/** What every stack has. */
export type CorePartName = 'kafka' | 'registry' | 'postgres'

/** What a stack has only if it is asked for. */
export type OptionalPartName = 'zipkin'

export type PartName = CorePartName | OptionalPartName

export const partNames: readonly CorePartName[] = ['kafka', 'registry', 'postgres']

export const optionalPartNames: readonly OptionalPartName[] = ['zipkin']

/** For people. */
export const partTitles: Readonly<Record<PartName, string>> = {
  kafka: 'Kafka',
  registry: 'Schema registry',
  postgres: 'PostgreSQL',
  zipkin: 'Zipkin',
}

/** @throws Error naming the parts that there are */
export function readOptionalParts(given: readonly string[]): readonly OptionalPartName[] {
  return given.map((name) => {
    const known = optionalPartNames.find((candidate) => candidate === name)
    if (known === undefined) {
      throw new Error(`--with must be ${optionalPartNames.join(' or ')}, got "${name}"`)
    }
    return known
  })
}

/** How each part is asked to end. */
export const terminations: Readonly<Record<PartName, Termination>> = {
  kafka: { signal: 'SIGTERM', boundMs: 20_000 },
  registry: { signal: 'SIGTERM', boundMs: 10_000 },
  // SIGINT is PostgreSQL's fast shutdown. On SIGTERM it waits for every client to leave.
  postgres: { signal: 'SIGINT', boundMs: 20_000 },
  zipkin: { signal: 'SIGTERM', boundMs: 10_000 },
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly folder: string
  /** Another user to run as, which only root can ask for. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
}

/** One process of the stack: how it is prepared, started, found ready, and stopped. */
export interface Part {
  readonly name: PartName
  /** Name and version, for people. */
  readonly title: string
  readonly port: number
  /** Makes what must be on disk before the first start, and does nothing where it is. */
  prepare(): Promise<void>
  command(): Promise<Command>
  /** Whether it answers a real request. May throw as long as it does not. */
  isReady(): Promise<boolean>
  /** What is set once it is ready. */
  settle?(): Promise<void>
}

export interface PartPlace {
  /** The stack's folder; each part keeps its data in a folder of its own beneath it. */
  readonly folder: string
  readonly ports: StackPorts
  /** Of a secured stack: what its servers show and trust. */
  readonly certificates?: CertificateFiles | undefined
}
