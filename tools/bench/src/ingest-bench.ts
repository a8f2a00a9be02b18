import type { Bench, Figures } from './bench-frame.ts'
import { measureFrameToAck } from './ingest-latency.ts'
import { measureBareSocket, measureIngest } from './ingest-throughput.ts'

export const ingestBench: Bench = {
  name: 'ingest',
  about:
    "Binance spot's WebSocket -> ingest -> market-events, one process beside the broker, idempotent, acks all; the log of each run is checked. messagesPerSecond, cpuMicrosPerMessage, rssMb: 1,000,000 trades as fast as they are read, to the last acknowledgement. bareSocketPerSecond: a ws client that only reads the same frames. frameToAck: from the write of a frame to its trade's arrival at a reader of the log, at 1,000/s.",
  parts: ['throughput', 'latency'],
  prepare: (stack, { only, cpuProf }) => {
    let runs = 0
    const measure = async function* (): AsyncGenerator<Figures> {
      runs += 1
      if (only === undefined || only === 'throughput') {
        const measured = await measureIngest({ stack, prefix: `bench-${runs}.`, cpuProf })
        yield { ...measured }
        const bareSocketPerSecond = await measureBareSocket()
        yield { bareSocketPerSecond, bareRatio: measured.messagesPerSecond / bareSocketPerSecond }
      }
      if (only === undefined || only === 'latency') {
        const { p50Ms, p99Ms } = await measureFrameToAck({
          stack,
          prefix: `bench-live-${runs}.`,
          cpuProf,
        })
        yield { frameToAckP50Ms: p50Ms, frameToAckP99Ms: p99Ms }
      }
    }
    return Promise.resolve(measure)
  },
}
