import { waitUntil } from '@tickertape/testing'
import type { ServiceProcess } from '@tickertape/testing'

/** Of a long output only the end stays: a port is kept once it was told. */
const ports = new WeakMap<ServiceProcess, string>()

/** What a sink's admin port answers; which port that is stands in its log. */
export async function ask(sink: ServiceProcess, path: string): Promise<string> {
  const port = await waitUntil('the admin port', () => {
    if (!sink.running) throw new Error(`The sink has ended: ${sink.output}`)
    return ports.get(sink) ?? /"adminPort":(\d+)/.exec(sink.output)?.[1]
  })
  ports.set(sink, port)
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text()
}
