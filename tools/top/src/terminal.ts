import type { ReadStream, WriteStream } from 'node:tty'

/** A screen of its own, which a terminal leaves again as it was. */
const enter = '\u001B[?1049h\u001B[?25l'
const leave = '\u001B[?25h\u001B[?1049l'
const home = '\u001B[H'
const endOfLine = '\u001B[K'
const below = '\u001B[J'
const ctrlC = '\u0003'

/**
 * Takes the terminal over until it is disposed.
 *
 * @param onLeave called for q and Ctrl-C, which a terminal in raw mode gives as a key.
 */
export class Terminal implements Disposable {
  readonly #input: ReadStream
  readonly #output: WriteStream
  readonly #onKey: (key: Buffer) => void

  constructor(input: ReadStream, output: WriteStream, onLeave: () => void) {
    this.#input = input
    this.#output = output
    this.#onKey = (key) => {
      if (['q', 'Q', ctrlC].includes(key.toString())) onLeave()
    }
    if (input.isTTY) input.setRawMode(true).resume().on('data', this.#onKey)
    output.write(enter)
  }

  /** In place of what was shown; what the terminal has no lines for is left out. */
  show(lines: readonly string[]): void {
    const shown = lines.slice(0, Math.max(1, this.#output.rows - 1))
    const text = shown.map((line) => `${line}${endOfLine}\n`).join('')
    this.#output.write(`${home}${text}${below}`)
  }

  [Symbol.dispose](): void {
    this.#output.write(leave)
    if (this.#input.isTTY) this.#input.off('data', this.#onKey).setRawMode(false).pause()
  }
}
