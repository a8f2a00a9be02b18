/** Why a series may be missing while all is well: by the beginning of its name. */
export const mayBeMissing: readonly (readonly [string, string])[] = [
  ['ALERTS', 'no alert fires while all is well'],
  ['node_filesystem_', 'told by node_exporter, which has to be installed'],
  ['ingest_silences_total', 'the venue has not asked for silence'],
  ['ingest_gaps_total', 'no gap was given up'],
  ['ingest_complaints_total', 'the venue has told no error'],
  ['ingest_handovers_total', 'no connection has come to its age'],
  ['ingest_pauses_total', 'Kafka has taken everything'],
  ['ingest_catalog_failures_total', 'the list of instruments was read'],
  ['ingest_retries_total', 'everything was available'],
  ['pg_sink_retries_total', 'everything was available'],
  ['gateway_retries_total', 'everything was available'],
  ['aggregator_revisions_total', 'no candle was revised'],
  ['aggregator_rejected_total', 'the aggregator has turned nothing away'],
  ['pg_sink_rejected_total', 'the sink has turned nothing away'],
  ['pg_sink_fallbacks_total', 'no batch was written twice'],
  ['gateway_view_skipped_records_total', 'every record was of use'],
  ['gateway_refused_total', 'nobody was turned away'],
  ['gateway_protection_failures_total', 'keys and certificates were read'],
  ['gateway_stream_closes_total', 'no client has left'],
  ['gateway_stream_resumes_total', 'no client has come back'],
]

/** Undefined if the series has to be there. */
export function reasonToBeMissing(series: string): string | undefined {
  return mayBeMissing.find(([beginning]) => series.startsWith(beginning))?.[1]
}
