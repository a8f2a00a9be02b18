import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeCertificates } from './certificates.ts'
import { lockFileName, lockFolder } from './folder-lock.ts'
import { logFileOf, startPart } from './start-part.ts'
import {
  partNames,
  partTitles,
  terminations,
  type OptionalPartName,
  type Part,
  type PartName,
} from './part.ts'
import { defaultPorts, findFreePorts, host, type StackPorts } from './ports.ts'
import { databaseUrl } from './postgres.ts'
import { identityOf, isAlive, terminate } from './process-identity.ts'
import { provideOptionalParts, provideParts } from './provide-parts.ts'
import { registryUrl } from './registry.ts'
import { forgetPart, readRun, recordOwner, type Owner } from './run-records.ts'
import { StackProblem } from './stack-problem.ts'
import { securedAccess, type SecuredAccess } from './secured-access.ts'
import { stopRecorded } from './stop-recorded.ts'
import { throwIfCancelled } from './wait-until.ts'
import { startWatchdog } from './watchdog-link.ts'
import { zipkinUrl } from './zipkin.ts'

export interface StackAddresses {
  /** `host:port`, as Kafka clients take it. */
  readonly kafkaBrokers: string
  /** The registry's Confluent-compatible API. */
  readonly registryUrl: string
  readonly databaseUrl: string
  /** Where Zipkin takes and shows traces; undefined unless it was asked for. */
  readonly zipkinUrl: string | undefined
}

export interface RunningStack extends StackAddresses, AsyncDisposable {
  readonly folder: string
  /** Whether it was up already, by `stack up`. Disposing of it then leaves it up. */
  readonly adopted: boolean
  /** How a secured stack is reached over TLS; undefined for any other. */
  readonly secured: SecuredAccess | undefined
  /**
   * Kills one part with SIGKILL and starts it again, on its port and with its data; resolves once it
   * answers. For tests of what an outage does.
   *
   * @throws {StackProblem} `in-use` for a detached stack: it is there for others too
   */
  killAndRestart(name: PartName): Promise<void>
}

export interface StackOptions {
  /** Holds data, logs and process records; made where it is missing. */
  readonly folder: string
  readonly ports: 'default' | 'free'
  readonly onProgress: (line: string) => void
  /** What is started besides; a stack that is up already gets it added. */
  readonly with?: readonly OptionalPartName[]
  /**
   * Whether its parts can be reached over TLS besides: for a folder without data, and with openssl at hand. What it
   * has then, `secured` says.
   */
  readonly secured?: boolean
  /** Delete the folder at the end, even where this process is killed. */
  readonly temporary?: boolean
  /** Gives up a start that is under way, and stops what it started. */
  readonly signal?: AbortSignal
}

export interface PartStatus {
  readonly name: PartName
  readonly running: boolean
  readonly pid: number
  readonly port: number
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly logFile: string
}

export interface StackStatus {
  readonly folder: string
  /** `attached` to a process that stops it when it ends, or `detached`, started by `stack up`. */
  readonly mode: Owner['mode'] | undefined
  readonly addresses: StackAddresses | undefined
  /** Every part that was started and not stopped, still running or not. */
  readonly parts: readonly PartStatus[]
}

/**
 * Starts Kafka, the schema registry and PostgreSQL, downloading what is missing, and returns once
 * each of them answers. The registry's global compatibility is BACKWARD then; topics are the
 * caller's to make.
 *
 * The stack ends with its starter: by disposing, or, where this process just ends or is killed, by a
 * watchdog process. What an earlier starter left behind in the folder is stopped first. A stack that
 * `stack up` left running in the folder is used instead, on the ports that it has; what `with` names
 * and it lacks is added, and stays up with it.
 *
 * @throws {StackProblem} with a message for the user, and nothing left running
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  return start(options, 'attached')
}

/** The same, for a stack that outlives its starter. Disposing of it does nothing. */
export async function startDetachedStack(options: StackOptions): Promise<RunningStack> {
  return start(options, 'detached')
}

