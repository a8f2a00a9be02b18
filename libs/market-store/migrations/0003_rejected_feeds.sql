ALTER TABLE "rejected" ADD COLUMN "venue" text;--> statement-breakpoint
ALTER TABLE "rejected" ADD COLUMN "feed_id" text;--> statement-breakpoint
CREATE INDEX "rejected_waiting" ON "rejected" USING btree ("reason","stage","topic","partition","offset") WHERE "rejected"."redriven_at" is null;