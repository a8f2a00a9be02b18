import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import { runningStackStatus } from '@tickertape/stack'
import type { RunningStack } from '@tickertape/stack'

/**
 * Runs Kafka's own kafka-consumer-perf-test over a topic, with the heap that its script gives it.
 *
 * @returns records a second while it fetched, joining its group left out.
 */
export async function consumerPerf(
  stack: RunningStack,
  topic: string,
  records: number,
): Promise<number> {
  const { java, classpath } = await kafkaProgram(stack)
  const tool = ['-Xmx512m', '-cp', classpath, 'org.apache.kafka.tools.ConsumerPerformance']
  const what = ['--bootstrap-server', stack.kafkaBrokers, '--topic', topic]
  const { stdout } = await promisify(execFile)(
    java,
    [...tool, ...what, '--num-records', String(records)],
    { timeout: 120_000 },
  )
  return fetchRateOf(stdout)
}

/**
 * The figure fetch.nMsg.sec of a run's output: a line of names and one of values, parted by commas.
 *
 * @throws Error if the output has none.
 */
export function fetchRateOf(output: string): number {
  const lines = output.split('\n').map((line) => line.split(',').map((cell) => cell.trim()))
  const header = lines.findIndex((cells) => cells.includes('fetch.nMsg.sec'))
  const column = lines[header]?.indexOf('fetch.nMsg.sec') ?? -1
  const rate = Number(lines[header + 1]?.[column])
  if (column < 0 || !(rate > 0)) {
    throw new Error(`kafka-consumer-perf-test gave no fetch.nMsg.sec:\n${output}`)
  }
  return rate
}

/** The java and the classpath that the stack's broker runs with: the tool is in the same jars. */
async function kafkaProgram(
  stack: RunningStack,
): Promise<{ readonly java: string; readonly classpath: string }> {
  const { parts } = await runningStackStatus(stack.folder)
  const broker = parts.find(({ name }) => name === 'kafka')
  if (broker === undefined) throw new Error('The stack of this bench has no Kafka broker')
  const command = (await readFile(`/proc/${broker.pid}/cmdline`, 'utf8')).split('\0')
  const [java] = command
  const classpath = command[command.indexOf('-cp') + 1]
  if (java === undefined || classpath === undefined || !command.includes('-cp')) {
    throw new Error(`Process ${broker.pid} does not look like Kafka: ${command.join(' ')}`)
  }
  return { java, classpath }
}
