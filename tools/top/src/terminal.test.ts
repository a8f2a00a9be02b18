import { EventEmitter } from 'node:events'
import type { ReadStream, WriteStream } from 'node:tty'

import { expect, it } from 'vitest'

import { Terminal } from './terminal.ts'

/** The part of a terminal's input that is used: a terminal is no stream that a test could open. */
class Keyboard extends EventEmitter {
  readonly isTTY = true
  isRaw = false

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw
    return this
  }

  resume(): this {
    return this
  }

  pause(): this {
    return this
  }
}

function open(rows: number) {
  const keyboard = new Keyboard()
  const written: string[] = []
  let left = 0
  const output = { rows, write: (text: string) => written.push(text) }
  const terminal = new Terminal(
    // What Terminal calls of them is there.
    keyboard as unknown as ReadStream,
    output as unknown as WriteStream,
    () => (left += 1),
  )
  return { keyboard, terminal, text: () => written.join(''), left: () => left }
}

it.each(['q', 'Q', '\u0003'])('the key %j leaves', (key) => {
  const { keyboard, terminal, left } = open(24)
  using _ = terminal
  keyboard.emit('data', Buffer.from('x'))
  expect(left()).toBe(0)
  keyboard.emit('data', Buffer.from(key))
  expect(left()).toBe(1)
})

it('gives the terminal back as it was', () => {
  const { keyboard, terminal, text } = open(24)
  expect(keyboard.isRaw).toBe(true)
  expect(text()).toBe('\u001B[?1049h\u001B[?25l')
  terminal[Symbol.dispose]()
  expect(text()).toMatch(/\?25h.\[\?1049l$/)
  expect(keyboard.isRaw).toBe(false)
  expect(keyboard.listenerCount('data')).toBe(0)
})

it('shows no more lines than there are', () => {
  const { terminal, text } = open(3)
  using _ = terminal
  terminal.show(['one', 'two', 'three'])
  expect(text()).toContain('two')
  expect(text()).not.toContain('three')
})
