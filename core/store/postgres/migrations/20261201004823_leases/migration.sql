ALTER TABLE "leases" ADD COLUMN "epoch" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "spent" text collate "C";--> statement-breakpoint
ALTER TABLE "outbox" DROP COLUMN "claim_until";