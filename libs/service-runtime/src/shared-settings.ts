import { kafkaSettings, registrySettings } from './connection-settings.ts'
import { choiceSetting, integerSetting, textSetting } from './settings.ts'

/** Settings that every service reads under the same name. Defaults are the local stack's. */
export const sharedSettings = {
  ...kafkaSettings,
  ...registrySettings,
  TOPIC_PREFIX: textSetting({
    default: '',
    about: 'Put before every topic, subject and group: separates installations on one cluster',
  }),
  ADMIN_HOST: textSetting({
    default: '127.0.0.1',
    about: 'Interface of the admin port (/livez, /readyz, /metrics)',
  }),
  LOG_LEVEL: choiceSetting(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    about: 'Least severe log line that is written',
  }),
  TICKERTAPE_REVISION: textSetting({
    default: '',
    about: 'Revision of the source, for `tickertape_build_info`; empty: what a git checkout says',
  }),
} as const

/** A service's own admin port. */
export function adminPortSetting(port: number) {
  return integerSetting({
    default: String(port),
    max: 65_535,
    about: 'Admin port; 0 takes any free one and logs it',
  })
}
