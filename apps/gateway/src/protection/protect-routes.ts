import { default as cors } from '@fastify/cors'
import { default as helmet } from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

import type { Caller, Doorkeeper, Refusal, Scope } from '../admission.ts'
import { ProblemError } from '../problem.ts'
import { forbidden } from './doorkeeper.ts'
import type { ProtectionConfig } from './settings.ts'

/** What a route asks of its caller; `public`: nothing, not even a key or token. */
export type RequiredScope = Scope | 'public'

declare module 'fastify' {
  interface FastifyRequest {
    /** null on a public route. */
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /** `read` unless given: a route that says nothing is not open to everybody. */
    requiredScope?: RequiredScope
  }
}

/** Options of a route: `app.get('/v1/rejected', requireScope('admin'), …)`. */
export function requireScope(requiredScope: RequiredScope): {
  readonly config: { readonly requiredScope: RequiredScope }
} {
  return { config: { requiredScope } }
}

/** How long a browser may go by the answer to a preflight, in seconds. */
const preflightSeconds = 600

/** Half a year, in seconds. */
const hstsSeconds = 15_768_000

/**
 * Puts the doorkeeper before every route that is registered from now on, and the headers on every answer by which
 * browsers protect whoever uses the pages.
 */
export async function registerProtection(
  app: FastifyInstance,
  { doorkeeper, config }: { readonly doorkeeper: Doorkeeper; readonly config: ProtectionConfig },
): Promise<void> {
  await app.register(helmet, helmetOptions(config.tls !== undefined))
  // Before the doorkeeper: a preflight carries no key.
  await app.register(cors, corsOptions(config.allowedOrigins))
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    const scope = request.routeOptions.config.requiredScope ?? 'read'
    if (scope === 'public' || request.is404) return
    const admission = await doorkeeper.admit(request.raw)
    if (!admission.admitted) throw problemOf(admission.refusal)
    reply.headers(admission.headers)
    const { caller } = admission
    if (!caller.scopes.includes(scope)) {
      throw problemOf(
        forbidden(`This needs the scope ${scope}, which the ${caller.kind} lacks`, scope),
      )
    }
    request.caller = caller
  })
}

export function problemOf({ code, detail, headers }: Refusal): ProblemError {
  return new ProblemError(code, { detail, headers })
}

/** Keys and tokens come in headers that a page sets itself: no cookie, so nothing for another page to ride on. */
function corsOptions(allowedOrigins: readonly string[]) {
  const origin = allowedOrigins.includes('*') ? '*' : [...allowedOrigins]
  return {
    origin: allowedOrigins.length === 0 ? false : origin,
    methods: ['GET', 'HEAD'],
    allowedHeaders: ['Authorization', 'X-API-Key', 'If-None-Match'],
    exposedHeaders: ['ETag', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'],
    maxAge: preflightSeconds,
  }
}

/** What the dashboard and the page of the documentation need, and nothing else: no inline script, no other origin. */
function helmetOptions(isEncrypted: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        manifestSrc: ["'self'"],
        // Of the same host wss and ws count as well.
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // A proxy that ends TLS in front of the gateway says this for itself.
    strictTransportSecurity: isEncrypted
      ? { maxAge: hstsSeconds, includeSubDomains: false }
      : false,
    xFrameOptions: { action: 'deny' as const },
    referrerPolicy: { policy: 'no-referrer' as const },
  }
}
