import { Agent } from 'node:https'

import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { COMPATIBILITY } from '@kafkajs/confluent-schema-registry'
import type { Schema } from 'avsc'

import { registryAccessFailure } from './access-failure.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import { getText } from './http-get.ts'
import type { RegistryConnection } from './kafka-connection.ts'
import { avroSchemas } from './schemas.generated.ts'
import type { Topic } from './topics.ts'
import { tlsOptions } from './tls-options.ts'
import { topicName } from './topics.ts'

/** Topics whose values are Avro; `rejected` holds what came, as it came. */
export type AvroTopic = Exclude<Topic, 'rejected'>

export function schemaOf(topic: AvroTopic): Schema {
  // The generated constants are deeply readonly, which avsc's own type of a schema is not.
  return avroSchemas[topic === 'candles-live' ? 'candles' : topic] as unknown as Schema
}

/** The schema registry, with what this service has registered and looked up. */
export class Registry {
  readonly #api: SchemaRegistry
  readonly #connection: RegistryConnection
  readonly #agent: Agent | undefined
  readonly #prefix: string

  constructor(connection: RegistryConnection, topicPrefix: string) {
    const { credentials, tls, url } = connection
    this.#connection = connection
    this.#agent = tls === undefined ? undefined : new Agent(tlsOptions(tls))
    this.#prefix = topicPrefix
    this.#api = new SchemaRegistry(
      {
        host: url,
        clientId: 'tickertape',
        retry: { retries: 2 },
        ...(this.#agent === undefined ? {} : { agent: this.#agent }),
        ...(credentials === undefined ? {} : { auth: { ...credentials } }),
      },
      // Documentation strings stay in what is registered.
      {},
    )
  }

  /**
   * Registers this version's schema of a topic under `<topic>-value`; equal schemas share an id.
   *
   * @throws KafkaAvroError `incompatible_schema` if the registry refuses it, `registry_unreachable`,
   *   `registry_access_refused`.
   */
  async register(topic: AvroTopic): Promise<number> {
    const subject = `${topicName(topic, this.#prefix)}-value`
    try {
      return await this.#registerOnce(topic, subject)
    } catch (error) {
      if (statusOf(error) === 409) {
        throw new KafkaAvroError(
          'incompatible_schema',
          `The registry at ${this.#url} refuses this version's schema of ${subject}: it is not BACKWARD compatible with the registered one (${messageOf(error)}). Run the version that wrote the topic, or evolve the schema by fields with defaults`,
          { cause: error },
        )
      }
      throw this.#unreachable(`register ${subject}`, error)
    }
  }

  async #registerOnce(topic: AvroTopic, subject: string): Promise<number> {
    const register = async () =>
      this.#api.register(
        { type: SchemaType.AVRO, schema: JSON.stringify(schemaOf(topic)) },
        { subject, ...(await this.#declaredLevel(subject)) },
      )
    try {
      return (await register()).id
    } catch (error) {
      // Another service has made the subject, or its level, since we asked for it: ask again.
      const isRace = /Compatibility does not match|COMPATIBILITY' already exists/.test(
        messageOf(error),
      )
      if (!isRace) throw error
      return (await register()).id
    }
  }

  /**
   * The schema that a record was written with.
   *
   * @returns undefined if the registry does not know the id.
   * @throws KafkaAvroError `registry_unreachable`, `registry_access_refused`.
   */
  async writerSchema(id: number): Promise<Schema | undefined> {
    try {
      const schema = await this.#api.getSchema(id)
      // getSchema answers with the library's wrapper of an avsc type, which has a `schema` method.
      return (schema as unknown as { schema(options: object): Schema }).schema({
        exportAttrs: true,
      })
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw this.#unreachable(`look up schema ${id}`, error)
    }
  }

  /**
   * The library refuses a subject whose own level is not the expected one, though the registry checks by
   * the level in force (the global one where the subject has none, which Apicurio shows as NONE). So the
   * subject's own level is what we tell it to expect; a subject that is new gets BACKWARD from it.
   */
  async #declaredLevel(subject: string): Promise<{ readonly compatibility?: COMPATIBILITY }> {
    const answer = await getText(`${this.#url}/config/${encodeURIComponent(subject)}`, {
      agent: this.#agent,
      credentials: this.#connection.credentials,
    })
    if (answer.status !== 200) return {}
    // Levels are those of Confluent's API, which the library's type lists.
    const { compatibilityLevel } = JSON.parse(answer.text) as { compatibilityLevel: COMPATIBILITY }
    return { compatibility: compatibilityLevel }
  }

  get #url(): string {
    return this.#connection.url
  }

  #unreachable(what: string, error: unknown): KafkaAvroError {
    const refused = registryAccessFailure(this.#connection, error, statusOf(error))
    if (refused !== undefined) return refused
    return new KafkaAvroError(
      'registry_unreachable',
      `Could not ${what} at the schema registry ${this.#url} (${messageOf(error)}): is it running, and is REGISTRY_URL right?`,
      { cause: error },
    )
  }
}

function statusOf(error: unknown): number | undefined {
  // The library's ResponseError carries the HTTP status; other errors have none.
  return (error as { status?: number }).status
}
