import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

export interface FrameRecorderOptions {
  readonly folder: string
  /** Names the files, with the time of their beginning; only files of this name are ever deleted. */
  readonly name: string
  /** Of all files together, compressed. The oldest go first. */
  readonly maxBytes: number
  /** Longest wait of a line for others to be written with it. */
  readonly everyMs?: number
  readonly onDropped: (frames: number) => void
  readonly onWritten: (bytes: number) => void
  /** Nothing is recorded after it. */
  readonly onFailure: (error: Error) => void
}

/** Text that waits for the disk: what comes beyond it is left out, for the feed waits for nothing. */
const maxWaitingBytes = 16 * 1024 ** 2

/** Least text that is written at once, unless the time has come. */
const chunkBytes = 256 * 1024
const defaultEveryMs = 1_000

/** Files that share the space. */
const filesInSpace = 4

const compress = promisify(gzip)

/**
 * Writes the frames that a venue sends as they came, in the format that the market simulator replays: gzip,
 * `{"t":…,"conn":…,"dir":"in","raw":"…"}` a line, `dir` null where a connection opens, `t` the time of
 * receipt in seconds. What we send is left out: it may hold keys.
 *
 * Each stretch of lines is a gzip member of its own, so that a file is whole up to the last one whenever
 * the process ends.
 */
export class FrameRecorder implements AsyncDisposable {
  readonly #options: FrameRecorderOptions
  readonly #timer: NodeJS.Timeout
  #lines: string[] = []
  #waitingBytes = 0
  #dropped = 0
  #connections = 0
  #file: { readonly path: string; bytes: number } | undefined
  #files = 0
  #writing: Promise<void> | undefined
  #over = false

  private constructor(options: FrameRecorderOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#writeSoon(), options.everyMs ?? defaultEveryMs)
    this.#timer.unref()
  }

  /** @throws Error if the folder cannot be made. */
  static async open(options: FrameRecorderOptions): Promise<FrameRecorder> {
    await mkdir(options.folder, { recursive: true })
    return new FrameRecorder(options)
  }

  /** @returns the number of a connection that opens, for its frames. */
  opened(): number {
    this.#connections += 1
    this.#line({ conn: this.#connections, dir: null, raw: '' })
    return this.#connections
  }

  /** Takes a frame as it came; never waits. */
  received(conn: number, raw: string): void {
    this.#line({ conn, dir: 'in', raw })
  }

  /** Writes what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    while (this.#lines.length > 0 || this.#writing !== undefined) {
      this.#writeSoon()
      await this.#writing
    }
    this.#over = true
  }

  #line(line: { readonly conn: number; readonly dir: 'in' | null; readonly raw: string }): void {
    if (this.#over) return
    if (this.#waitingBytes >= maxWaitingBytes) {
      this.#dropped += 1
      return
    }
    const text = JSON.stringify({ t: Date.now() / 1000, ...line })
    this.#lines.push(text)
    this.#waitingBytes += text.length
    if (this.#waitingBytes >= chunkBytes) this.#writeSoon()
  }

  #writeSoon(): void {
    if (this.#dropped > 0) this.#options.onDropped(this.#dropped)
    this.#dropped = 0
    if (this.#writing !== undefined || this.#lines.length === 0) return
    const text = `${this.#lines.join('\n')}\n`
    this.#lines = []
    this.#waitingBytes = 0
    this.#writing = this.#write(text)
      .catch((error: unknown) => {
        this.#over = true
        this.#lines = []
        this.#options.onFailure(error instanceof Error ? error : new Error(String(error)))
      })
      .finally(() => (this.#writing = undefined))
  }

  async #write(text: string): Promise<void> {
    const { maxBytes, onWritten } = this.#options
    const member = await compress(text)
    const file = this.#file ?? { path: this.#nextPath(), bytes: 0 }
    await appendFile(file.path, member)
    file.bytes += member.length
    this.#file = file.bytes < maxBytes / filesInSpace ? file : undefined
    onWritten(member.length)
    await this.#makeRoom(file.path)
  }

  #nextPath(): string {
    const { folder, name } = this.#options
    const time = new Date().toISOString().replaceAll(/[-:]/g, '').replace('.', '')
    this.#files += 1
    const count = String(this.#files).padStart(6, '0')
    return join(folder, `${fileName(name)}.${time}.${count}.jsonl.gz`)
  }

  /** Deletes the oldest files until all fit, those of earlier runs included; never the last one. */
  async #makeRoom(current: string): Promise<void> {
    const { folder, maxBytes, name } = this.#options
    const own = new RegExp(`^${escaped(fileName(name))}\\.\\d{8}T\\d{9}Z\\.\\d{6}\\.jsonl\\.gz$`)
    const names = (await readdir(folder)).filter((each) => own.test(each)).toSorted()
    const files = await Promise.all(
      names.map(async (each) => {
        const path = join(folder, each)
        return { path, bytes: (await stat(path)).size }
      }),
    )
    let bytes = files.reduce((sum, each) => sum + each.bytes, 0)
    for (const each of files) {
      if (bytes <= maxBytes || each.path === current) return
      await rm(each.path, { force: true })
      bytes -= each.bytes
    }
  }
}

/** A feedId may hold what a file's name may not. */
function fileName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '_')
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}