/** What the folder's records say, checked against the processes that run. Waits for nobody. */
export async function runningStackStatus(folder: string): Promise<StackStatus> {
  const root = resolve(folder)
  const { owner, parts } = readRun(root)
  return {
    folder: root,
    mode: owner?.mode,
    addresses: owner && addressesOf(root, owner.ports),
    parts: parts.map(({ name, process, port, since }) => ({
      name,
      running: isAlive(process),
      pid: process.pid,
      port,
      since,
      logFile: logFileOf(root, name),
    })),
  }
}

/**
 * Stops the stack of this folder; its data stays.
 *
 * @returns how many processes were running
 * @throws {StackProblem} `in-use` while the process lives that the stack belongs to
 */
export async function stopStack(
  folder: string,
  onProgress: (line: string) => void = () => undefined,
): Promise<number> {
  const root = resolve(folder)
  if (!existsSync(root)) return 0
  using _lock = await lock(root, { onProgress })
  requireNoLiveStarter(root)
  return stopRecorded(root)
}

/** Stops the stack of this folder and deletes its data and logs. Throws as `stopStack` does. */
export async function resetStack(
  folder: string,
  onProgress: (line: string) => void = () => undefined,
): Promise<void> {
  const root = resolve(folder)
  if (!existsSync(root)) return
  using _lock = await lock(root, { onProgress })
  requireNoLiveStarter(root)
  await stopRecorded(root)
  for (const name of await readdir(root)) {
    // Whoever waits for the lock waits on this very file.
    if (name !== lockFileName) await rm(join(root, name), { recursive: true, force: true })
  }
}

