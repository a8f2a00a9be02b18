// What every npm script of this repository goes through: installs what is missing, then runs the
// command's TypeScript on the Node that npm installed. Plain JavaScript that Node 18 understands,
// without a dependency: it runs before there is any.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  createWriteStream,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { arch, platform } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const commands = {
  start: 'tools/start/src/main.ts',
  stack: 'tools/stack/src/main.ts',
  top: 'tools/top/src/main.ts',
  verify: 'tools/verify/src/main.ts',
  rebuild: 'apps/aggregator/src/rebuild-main.ts',
  redrive: 'tools/redrive/src/main.ts',
  import: 'apps/ingest/src/import-main.ts',
  keys: 'apps/gateway/src/protection/keys-main.ts',
  bench: 'tools/bench/src/main.ts',
  test: 'tools/end-to-end/src/main.ts',
}

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const binaries = join(modules, '.bin')
const node = join(binaries, 'node')
const stateFolder = join(root, '.tickertape')
const lockfile = join(root, 'package-lock.json')
const marker = join(modules, '.tickertape-installed')
const kafkaClient = join(modules, '@confluentinc', 'kafka-javascript')

/** Something for the user to do; its message is all there is to show. */
class Problem extends Error {}

async function main([name, ...args]) {
  if (Number(process.versions.node.split('.')[0]) < 18) {
    throw new Problem(`Node ${process.versions.node} is too old to install this. Use 18 or later.`)
  }
  if (name === undefined || !Object.hasOwn(commands, name)) {
    throw new Problem(
      `${name === undefined ? 'No command was named' : `There is no command "${name}"`}. The commands are: ${Object.keys(commands).join(', ')}.`,
    )
  }
  await provideModules()
  return await runToTheEnd(node, [join(root, commands[name]), ...args])
}

async function provideModules() {
  const wanted = installationKey()
  if (isInstalled(wanted)) return
  const release = await lockInstallation()
  try {
    if (isInstalled(wanted)) return
    if (!isInstalledByHand()) await install()
    writeFileSync(marker, wanted)
  } finally {
    release()
  }
}

/** The lock file and the machine: a folder that moves to another kind of machine is no good there. */
function installationKey() {
  const lock = createHash('sha256').update(readFileSync(lockfile)).digest('hex')
  return `${lock} ${platform()}-${arch()}\n`
}

function isInstalled(wanted) {
  return existsSync(node) && existsSync(marker) && readFileSync(marker, 'utf8') === wanted
}

/**
 * Whether somebody ran npm without this script, to the end and from the same lock file: npm keeps
 * what it installed last in a lock file of its own inside node_modules.
 */
function isInstalledByHand() {
  const hidden = join(modules, '.package-lock.json')
  if (!existsSync(hidden) || !existsSync(node) || !existsSync(join(kafkaClient, 'build'))) {
    return false
  }
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages
  const locked = JSON.parse(readFileSync(lockfile, 'utf8')).packages
  return Object.entries(locked).every(([path, { version, integrity, optional, os, cpu }]) => {
    if (path === '') return true
    const found = installed[path]
    // What is for other machines is left out.
    if (found === undefined) return Boolean(optional || os || cpu)
    return found.version === version && found.integrity === integrity
  })
}

