export type {
  ClientStatistics,
  FetchMeasure,
  FetchQueue,
  OnStatistics,
} from './client-statistics.ts'
export { KafkaAvroError } from './errors.ts'
export type { KafkaAvroErrorCode } from './errors.ts'
export { EventProducer } from './event-producer.ts'
export type { Delivered, EventProducerOptions, OutgoingRecord } from './event-producer.ts'
export { FetchReader } from './fetch-reader.ts'
export { GroupLag, withGroupLag } from './group-lag.ts'
export type { PartitionLag } from './group-lag.ts'
export { GroupReader } from './group-reader.ts'
export { saslMechanisms } from './kafka-connection.ts'
export type {
  KafkaConnection,
  RegistryConnection,
  SaslCredentials,
  TlsFiles,
} from './kafka-connection.ts'
export { LogTail } from './log-tail.ts'
export type { LogTailOptions, TailProgress } from './log-tail.ts'
export { createLogReader, logReaderKinds } from './log-reader.ts'
export type {
  LogReader,
  LogReaderKind,
  LogReaderOptions,
  LogRecord,
  PartitionHandlers,
} from './log-reader.ts'
export { MarketEventReader } from './market-event-reader.ts'
export type {
  EncodedIdentity,
  EssentialMarketEvent,
  EssentialTrade,
} from './market-event-reader.ts'
export { fetchPartition } from './partition-fetch.ts'
export type { PartitionFetchOptions } from './partition-fetch.ts'
export { readPartition } from './partition-log.ts'
export type { PartitionLogOptions, PartitionRange } from './partition-log.ts'
export { partitionOf } from './partitioner.ts'
export { RangeReader } from './range-reader.ts'
export type { OffsetRange, RangeReaderOptions } from './range-reader.ts'
export { Registry } from './registry.ts'
export type { AvroTopic } from './registry.ts'
export { isRejectReason, rejectReasons, rejectedHeaders, rejectedOrigin } from './rejected.ts'
export type {
  ReadOrigin,
  RejectedFeed,
  RejectedOrigin,
  RejectReason,
  RejectStage,
} from './rejected.ts'
export { DecodeFailure, Deserializer, Serializer } from './serdes.ts'
export type { TopicRecords } from './serdes.ts'
export {
  committedOffsets,
  ensureTopics,
  offsetsAtTime,
  requireTopics,
  topicOffsets,
} from './topic-admin.ts'
export type { EnsureTopicsOptions } from './topic-admin.ts'
export { defaultPartitions, topicName, topics, topicSettings } from './topics.ts'
export type { Topic } from './topics.ts'
export { followRetention, topicRetention } from './topic-retention.ts'
export { TransactionalProducer } from './transactional-producer.ts'
export type { TransactionalProducerOptions } from './transactional-producer.ts'
export type {
  Message,
  MessageHeader,
  TopicPartition,
  TopicPartitionOffset,
} from '@confluentinc/kafka-javascript'
