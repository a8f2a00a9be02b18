export { ProgressLines } from './progress-lines.ts'
export { RedriveProblem, parseRedriveArguments } from './redrive-arguments.ts'
export type { RedriveArguments } from './redrive-arguments.ts'
export { redriveToLog } from './redrive-to-log.ts'
export type { RedriveProgress, RedriveToLogOptions } from './redrive-to-log.ts'
export {
  claimRejected,
  countRejected,
  markRedriven,
  releaseClaim,
  waitingVenues,
} from './rejected-records.ts'
export type {
  RedriveSelection,
  RejectPosition,
  RejectedCount,
  RejectedRecord,
} from './rejected-records.ts'
export { runRedriveCommand } from './run-redrive-command.ts'
export type { Redrive } from './run-redrive-command.ts'
