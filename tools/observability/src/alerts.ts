import type { AlertGroup } from './alerts/alert.ts'
import { databaseAlerts } from './alerts/database.ts'
import { feedAlerts } from './alerts/feed.ts'
import { roadAlerts } from './alerts/road.ts'
import { serviceAlerts } from './alerts/services.ts'
import { Pace } from './pace.ts'

export type { Alert, AlertGroup } from './alerts/alert.ts'

/** Every alert there is. */
export function alertGroups(pace = new Pace()): readonly AlertGroup[] {
  return [feedAlerts, roadAlerts, serviceAlerts, databaseAlerts].map((group) => group(pace))
}
