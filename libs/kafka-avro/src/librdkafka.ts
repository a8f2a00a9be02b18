import kafka from '@confluentinc/kafka-javascript'

// The package is CommonJS whose names Node cannot see: values come from its default export.
export const { CODES, KafkaConsumer, Producer } = kafka
export const { Kafka, logLevel } = kafka.KafkaJS
