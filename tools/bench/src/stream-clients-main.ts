import { writeFileSync } from 'node:fs'

import { WebSocket } from 'ws'

import { ArrivalTable, marker } from './stream-arrivals.ts'

/**
 * Clients of the stream, `clients` of them from number `first` on, in one process. Number n follows `each` of
 * `instruments` made-up instruments, from number n * each on. On SIGTERM what came is written to `result`.
 */
const [url = '', result = '', ...numbers] = process.argv.slice(2)
const [first = 0, clients = 0, each = 0, instruments = 0] = numbers.map(Number)

const table = new ArrivalTable()
const sockets: WebSocket[] = []
let began = 0

for (let client = first; client < first + clients; client += 1) {
  const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })
  sockets.push(socket)
  socket.on('open', () => {
    const followed = Array.from(
      { length: each },
      (_, index) => `deribit:BENCH-${(client * each + index) % instruments}`,
    )
    const facts = { id: 'bench', channel: 'candles', intervals: ['1m'] }
    socket.send(JSON.stringify({ type: 'subscribe', ...facts, instruments: followed }))
  })
  socket.on('message', (data: Buffer) => {
    // Reading every message as JSON would cost more than the gateway's whole work.
    if (table.take(data, performance.timeOrigin + performance.now())) return
    if (data.includes('"type":"snapshot"')) {
      began += 1
      if (began === clients) process.stdout.write('subscribed\n')
    }
  })
  socket.on('close', (code) => {
    process.stdout.write(`closed ${code}\n`)
  })
  socket.on('error', (error) => {
    process.stderr.write(`${marker} client ${client}: ${error.message}\n`)
  })
}

process.once('SIGTERM', () => {
  writeFileSync(result, table.encode())
  for (const socket of sockets) socket.terminate()
})
