import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionalPartNames, partNames, type PartName } from './part.ts'
import { defaultPorts, type StackPorts } from './ports.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** Who started the stack in this folder, and whether it is to live on without its starter. */
export interface Owner {
  /** Tells this run of the stack from an earlier and a later one in the same folder. */
  readonly run: string
  readonly mode: 'attached' | 'detached'
  readonly starter: ProcessIdentity
  readonly ports: StackPorts
}

export interface PartRecord {
  readonly name: PartName
  readonly process: ProcessIdentity
  readonly port: number
  /** Milliseconds since the epoch. */
  readonly since: number
}

export interface RunRecords {
  readonly owner: Owner | undefined
  readonly parts: readonly PartRecord[]
}

/**
 * Written in one go and synchronously, right after the process is started: between the two there is
 * nothing at which our own process could stop for long.
 */
export function recordPart(folder: string, part: PartRecord): void {
  writeRecord(folder, `${part.name}.json`, part)
}

export function recordOwner(folder: string, owner: Owner): void {
  writeRecord(folder, 'owner.json', owner)
}

export function forgetPart(folder: string, name: PartName): void {
  rmSync(join(runFolder(folder), `${name}.json`), { force: true })
}

export function forgetRun(folder: string): void {
  rmSync(runFolder(folder), { recursive: true, force: true })
}

/** What the records in the folder say; it is for the caller to see who of them is still alive. */
export function readRun(folder: string): RunRecords {
  const run = runFolder(folder)
  const files = new Set(listed(run))
  const read = <Record>(name: string) => readRecord<Record>(join(run, `${name}.json`))
  return {
    owner: files.has('owner.json') ? withAllPorts(read<Owner>('owner')) : undefined,
    parts: [...partNames, ...optionalPartNames]
      .filter((name) => files.has(`${name}.json`))
      .map(read<PartRecord>),
  }
}

/** What an earlier version of this program left running has no port for what was added since. */
function withAllPorts(owner: Owner): Owner {
  return { ...owner, ports: { ...defaultPorts, ...owner.ports } }
}

function runFolder(folder: string): string {
  return join(folder, 'run')
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readRecord<Record>(path: string): Record {
  // as: records are written by this file alone, and renamed into place whole
  return JSON.parse(readFileSync(path, 'utf8')) as Record
}

function writeRecord(folder: string, name: string, record: object): void {
  const run = runFolder(folder)
  mkdirSync(run, { recursive: true })
  const path = join(run, name)
  writeFileSync(`${path}.new`, JSON.stringify(record))
  renameSync(`${path}.new`, path)
}
