-- drizzle-kit does not know the name of the primary key.
ALTER TABLE "sequence_gaps" DROP CONSTRAINT "sequence_gaps_pkey";--> statement-breakpoint
ALTER TABLE "feed_watermarks" ADD COLUMN "heartbeat_offset" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "sequence_gaps" ADD CONSTRAINT "sequence_gaps_key" UNIQUE NULLS NOT DISTINCT("source_partition","gap_id","instrument_id");