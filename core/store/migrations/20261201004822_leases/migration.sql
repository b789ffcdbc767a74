ALTER TABLE `leases` ADD `epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `leases` ADD `spent` text;--> statement-breakpoint
ALTER TABLE `outbox` DROP COLUMN `claim_until`;