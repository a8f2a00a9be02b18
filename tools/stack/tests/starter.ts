import { startStack } from '../src/index.ts'

/** Starts a stack on free ports in the folder named first, and then lives until it is killed. */
const [folder = '', kept = ''] = process.argv.slice(2)
setInterval(() => undefined, 60_000)
await startStack({
  folder,
  ports: 'free',
  temporary: kept === 'temporary',
  onProgress: (line) => console.log(line),
})
console.log('up')
