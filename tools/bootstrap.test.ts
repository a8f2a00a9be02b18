import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

/** A repository that has nothing but bootstrap.mjs, and on PATH an npm that notes what it is asked. */
let root: string
let log: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tickertape-bootstrap-'))
  log = join(root, 'npm.log')
  mkdirSync(join(root, 'tools', 'stack', 'src'), { recursive: true })
  mkdirSync(join(root, 'bin'))
  cpSync(join(import.meta.dirname, 'bootstrap.mjs'), join(root, 'tools', 'bootstrap.mjs'))
  writeFileSync(join(root, 'package-lock.json'), '{ "packages": { "": {} } }')
  writeNpm('mkdir -p node_modules/.bin && ln -s "$REAL_NODE" node_modules/.bin/node')
  writeMain('console.log(process.argv.slice(2).join()); process.exitCode = 7')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function writeNpm(install: string): void {
  const script = `#!/bin/sh
echo "$1 CKJS_LINKING=$CKJS_LINKING nodedir=$npm_config_nodedir" >> '${log}'
case $PATH in *node_modules*) echo 'npm runs on what it is about to remove' >> '${log}';; esac
rm -rf node_modules
${install}
`
  writeFileSync(join(root, 'bin', 'npm'), script, { mode: 0o755 })
}

function writeMain(script: string): void {
  writeFileSync(join(root, 'tools', 'stack', 'src', 'main.ts'), script)
}

function npmCalls(): string[] {
  return readFileSync(log, 'utf8').trim().split('\n')
}

function start(args: readonly string[], path = usualPath()) {
  return spawn(process.execPath, [join(root, 'tools', 'bootstrap.mjs'), ...args], {
    // A process group of its own, as a shell gives one to each command.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: path, REAL_NODE: process.execPath },
  })
}

/** As npm sets it for its scripts: what is installed comes first. */
function usualPath(): string {
  return [join(root, 'node_modules', '.bin'), join(root, 'bin'), '/usr/bin:/bin'].join(delimiter)
}

async function outcomeOf(child: ReturnType<typeof start>) {
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exitCode === null ? once(child, 'close') : undefined,
  ])
  return { stdout, stderr, code: child.exitCode }
}

const run = (...args: string[]) => outcomeOf(start(args))

describe('a command', () => {
  test.each([[[]], [['sideways']], [['constructor']]])(
    'that does not exist lists those that do: %j',
    async (args) => {
      const { stderr, code } = await run(...args)
      expect(stderr).toMatch(
        /The commands are: start, stack, top, verify, rebuild, redrive, import, keys, bench, test\.\n$/,
      )
      expect(code).toBe(1)
    },
  )

  test('is run with its arguments, and its exit code is passed on', async () => {
    const { stdout, code } = await run('stack', 'up', '--now')
    expect(stdout).toMatch(/^up,--now$/m)
    expect(code).toBe(7)
  })

  test('finds the installed Node first on PATH', async () => {
    writeMain('console.log(process.env.PATH)')
    const { stdout } = await run('stack')
    expect(stdout).toContain(`${join(root, 'node_modules', '.bin')}${delimiter}`)
  })
})

describe('an installation', () => {
  test('is done once, with the settings that the Kafka client is compiled by', async () => {
    await run('stack')
    await run('stack')
    expect(npmCalls()).toEqual([
      `ci CKJS_LINKING=dynamic nodedir=${join(root, 'node_modules', 'node', 'node_modules', `node-${process.platform}-${process.arch}`)}`,
    ])
  })

  test('is done again when the lock file has changed', async () => {
    await run('stack')
    writeFileSync(join(root, 'package-lock.json'), '{ "packages": { "": {}, "a": {} } }')
    await run('stack')
    expect(npmCalls()).toHaveLength(2)
  })

  test('is done once by two commands at the same time', async () => {
    const outcomes = await Promise.all([run('stack'), run('stack')])
    expect(outcomes.map(({ code }) => code)).toEqual([7, 7])
    expect(npmCalls()).toHaveLength(1)
  })

  test('waits for no process that is gone', async () => {
    mkdirSync(join(root, '.tickertape'))
    const gone = spawn('true')
    await once(gone, 'exit')
    writeFileSync(join(root, '.tickertape', 'install.lock'), String(gone.pid))
    expect((await run('stack')).code).toBe(7)
  })

  test('that fails shows the end of what npm said, and is tried again by the next command', async () => {
    writeNpm('echo "npm error no such package" >&2; exit 1')
    const { stderr, code } = await run('stack')
    expect(stderr).toMatch(/could not be installed.*install\.log; it ends with:\n {2}npm error no/s)
    expect(stderr).not.toContain('    at ')
    expect(code).toBe(1)
    await run('stack')
    expect(npmCalls()).toHaveLength(2)
  })

  test('that fails where there is no compiler says so in one line', async () => {
    writeNpm('exit 1')
    for (const needed of ['sh', 'rm', 'mkdir', 'cat']) {
      writeFileSync(join(root, 'bin', needed), `#!/bin/sh\nexec /bin/${needed} "$@"\n`, {
        mode: 0o755,
      })
    }
    const { stderr } = await outcomeOf(start(['stack'], join(root, 'bin')))
    expect(stderr).toMatch(
      /^[^\n]*make, a C\+\+ compiler and Python 3 can't be found\. Install the build tools[^\n]*\n$/,
    )
  })

  test('without npm says so', async () => {
    const { stderr, code } = await outcomeOf(start(['stack'], join(root, 'nowhere')))
    expect(stderr).toMatch(/^npm can't be run .*\n$/)
    expect(code).toBe(1)
  })
})

describe('a signal', () => {
  const counting = `
    let count = 0
    const seen = (signal) => {
      count += 1
      console.log('got ' + signal)
      if (count === 1) setTimeout(() => { process.exitCode = 3; clearInterval(alive) }, 800)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => seen(signal))
    const alive = setInterval(() => {}, 1000)
    console.log('ready')`

  async function signalled(send: (child: ChildProcess) => void) {
    writeMain(counting)
    const child = start(['stack'])
    const outcome = outcomeOf(child)
    let output = ''
    const ready = Promise.withResolvers<void>()
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('ready')) ready.resolve()
    })
    await ready.promise
    send(child)
    const { stdout, code } = await outcome
    return { got: stdout.match(/got \w+/g), code }
  }

  test('to the bootstrap alone is passed on once, and the command has its orderly end', async () => {
    expect(await signalled((child) => child.kill('SIGTERM'))).toEqual({
      got: ['got SIGTERM'],
      code: 3,
    })
  })

  test('to the whole group, as Ctrl-C sends it, reaches the command once', async () => {
    const toGroup = (child: ChildProcess) => process.kill(-(child.pid ?? 0), 'SIGINT')
    expect(await signalled(toGroup)).toEqual({ got: ['got SIGINT'], code: 3 })
  })

  test('to the whole group, and by npm to the bootstrap again, reaches the command once', async () => {
    const both = (child: ChildProcess) => {
      process.kill(-(child.pid ?? 0), 'SIGINT')
      child.stdout?.once('data', () => child.kill('SIGINT'))
    }
    expect(await signalled(both)).toEqual({ got: ['got SIGINT'], code: 3 })
  })

  test('that ends the command ends the bootstrap with the exit code that a shell gives', async () => {
    writeMain('process.kill(process.pid, "SIGKILL")')
    expect((await run('stack')).code).toBe(137)
  })
})
