import type { TracingConfig } from '@tickertape/tracing'
import { z } from 'zod'

import {
  SettingsError,
  choiceSetting,
  integerSetting,
  textSetting,
  urlSetting,
} from './settings.ts'
import type { Setting, SettingValues } from './settings.ts'

/** `name=value` pairs separated by commas, percent-encoded, as W3C Baggage has them. */
function pairsSetting(about: string): Setting<Readonly<Record<string, string>>> {
  return {
    schema: z.string().transform((text, context) => {
      const pairs: Record<string, string> = {}
      for (const part of text.split(',').map((each) => each.trim())) {
        if (part === '') continue
        const [, name, value] = /^([^=]+)=(.*)$/.exec(part) ?? []
        const decoded = value === undefined ? undefined : decodedOrUndefined(value.trim())
        if (name === undefined || decoded === undefined) {
          context.addIssue({
            code: 'custom',
            message: 'must be name=value pairs separated by commas, values percent-encoded',
          })
          return z.NEVER
        }
        pairs[name.trim()] = decoded
      }
      return pairs
    }),
    default: '',
    about,
    secret: false,
  }
}

function decodedOrUndefined(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const schemes = ['http', 'https'] as const

/**
 * The variables of OpenTelemetry that every service reads, with its defaults; only the exporter's is another:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export const tracingSettings = {
  OTEL_SDK_DISABLED: choiceSetting(['false', 'true'], {
    default: 'false',
    about: 'true: no spans, whatever else is set',
  }),
  OTEL_TRACES_EXPORTER: choiceSetting(['none', 'zipkin', 'otlp'], {
    default: 'none',
    about: 'Where spans go: none makes no spans, otlp sends JSON over HTTP',
  }),
  OTEL_EXPORTER_ZIPKIN_ENDPOINT: urlSetting(schemes, {
    default: 'http://localhost:9411/api/v2/spans',
    about: "Address of Zipkin's collector, the whole path",
    withoutCredentials: true,
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: urlSetting(schemes, {
    default: 'http://localhost:4318',
    about: 'Base address of an OTLP collector; spans go to its path v1/traces',
    withoutCredentials: true,
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: urlSetting(schemes, {
    default: '',
    optional: true,
    about: 'The whole address for spans; empty: by OTEL_EXPORTER_OTLP_ENDPOINT',
    withoutCredentials: true,
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: choiceSetting(['http/json'], {
    default: 'http/json',
    about: 'What a service can speak to an OTLP collector',
  }),
  OTEL_SERVICE_NAME: textSetting({
    default: '',
    about: "The service's name in traces; empty: its own",
  }),
  OTEL_RESOURCE_ATTRIBUTES: pairsSetting(
    'What else is said of the service: `deployment.environment.name=test,host.name=a`',
  ),
  OTEL_BSP_SCHEDULE_DELAY: integerSetting({
    default: '5000',
    min: 1,
    max: 3_600_000,
    about: 'Longest time that spans wait to be sent together, in ms',
  }),
  OTEL_BSP_EXPORT_TIMEOUT: integerSetting({
    default: '30000',
    min: 1,
    max: 3_600_000,
    about: 'How long one request with spans may take, in ms',
  }),
  OTEL_BSP_MAX_QUEUE_SIZE: integerSetting({
    default: '2048',
    min: 1,
    max: 1_000_000,
    about: 'Spans that may wait; what comes on top of them is dropped and counted',
  }),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: integerSetting({
    default: '512',
    min: 1,
    max: 1_000_000,
    about: 'Most spans in one request; at most OTEL_BSP_MAX_QUEUE_SIZE',
  }),
} as const

/**
 * An environment in which variables of OpenTelemetry that are empty are not set: its specification wants them
 * to mean the same.
 */
export function withoutEmptyOtel(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name, text]) => text !== '' || !name.startsWith('OTEL_')),
  )
}

/** @throws SettingsError if they do not fit together. */
export function tracingConfigOf(values: SettingValues<typeof tracingSettings>): TracingConfig {
  const exporter = values.OTEL_SDK_DISABLED === 'true' ? 'none' : values.OTEL_TRACES_EXPORTER
  const { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: maxBatch, OTEL_BSP_MAX_QUEUE_SIZE: maxSpans } = values
  if (maxBatch > maxSpans) {
    throw new SettingsError([
      `OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be at most OTEL_BSP_MAX_QUEUE_SIZE, which is ${maxSpans}, got "${maxBatch}"`,
    ])
  }
  return {
    exporter,
    endpoint: exporter === 'zipkin' ? values.OTEL_EXPORTER_ZIPKIN_ENDPOINT : otlpEndpoint(values),
    serviceName: values.OTEL_SERVICE_NAME,
    resource: values.OTEL_RESOURCE_ATTRIBUTES,
    queue: {
      maxSpans,
      maxBatch,
      delayMs: values.OTEL_BSP_SCHEDULE_DELAY,
      timeoutMs: values.OTEL_BSP_EXPORT_TIMEOUT,
    },
  }
}

function otlpEndpoint(values: SettingValues<typeof tracingSettings>): string {
  if (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== '') {
    return values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
  }
  return `${values.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces`
}
