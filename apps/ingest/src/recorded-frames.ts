import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'

import { z } from 'zod'

import { ImportProblem } from './import-arguments.ts'

const recordedLine = z.object({ dir: z.enum(['in', 'out']).nullish(), raw: z.string() })

/**
 * The frames that a venue sent, out of a recording: gzip, `{"t":…,"conn":…,"dir":"in","raw":"…"}` a line.
 *
 * @param onCutShort called if the file ends in the middle, as that of a process that was killed.
 * @throws ImportProblem if the file cannot be read or is no recording.
 */
export async function* recordedFrames(
  file: string,
  onCutShort: () => void,
): AsyncGenerator<string> {
  let number = 0
  for await (const line of linesOf(file, onCutShort)) {
    number += 1
    if (line === '') continue
    const frame = frameOf(line, `${file}, line ${number}`)
    if (frame !== undefined) yield frame
  }
}

function frameOf(line: string, where: string): string | undefined {
  try {
    const { dir, raw } = recordedLine.parse(JSON.parse(line))
    return dir === 'in' ? raw : undefined
  } catch (error) {
    throw new ImportProblem(`${where} is no line of a recording`, { cause: error })
  }
}

async function* linesOf(file: string, onCutShort: () => void): AsyncGenerator<string> {
  const source = createReadStream(file)
  const text = createGunzip().setEncoding('utf8')
  source.on('error', (error) => text.destroy(error))
  source.pipe(text)
  let rest = ''
  try {
    // The encoding makes the chunks texts.
    for await (const chunk of text as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    if (rest !== '') yield rest
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'Z_BUF_ERROR') {
      onCutShort()
      return
    }
    if (error instanceof ImportProblem) throw error
    throw new ImportProblem(`The recording ${file} cannot be read: ${String(error)}`, {
      cause: error,
    })
  } finally {
    source.destroy()
  }
}
