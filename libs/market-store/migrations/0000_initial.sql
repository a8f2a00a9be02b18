CREATE TABLE "candles" (
	"instrument_id" text NOT NULL,
	"interval" text NOT NULL,
	"window_start" timestamp (3) with time zone NOT NULL,
	"window_end" timestamp (3) with time zone NOT NULL,
	"open" numeric NOT NULL,
	"high" numeric NOT NULL,
	"low" numeric NOT NULL,
	"close" numeric NOT NULL,
	"volume" numeric NOT NULL,
	"buy_volume" numeric NOT NULL,
	"quote_volume" numeric NOT NULL,
	"notional_usd" numeric,
	"vwap" numeric,
	"trade_count" bigint NOT NULL,
	"indicators" jsonb NOT NULL,
	"quality" text NOT NULL,
	"revision" integer NOT NULL,
	"final" boolean NOT NULL,
	"first_sequence" bigint,
	"last_sequence" bigint,
	"rebuild_id" bigint,
	CONSTRAINT "candles_instrument_id_interval_window_start_pk" PRIMARY KEY("instrument_id","interval","window_start")
);
--> statement-breakpoint
CREATE TABLE "feed_watermarks" (
	"partition" integer NOT NULL,
	"feed_id" text NOT NULL,
	"up_to" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "feed_watermarks_partition_feed_id_pk" PRIMARY KEY("partition","feed_id")
);
--> statement-breakpoint
CREATE TABLE "rejected" (
	"topic" text NOT NULL,
	"partition" integer NOT NULL,
	"offset" bigint NOT NULL,
	"stage" text NOT NULL,
	"reason" text NOT NULL,
	"message" text NOT NULL,
	"source_topic" text,
	"source_partition" integer,
	"source_offset" bigint,
	"key" "bytea",
	"value" "bytea",
	"rejected_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "rejected_topic_partition_offset_pk" PRIMARY KEY("topic","partition","offset")
);
--> statement-breakpoint
CREATE TABLE "sequence_gaps" (
	"gap_id" text PRIMARY KEY NOT NULL,
	"feed_id" text NOT NULL,
	"replica_id" text NOT NULL,
	"instrument_id" text,
	"from_time" timestamp (3) with time zone NOT NULL,
	"to_time" timestamp (3) with time zone NOT NULL,
	"from_sequence" bigint,
	"to_sequence" bigint,
	"state" text NOT NULL,
	"source_partition" integer NOT NULL,
	"source_offset" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sink_offsets" (
	"topic" text NOT NULL,
	"partition" integer NOT NULL,
	"next_offset" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	CONSTRAINT "sink_offsets_topic_partition_pk" PRIMARY KEY("topic","partition")
);
--> statement-breakpoint
CREATE TABLE "trades" (
	"instrument_id" text NOT NULL,
	"trade_id" text NOT NULL,
	"version" integer NOT NULL,
	"venue" text NOT NULL,
	"feed_id" text NOT NULL,
	"instrument" text NOT NULL,
	"status" text NOT NULL,
	"sequence" bigint,
	"venue_order" bigint,
	"price" numeric NOT NULL,
	"quantity" numeric NOT NULL,
	"notional_usd" numeric,
	"taker_side" text NOT NULL,
	"event_time" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"index_price" numeric,
	"mark_price" numeric,
	"implied_volatility" numeric,
	"liquidation" text,
	"tick_direction" integer,
	"counterparty" text,
	"book" text,
	"matures_at" timestamp (3) with time zone,
	"tx_hash" text,
	"base_token" text,
	"quote_token" text,
	"source_partition" integer NOT NULL,
	"source_offset" bigint NOT NULL,
	CONSTRAINT "trades_instrument_id_trade_id_version_pk" PRIMARY KEY("instrument_id","trade_id","version")
);
--> statement-breakpoint
CREATE INDEX "trades_instrument_id_event_time" ON "trades" USING btree ("instrument_id","event_time");