import { createServer, type Server } from 'node:net'
import { randomInt } from 'node:crypto'
import { StackProblem } from './stack-problem.ts'

/** The one address that anything in the stack listens on. */
export const host = '127.0.0.1'

export interface StackPorts {
  readonly kafka: number
  readonly kafkaController: number
  /** With TLS and SASL; of a secured stack alone, as the next two. */
  readonly kafkaSasl: number
  /** With TLS and certificates of clients. */
  readonly kafkaTls: number
  readonly registryTls: number
  readonly registry: number
  readonly postgres: number
  readonly zipkin: number
}

export const defaultPorts: StackPorts = {
  kafka: 19092,
  kafkaController: 19093,
  kafkaSasl: 19094,
  kafkaTls: 19095,
  registryTls: 18443,
  registry: 18081,
  postgres: 15432,
  zipkin: 19411,
}

const purposes: Readonly<Record<keyof StackPorts, string>> = {
  kafka: 'Kafka',
  kafkaController: "Kafka's controller",
  kafkaSasl: 'Kafka with SASL',
  kafkaTls: 'Kafka with certificates',
  registryTls: 'the schema registry with TLS',
  registry: 'the schema registry',
  postgres: 'PostgreSQL',
  zipkin: 'Zipkin',
}

const corePorts = ['kafka', 'kafkaController', 'registry', 'postgres'] as const

/** What a secured stack listens on besides. */
export const securedPorts = ['kafkaSasl', 'kafkaTls', 'registryTls'] as const

/**
 * Checks that nobody listens on any of the ports: those of every stack, unless others are named.
 *
 * @throws {StackProblem} `port-taken`, naming the first port that is taken and what it is for
 */
export async function requireFreePorts(
  ports: StackPorts,
  names: readonly (keyof StackPorts)[] = corePorts,
): Promise<void> {
  for (const name of names) {
    const port = ports[name]
    const listener = await listen(port)
    if (listener === undefined) {
      throw new StackProblem(
        'port-taken',
        `Port ${port} on ${host}, which ${purposes[name]} needs, is taken by another program. Stop that program (find it with: lsof -nP -iTCP:${port} -sTCP:LISTEN) and try again.`,
      )
    }
    await close(listener)
  }
}

/**
 * Ports that nobody listens on.
 *
 * They lie below the ranges from which Linux and macOS draw the local ports of outgoing connections,
 * and are picked at random, so that two stacks that start at the same time rarely want the same one.
 */
export async function findFreePorts(): Promise<StackPorts> {
  const listeners: Server[] = []
  const ports: number[] = []
  while (ports.length < 8) {
    const port = randomInt(20_000, 32_000)
    const listener = await listen(port)
    if (listener === undefined) continue
    listeners.push(listener)
    ports.push(port)
  }
  await Promise.all(listeners.map(close))
  const [kafka = 0, kafkaController = 0, registry = 0, postgres = 0, zipkin = 0] = ports
  const [kafkaSasl = 0, kafkaTls = 0, registryTls = 0] = ports.slice(5)
  return {
    kafka,
    kafkaController,
    kafkaSasl,
    kafkaTls,
    registry,
    registryTls,
    postgres,
    zipkin,
  }
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>()
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined)
    else reject(error)
  })
  server.listen({ port, host, exclusive: true }, () => resolve(server))
  return promise
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  return promise
}
