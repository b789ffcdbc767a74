CREATE TABLE "resources" (
	"connection" text collate "C",
	"id" text collate "C",
	"type" text collate "C" NOT NULL,
	"change" bigint NOT NULL,
	"version" bigint NOT NULL,
	"created_at" bigint NOT NULL,
	"modified_at" bigint NOT NULL,
	"unique_name" text collate "C",
	"sealed" bytea,
	CONSTRAINT "resources_pkey" PRIMARY KEY("connection","id")
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "connection" text collate "C";--> statement-breakpoint
CREATE UNIQUE INDEX "resources_change" ON "resources" ("connection","change");--> statement-breakpoint
CREATE UNIQUE INDEX "resources_name" ON "resources" ("connection","type","unique_name") WHERE unique_name is not null;