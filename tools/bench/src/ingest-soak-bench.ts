import { ensureTopics } from '@tickertape/kafka-avro'

import type { Bench, Figures } from './bench-frame.ts'
import { BinanceServer } from './binance-server.ts'
import { startIngest } from './ingest-process.ts'
import { countTrades } from './trades-in-log.ts'

const reconnects = 60
const everyMs = 3_000
const tradesPerTick = 20
const tickMs = 20
/** Connections before memory is looked at for the first time: what is made once is made by then. */
const settled = 10

export const ingestSoakBench: Bench = {
  name: 'ingest-soak',
  about:
    "Binance spot's WebSocket, cut 60 times in 3 minutes at 1,000 trades/s, and what was missed fetched each time; the log is checked. rssAfter10Mb, rssAfter60Mb: resident memory of ingest after the tenth and the last reconnect.",
  prepare: (stack) => {
    let runs = 0
    const measure = async function* (): AsyncGenerator<Figures> {
      runs += 1
      const prefix = `soak-${runs}.`
      await ensureTopics({ connection: { brokers: stack.kafkaBrokers }, prefix })
      await using server = await BinanceServer.start()
      const before = server.sent
      await using ingest = startIngest({ stack, prefix, server, cpuProf: undefined })
      await ingest.joined()
      const over = new AbortController()
      const trading = (async () => {
        while (!over.signal.aborted) {
          for (let count = 0; count < tradesPerTick; count += 1) server.sendOne()
          await new Promise((resolve) => setTimeout(resolve, tickMs))
        }
      })()
      const memory: number[] = []
      for (let cut = 1; cut <= reconnects; cut += 1) {
        await new Promise((resolve) => setTimeout(resolve, everyMs))
        server.cut()
        await ingest.until('connect again', () => Promise.resolve(server.isSubscribed))
        if (cut === settled || cut === reconnects) memory.push((await ingest.usage()).rssMb)
      }
      over.abort()
      await trading
      const sent = server.sent - before
      await ingest.until('write every trade', async () => {
        return (await ingest.metric('ingest_trades_total')) >= sent
      })
      await ingest.stop()
      const found = await countTrades(stack, prefix)
      if (found.trades - found.repeated !== sent) {
        throw new Error(
          `${sent} trades were sent, and market-events has ${found.trades - found.repeated} of them`,
        )
      }
      const [rssAfter10Mb = 0, rssAfter60Mb = 0] = memory
      yield { rssAfter10Mb, rssAfter60Mb, tradesWritten: found.trades }
    }
    return Promise.resolve(measure)
  },
}
