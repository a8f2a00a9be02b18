import { spawn } from 'node:child_process'
import type { Command } from './part.ts'

/**
 * Runs a command to its end, with `input` on its standard input.
 *
 * @throws {Error} with the end of what it printed, when it fails
 */
export async function runCommand(command: Command, input = ''): Promise<void> {
  const child = spawn(command.file, command.args, {
    cwd: command.folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...command.user,
  })
  let output = ''
  const keep = (chunk: string) => {
    output = (output + chunk).slice(-4_000)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  // A command that ends without reading its input breaks the pipe; its exit code tells the rest.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const ended = Promise.withResolvers<number | null>()
  child.once('close', ended.resolve)
  child.once('error', ended.reject)
  const code = await ended.promise
  if (code !== 0) {
    throw new Error(`${command.file} ended with code ${code}: ${output.trim()}`)
  }
}
