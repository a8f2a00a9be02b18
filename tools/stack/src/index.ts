export {
  resetStack,
  runningStackStatus,
  startDetachedStack,
  startStack,
  stopStack,
  type PartStatus,
  type RunningStack,
  type StackAddresses,
  type StackOptions,
  type StackStatus,
} from './stack.ts'
export {
  optionalPartNames,
  partNames,
  readOptionalParts,
  type OptionalPartName,
  type PartName,
} from './part.ts'
export { StackProblem, type StackProblemCode } from './stack-problem.ts'
export { stackVersions } from './stack-versions.ts'
export { stackConfig, type StackConfig } from './config.ts'
export type { CertificateFiles } from './certificates.ts'
export type { SecuredAccess } from './secured-access.ts'
export { lockFolder } from './folder-lock.ts'
