import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { defaultPorts, findFreePorts, requireFreePorts } from './ports.ts'

describe('free ports', () => {
  test('are different ones for every purpose', async () => {
    const ports = Object.values(await findFreePorts())
    expect(new Set(ports).size).toBe(Object.keys(defaultPorts).length)
  })

  test('pass the check; a taken one is named with what it is for', async () => {
    const ports = await findFreePorts()
    await requireFreePorts(ports)

    const listener = createServer()
    const listening = Promise.withResolvers<void>()
    listener.listen(ports.registry, '127.0.0.1', listening.resolve)
    await listening.promise
    try {
      await expect(requireFreePorts(ports)).rejects.toMatchObject({
        code: 'port-taken',
        message: expect.stringMatching(
          `^Port ${ports.registry} on 127.0.0.1, which the schema registry needs, is taken`,
        ),
      })
    } finally {
      listener.close()
    }
  })
})
