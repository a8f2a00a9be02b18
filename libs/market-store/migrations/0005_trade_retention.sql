CREATE TABLE "trade_retention" (
	"id" integer PRIMARY KEY NOT NULL,
	"kept_from" timestamp (3) with time zone NOT NULL
);
