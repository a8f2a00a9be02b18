import { expect, test } from 'vitest'
import { MavenProgress } from './maven-progress.ts'

const base = '[INFO] Downloaded from central: https://repository.example/org/apache'

function progressAt(times: { now: number }) {
  const lines: string[] = []
  return {
    lines,
    progress: new MavenProgress(
      (line) => lines.push(line),
      () => times.now,
    ),
  }
}

test('progress counts files and bytes, and shows a name without its address', () => {
  const times = { now: 0 }
  const { lines, progress } = progressAt(times)
  progress.line(`${base}/a/1/a-1.jar (512 kB at 1.2 MB/s)`)
  expect(lines).toEqual([])
  times.now = 3_000
  progress.line(`${base}/b/2/b-2.tar.gz (109 MB at 20 MB/s)`)
  expect(lines).toEqual(['  2 files, 110 MB, 3 s: b-2.tar.gz'])
})

test('a long download shows that it lives', () => {
  const times = { now: 0 }
  const { lines, progress } = progressAt(times)
  progress.line('[INFO] Downloading from central: https://repository.example/b/2/b-2.tar.gz')
  times.now = 3_000
  progress.tick()
  expect(lines).toEqual([])
  times.now = 5_000
  progress.tick()
  expect(lines).toEqual(['  0 files, 0 MB, 5 s: b-2.tar.gz'])
})

test('nothing downloaded is nothing said', () => {
  const { lines, progress } = progressAt({ now: 0 })
  progress.line('[INFO] BUILD SUCCESS')
  progress.end()
  expect(lines).toEqual([])
})
