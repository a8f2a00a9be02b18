import { WebSocket } from 'ws'

const [url = '', wanted = '0'] = process.argv.slice(2)
const messages = Number(wanted)
const socket = new WebSocket(url, { perMessageDeflate: false })
let count = -1
let began = 0
socket.on('open', () => socket.send(JSON.stringify({ method: 'SUBSCRIBE', params: [], id: 1 })))
socket.on('message', (data: Buffer) => {
  // Everybody who reads frames needs their text.
  const text = data.toString('utf8')
  if (text.length === 0) return
  count += 1
  if (count === 1) began = performance.now()
  if (count < messages) return
  const seconds = (performance.now() - began) / 1_000
  process.stdout.write(`messagesPerSecond ${Math.round(messages / seconds)}\n`)
  socket.close()
})