async function start(options: StackOptions, mode: Owner['mode']): Promise<RunningStack> {
  const folder = resolve(options.folder)
  const { onProgress, signal, temporary = false } = options
  await mkdir(folder, { recursive: true })
  using _lock = await lock(folder, options)

  const adopted = portsOfDetached(folder)
  if (adopted !== undefined) {
    await addTo(folder, adopted, options)
    return {
      folder,
      ...addressesOf(folder, adopted),
      adopted: true,
      secured: undefined,
      killAndRestart: refuseRestart,
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
  requireNoLiveStarter(folder)
  const left = await stopRecorded(folder)
  if (left > 0) onProgress(`Stopped ${left} processes of an earlier run`)

  const ports = options.ports === 'free' ? await findFreePorts() : defaultPorts
  const certificates =
    options.secured === true ? await makeCertificates(join(folder, 'certificates')) : undefined
  let parts: readonly Part[]
  try {
    parts = await provideParts({ folder, ports, certificates }, options.with ?? [], options)
  } catch (error) {
    if (temporary) await rm(folder, { recursive: true, force: true })
    throw error
  }
  throwIfCancelled(signal)
  const [last] = options.with ?? []
  onProgress(
    last === undefined
      ? 'Starting Kafka, the schema registry and PostgreSQL'
      : `Starting Kafka, the schema registry, PostgreSQL and ${partTitles[last]}`,
  )

  const run = randomUUID()
  recordOwner(folder, { run, mode, starter: identityOf(process.pid), ports })
  const watchdog = startWatchdog({ folder, run, temporary })
  const stop = async () => {
    // Where this run died and somebody started another in its place, that one stays.
    if (readRun(folder).owner?.run === run) {
      await stopRecorded(folder)
      if (temporary) await rm(folder, { recursive: true, force: true })
    }
    await watchdog.dismiss()
  }
  try {
    await startAll(folder, parts, options)
  } catch (error) {
    await stop()
    throw error
  }

  const running = {
    folder,
    ...addressesOf(folder, ports),
    adopted: false,
    secured: certificates === undefined ? undefined : securedAccess(ports, certificates),
  }
  if (mode === 'detached') {
    await watchdog.dismiss()
    return {
      ...running,
      killAndRestart: refuseRestart,
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
  let disposal: Promise<void> | undefined
  const dispose = async () => {
    using _disposalLock = await lock(folder, { onProgress })
    await stop()
  }
  return {
    ...running,
    killAndRestart: (name) => killAndRestart(folder, parts, name, options),
    [Symbol.asyncDispose]: () => (disposal ??= dispose()),
  }
}

async function refuseRestart(name: PartName): Promise<never> {
  throw new StackProblem(
    'in-use',
    `The stack lives on without this process, for others too, so its ${name} is not killed: start a stack in a folder of your own`,
  )
}

async function killAndRestart(
  folder: string,
  parts: readonly Part[],
  name: PartName,
  options: StackOptions,
): Promise<void> {
  using _lock = await lock(folder, options)
  const recorded = readRun(folder).parts.filter((part) => part.name === name)
  await Promise.all(
    recorded.map(({ process }) => terminate(process, { signal: 'SIGKILL', boundMs: 10_000 })),
  )
  await startAll(
    folder,
    parts.filter((part) => part.name === name),
    options,
  )
}

/** Starts what is asked for and is not up; the rest of the stack stays as it is, whatever comes of it. */
async function addTo(folder: string, ports: StackPorts, options: StackOptions): Promise<void> {
  const alive = namesAlive(folder)
  const missing = (options.with ?? []).filter((name) => !alive.has(name))
  const parts = await provideOptionalParts({ folder, ports }, missing, options)
  try {
    await startAll(folder, parts, options)
  } catch (error) {
    for (const { name, process } of readRun(folder).parts) {
      if (!missing.some((added) => added === name)) continue
      await terminate(process, terminations[name])
      forgetPart(folder, name)
    }
    throw error
  }
}

/** Starts all at once; where one fails, the others give up too before the failure is thrown. */
async function startAll(
  folder: string,
  parts: readonly Part[],
  { onProgress, signal }: StackOptions,
): Promise<void> {
  const failed = new AbortController()
  const eitherSignal = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  const starts = parts.map(async (part) => {
    try {
      await startPart({ folder, part, onProgress, signal: eitherSignal })
    } catch (error) {
      failed.abort()
      throw error
    }
  })
  const outcomes = await Promise.allSettled(starts)
  const reasons = outcomes.filter((outcome) => outcome.status === 'rejected')
  // The others were cancelled because of the one that failed first.
  const cause = reasons.find(({ reason }) => !isCancellation(reason)) ?? reasons[0]
  if (cause !== undefined) throw cause.reason
}

function isCancellation(reason: unknown): boolean {
  return reason instanceof StackProblem && reason.code === 'cancelled'
}

/** The ports of a whole stack that `stack up` left running in the folder. */
function portsOfDetached(folder: string): StackPorts | undefined {
  const { owner } = readRun(folder)
  if (owner?.mode !== 'detached') return undefined
  const alive = namesAlive(folder)
  return partNames.every((name) => alive.has(name)) ? owner.ports : undefined
}

function namesAlive(folder: string): ReadonlySet<PartName> {
  const alive = readRun(folder).parts.filter((part) => isAlive(part.process))
  return new Set(alive.map((part) => part.name))
}

function requireNoLiveStarter(folder: string): void {
  const { owner, parts } = readRun(folder)
  if (owner?.mode !== 'attached' || !isAlive(owner.starter)) return
  if (!parts.some((part) => isAlive(part.process))) return
  throw new StackProblem(
    'in-use',
    `The stack in ${folder} belongs to process ${owner.starter.pid}, which is still running. End that process (Ctrl-C in its terminal), which stops the stack.`,
  )
}

function lock(
  folder: string,
  { onProgress, signal }: Pick<StackOptions, 'onProgress' | 'signal'>,
): Promise<Disposable> {
  const whom = () => {
    const pid = readRun(folder).owner?.starter.pid
    return `the process${pid === undefined ? '' : ` (${pid}?)`} that is starting or stopping the stack in ${folder}`
  }
  return lockFolder(folder, { whom, onProgress, signal })
}

function addressesOf(folder: string, ports: StackPorts): StackAddresses {
  const hasZipkin = readRun(folder).parts.some(({ name }) => name === 'zipkin')
  return {
    kafkaBrokers: `${host}:${ports.kafka}`,
    registryUrl: registryUrl(ports.registry),
    databaseUrl: databaseUrl(ports.postgres),
    zipkinUrl: hasZipkin ? zipkinUrl(ports.zipkin) : undefined,
  }
}
