export { alertGroups } from './alerts.ts'
export type { Alert, AlertGroup } from './alerts.ts'
export {
  alertExpressions,
  panelExpressions,
  recordedExpressions,
  runbookExpressions,
  seriesIn,
} from './expressions.ts'
export type { Expression } from './expressions.ts'
export { Pace } from './pace.ts'
export { alertFile, prometheusConfig, recordingFile } from './prometheus-files.ts'
