import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseProperties, renderProperties } from './properties.ts'

describe('properties', () => {
  test('are key=value lines; comments and blank lines are none', () => {
    const text = '# comment\n\nnode.id=1\n listeners = PLAINTEXT://127.0.0.1:1,CONTROLLER://x:2 \n'
    expect([...parseProperties(text)]).toEqual([
      ['node.id', '1'],
      ['listeners', 'PLAINTEXT://127.0.0.1:1,CONTROLLER://x:2'],
    ])
  })

  test('keep what follows the first equals sign', () => {
    expect(parseProperties('url=a=b').get('url')).toBe('a=b')
  })

  test.each(['no equals', '=no key', 'continued=line\\'])('name a line they lack: %j', (line) => {
    expect(() => parseProperties(`a=1\n${line}`)).toThrow(/^Line 2 must be/)
  })

  test('are written so that Java reads the same: backslashes and leading spaces survive', () => {
    expect(
      renderProperties(
        new Map([
          ['log.dirs', 'C:\\data'],
          ['a b', ' x'],
        ]),
      ),
    ).toBe('log.dirs=C:\\\\data\na\\ b=\\ x\n')
  })

  test('of the broker that containers share hold neither ports nor folders', () => {
    const file = join(import.meta.dirname, '..', '..', '..', 'docker', 'kafka', 'broker.properties')
    const shared = parseProperties(readFileSync(file, 'utf8'))
    expect(shared.get('auto.create.topics.enable')).toBe('false')
    expect(shared.get('group.initial.rebalance.delay.ms')).toBe('0')
    for (const appended of ['listeners', 'advertised.listeners', 'log.dirs']) {
      expect(shared.has(appended)).toBe(false)
    }
  })
})
