import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The environment as far as the stack goes by it. */
export interface StackConfig {
  /** Where downloads are kept, shared by all working copies of one user. */
  readonly cacheFolder: string
  /** The java to run; a bare name is looked up on PATH. */
  readonly java: string
}

/**
 * TICKERTAPE_CACHE, or XDG_CACHE_HOME (XDG Base Directory Specification: a relative path there is
 * ignored), or ~/.cache; JAVA_HOME where it is set.
 */
export function stackConfig(environment: NodeJS.ProcessEnv = process.env): StackConfig {
  const { TICKERTAPE_CACHE: own, XDG_CACHE_HOME: xdg, JAVA_HOME: javaHome } = environment
  const cacheFolder = own
    ? resolve(own)
    : join(xdg?.startsWith('/') ? xdg : join(homedir(), '.cache'), 'tickertape')
  return { cacheFolder, java: javaHome ? join(javaHome, 'bin', 'java') : 'java' }
}
