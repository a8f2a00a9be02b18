import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { startStack } from '@tickertape/stack'

import { testEnvironment } from './config.ts'
import type { TestRunOptions } from './config.ts'
import { summarize } from './test-summary.ts'
import type { TestReport, TestSummary } from './test-summary.ts'

const run = promisify(execFile)

const resultsFolder = 'dist/test-results'

/**
 * Runs lint, typecheck and every test of the workspace, or of the projects that changes touch, on a stack of its
 * own on free ports.
 *
 * @returns the counts of all suites; a failed lint or typecheck counts as a failure.
 */
export async function runTests(
  options: TestRunOptions,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<TestSummary> {
  rmSync(resultsFolder, { recursive: true, force: true })
  const which =
    options.affectedSince === undefined
      ? ['run-many']
      : ['affected', `--base=${options.affectedSince}`]
  const checksPassed = await nx([...which, '-t', 'lint', 'typecheck', 'test'], '2', {}, signal)
  if (signal.aborted) return counted(false)
  if (options.affectedSince !== undefined && !(await touchesServices(options.affectedSince))) {
    print('\nNo project with integration tests is touched')
    return counted(checksPassed)
  }
  print('\nStarting a stack for the integration tests …')
  await using stack = await startStack({
    folder: mkdtempSync(join(tmpdir(), 'tickertape-test-')),
    ports: 'free',
    onProgress: print,
    temporary: true,
    signal,
  })
  const environment = {
    TICKERTAPE_TEST_KAFKA: stack.kafkaBrokers,
    TICKERTAPE_TEST_REGISTRY: stack.registryUrl,
    TICKERTAPE_TEST_DATABASE: stack.databaseUrl,
    ...(options.long ? { TICKERTAPE_TEST_LONG: '1' } : {}),
  }
  // One project after the other: each starts services of its own, and there are few cores.
  const integrationPassed = await nx([...which, '-t', 'integration'], '1', environment, signal)
  return counted(checksPassed && integrationPassed)
}

function counted(success: boolean): TestSummary {
  const reports = globSync(`${resultsFolder}/**/*.json`).map(
    // Written by vitest a moment ago.
    (file) => JSON.parse(readFileSync(file, 'utf8')) as TestReport,
  )
  const summary = summarize(reports)
  return success || summary.failed > 0 ? summary : { ...summary, failed: 1 }
}

async function touchesServices(base: string): Promise<boolean> {
  const { stdout } = await run(
    'nx',
    ['show', 'projects', '--affected', `--base=${base}`, '--withTarget=integration'],
    { env: testEnvironment({}) },
  )
  return stdout.trim() !== ''
}

async function nx(
  command: readonly string[],
  parallel: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  const child = spawn('nx', [...command, `--parallel=${parallel}`, '--outputStyle=static'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: testEnvironment(environment),
  })
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const [code] = await once(child, 'exit')
  signal.removeEventListener('abort', stop)
  return code === 0
}
