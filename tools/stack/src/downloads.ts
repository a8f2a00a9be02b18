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

export const kafkaVersion = '4.3.1'
export const registryVersion = '3.0.9'

const packageFolder = join(import.meta.dirname, '..')
export const checksumsFile = join(packageFolder, 'checksums.txt')
const pomFile = join(packageFolder, 'pom.xml')
const registryArchive = `registry/apicurio-registry-app-${registryVersion}-all.tar.gz`

/** Jars and the unpacked registry in the cache, plus the archive and Maven's own copies on the way. */
const megabytesNeeded = 700

export interface Downloads {
  /** A folder of jars, the whole classpath of Kafka. */
  readonly kafkaJars: string
  readonly registryJar: string
}

export interface DownloadOptions {
  readonly cacheFolder: string
  readonly onProgress: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Kafka and the registry, from the cache or else by Maven.
 *
 * A download is made and verified in a folder of its own and then renamed into place, so that what
 * is in the cache is always whole, however a download ends. The name holds a digest of the
 * checksums: another version of any jar is another folder.
 *
 * @throws {StackProblem} `maven`, `disk`, `download` or `checksum`
 */
export async function provideDownloads(options: DownloadOptions): Promise<Downloads> {
  const listed = await readFile(checksumsFile, 'utf8')
  const checksums = parseChecksums(listed)
  const digest = createHash('sha256').update(listed).digest('hex').slice(0, 12)
  const name = `kafka-${kafkaVersion}-registry-${registryVersion}-${digest}`
  const folder = join(options.cacheFolder, name)
  const downloads = {
    kafkaJars: join(folder, 'kafka'),
    registryJar: join(folder, 'registry', `apicurio-registry-app-${registryVersion}-runner.jar`),
  }
  if (isWhole(downloads, checksums)) return downloads

  await requireMaven()
  await requireDisk(options.cacheFolder, megabytesNeeded)
  using _lock = await lockFolder(options.cacheFolder, {
    whom: () => 'another process that is filling the download cache',
    onProgress: options.onProgress,
    signal: options.signal,
  })
  if (isWhole(downloads, checksums)) return downloads

  await removeAbandoned(options.cacheFolder)
  const fresh = join(options.cacheFolder, `${abandonedPrefix}${process.pid}`)
  try {
    await fetchByMaven(fresh, options)
    options.onProgress('Verifying and unpacking the download')
    requireChecksums(checksums, await checksumsOf(fresh))
    await unpackRegistry(fresh)
    await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return downloads
}

/**
 * Downloads everything anew and returns its checksums, unverified: for a person to look at and
 * commit after a change of versions.
 */
export async function checksumsOfFreshDownload(options: DownloadOptions): Promise<Checksums> {
  await requireMaven()
  using _lock = await lockFolder(options.cacheFolder, {
    whom: () => 'another process that is filling the download cache',
    onProgress: options.onProgress,
  })
  const fresh = join(options.cacheFolder, `${abandonedPrefix}${process.pid}`)
  try {
    await fetchByMaven(fresh, options)
    return await checksumsOf(fresh)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** Guards against a cache that a person or a disk cleaner has thinned out. */
function isWhole({ kafkaJars, registryJar }: Downloads, checksums: Checksums): boolean {
  if (!existsSync(registryJar) || !existsSync(kafkaJars)) return false
  const jars = new Set(readdirSync(kafkaJars).map((jar) => `kafka/${jar}`))
  return [...checksums.keys()].every((path) => path === registryArchive || jars.has(path))
}

const abandonedPrefix = 'downloading-'

/** What a killed download left. The lock says that nobody is writing to it any more. */
async function removeAbandoned(cacheFolder: string): Promise<void> {
  for (const name of readdirSync(cacheFolder)) {
    if (name.startsWith(abandonedPrefix)) {
      await rm(join(cacheFolder, name), { recursive: true, force: true })
    }
  }
}

async function fetchByMaven(target: string, options: DownloadOptions): Promise<void> {
  const { cacheFolder, onProgress, signal } = options
  await mkdir(target, { recursive: true })
  const logFile = join(cacheFolder, 'download.log')
  onProgress(
    `Downloading Apache Kafka ${kafkaVersion} and Apicurio Registry ${registryVersion} (165 MB) by Maven`,
  )
  const goals = ['dependency:copy-dependencies@kafka', 'dependency:copy@registry']
  // -U asks again for what an earlier run could not find: Maven remembers failures for a day.
  const args = ['--batch-mode', '-U', '-f', pomFile, `-Dtarget=${target}`, ...goals]
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
        `Maven could not download Kafka and the schema registry: ${errors[0] ?? `exit code ${code}`} Check the network and Maven's settings, and try again; the whole output is in ${logFile}.`,
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

async function unpackRegistry(folder: string): Promise<void> {
  const archive = join(folder, registryArchive)
  const tar = spawn('tar', ['-xzf', archive, '-C', join(folder, 'registry')], { stdio: 'ignore' })
  const ended = Promise.withResolvers<number | null>()
  tar.once('exit', ended.resolve)
  tar.once('error', ended.reject)
  if ((await ended.promise) !== 0) {
    throw new StackProblem('download', `${archive} could not be unpacked with tar.`)
  }
  await rm(archive)
}