async function install() {
  mkdirSync(stateFolder, { recursive: true })
  const logFile = join(stateFolder, 'install.log')
  const expected = Object.keys(JSON.parse(readFileSync(lockfile, 'utf8')).packages).length
  console.log(
    `Installing ${expected} npm packages; one of them, the Kafka client, is compiled here, which takes about two minutes.`,
  )
  // Compiled against the Node that npm installs next to it, not against the one that runs npm; and
  // with the libraries of the machine, where the static default fetches their sources.
  const nodePackage = join(modules, 'node', 'node_modules', `node-${platform()}-${arch()}`)
  const npm = spawn('npm', ['ci', '--no-progress', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // npm removes node_modules first, so it can't run on a Node from there.
      PATH: pathWithout(binaries),
      CKJS_LINKING: 'dynamic',
      npm_config_nodedir: nodePackage,
    },
  })
  const log = createWriteStream(logFile)
  let tail = ''
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      log.write(chunk)
      tail = (tail + chunk).slice(-2_000)
    })
  }
  const startedAt = Date.now()
  const clock = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    console.log(`  ${seconds} s: ${installationPhase()}`)
  }, 10_000)
  const forward = (signal) => npm.kill(signal)
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, () => forward(signal)])
  for (const [signal, handler] of handlers) process.on(signal, handler)
  let ending
  try {
    ending = await endOf(npm)
  } catch (error) {
    throw new Problem(`npm can't be run (${error.message}). Install npm 10 or later.`)
  } finally {
    clearInterval(clock)
    log.end()
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
  if (ending.signal !== null || ending.code === 130)
    throw new Problem('The installation was stopped.')
  if (ending.code !== 0) throw new Problem(whyInstallationFailed(tail, logFile))
  console.log(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`)
}

function installationPhase() {
  if (
    existsSync(join(kafkaClient, 'build')) ||
    existsSync(join(kafkaClient, 'deps', 'librdkafka', 'config.log'))
  ) {
    return 'compiling the Kafka client'
  }
  const present = existsSync(modules) ? readdirSync(modules).length : 0
  return present === 0 ? 'asking the registry' : 'unpacking packages'
}

function whyInstallationFailed(tail, logFile) {
  const missing = [
    ['make', ['make']],
    ['a C++ compiler', ['c++', 'g++', 'clang++']],
    ['Python 3', ['python3']],
  ]
    .filter(([, candidates]) => !candidates.some(canRun))
    .map(([title]) => title)
  if (missing.length > 0) {
    const last = missing.pop()
    const list = missing.length === 0 ? last : `${missing.join(', ')} and ${last}`
    return `The npm packages could not be installed: the Kafka client has to be compiled, and ${list} can't be found. Install the build tools (Debian: apt-get install build-essential python3; macOS: xcode-select --install) and try again.`
  }
  const lines = tail.trimEnd().split('\n').slice(-8)
  return `The npm packages could not be installed. The whole output is in ${logFile}; it ends with:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

function canRun(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
}

/**
 * Makes this process the only one that installs here. A lock whose holder is gone is taken over.
 *
 * Returns what releases it.
 */
async function lockInstallation() {
  mkdirSync(stateFolder, { recursive: true })
  const path = join(stateFolder, 'install.lock')
  const own = `${path}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    for (let waited = 0; ; waited += 1) {
      try {
        // link, unlike a plain write, never shows others a lock without its holder's pid in it
        linkSync(own, path)
        return () => rmSync(path, { force: true })
      } catch (error) {
        if (error.code !== 'EEXIST') throw error
      }
      const holder = readIfThere(path)
      if (holder === undefined) continue
      if (!isRunning(Number(holder))) {
        takeAway(path, holder)
        continue
      }
      if (waited % 15 === 0)
        console.log(`Waiting for process ${holder}, which installs the packages …`)
      await delay(1_000)
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** Removes a dead holder's lock, but not the one that somebody quicker has put in its place. */
function takeAway(path, deadHolder) {
  const aside = `${path}.aside.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
  if (readFileSync(aside, 'utf8') !== deadHolder) {
    try {
      linkSync(aside, path)
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
  }
  rmSync(aside, { force: true })
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Runs a program in the foreground, hands it the signals that this process gets, and returns its
 * exit code; never ends before it does.
 *
 * Ctrl-C reaches every process of the terminal's foreground group, the program included, and npm
 * sends it on to us once more. A program that gets it twice may take the second as "at once". So a
 * canary in the same group tells the cases apart: if the signal ended it as well, the program has
 * got it already.
 */
async function runToTheEnd(file, args) {
  const program = spawn(file, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: [binaries, pathWithout(binaries)].join(delimiter) },
  })
  const lastSeen = new Map()
  let canary = startCanary()
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [
    signal,
    async () => {
      const isRepeat = Date.now() - (lastSeen.get(signal) ?? 0) < 1_000
      lastSeen.set(signal, Date.now())
      if (isRepeat) return
      const reachedGroup = await Promise.race([canary.ended, delay(300)])
      if (reachedGroup) canary = startCanary()
      else program.kill(signal)
    },
  ])
  for (const [signal, handler] of handlers) process.on(signal, handler)
  try {
    const { code, signal } = await endOf(program)
    // As a shell says it: 128 and the signal's number.
    return code ?? 128 + (signalNumbers[signal] ?? 0)
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler)
    canary.stop()
  }
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

/** A process that does nothing until it is signalled, or this process ends. */
function startCanary() {
  const process = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  process.stdin.on('error', () => undefined)
  process.unref()
  const ended = new Promise((resolve) => {
    process.once('exit', () => resolve(true))
    // Where there is no cat, nothing is known, and signals are passed on.
    process.once('error', () => undefined)
  })
  return { ended, stop: () => process.kill('SIGKILL') }
}

function endOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

function pathWithout(folder) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.filter((candidate) => candidate !== folder).join(delimiter)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Problem)) throw error
  console.error(error.message)
  process.exitCode = 1
}
