import { expect, it } from 'vitest'

import { Commits } from './commits.ts'
import type { PartitionOutput } from './owned-partition.ts'

/** Outputs are told apart by their partition; nothing else of them matters here. */
function output(partition: number): PartitionOutput {
  return { partition } as PartitionOutput
}

function commitsOf(write: (outputs: readonly PartitionOutput[]) => Promise<void>) {
  let applied: PartitionOutput[] = []
  const commits = new Commits({
    take: () => {
      const taken = applied
      applied = []
      return taken
    },
    write,
  })
  return { commits, apply: (partition: number) => applied.push(output(partition)) }
}

it('one transaction is under way at a time, whoever asks for the next', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const written: number[][] = []
  const { commits, apply } = commitsOf(async (outputs) => {
    written.push(outputs.map(({ partition }) => partition))
    await gates[written.length - 1]?.promise
  })
  apply(1)
  await commits.begin()
  apply(2)
  const waiting = [commits.begin(), commits.begin()]
  commits.beginWithin(5)
  expect(written).toEqual([[1]])
  apply(3)
  gates[0]?.resolve()
  await waiting[0]
  expect(written).toEqual([[1], [2, 3]])
  gates[1]?.resolve()
  await Promise.all(waiting)
  await commits.settle()
  expect(written).toEqual([[1], [2, 3]])
})

it('what is applied in a moment goes together', async () => {
  const written = Promise.withResolvers<number[]>()
  const { commits, apply } = commitsOf((outputs) => {
    written.resolve(outputs.map(({ partition }) => partition))
    return Promise.resolve()
  })
  apply(1)
  commits.beginWithin(5)
  apply(2)
  commits.beginWithin(5)
  expect(await written.promise).toEqual([1, 2])
})

it('after a failure nothing is committed any more', async () => {
  let writes = 0
  const { commits, apply } = commitsOf(() => {
    writes += 1
    return Promise.reject(new Error('fenced'))
  })
  apply(1)
  await commits.begin()
  apply(2)
  await expect(commits.begin()).rejects.toThrow('fenced')
  await expect(commits.settle()).rejects.toThrow('fenced')
  expect(() => commits.throwFailure()).toThrow('fenced')
  expect(writes).toBe(1)
})
