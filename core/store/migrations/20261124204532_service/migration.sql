CREATE TABLE `alerts` (
	`rule` text NOT NULL,
	`subject` text NOT NULL,
	`state` text NOT NULL,
	`since` integer NOT NULL,
	`told_at` integer,
	`detail` text NOT NULL,
	CONSTRAINT `alerts_pk` PRIMARY KEY(`rule`, `subject`)
);
--> statement-breakpoint
CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`scopes` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`revoked_by` text,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE TABLE `idempotency` (
	`actor` text NOT NULL,
	`key` text NOT NULL,
	`print` text NOT NULL,
	`at` integer NOT NULL,
	`status` integer,
	`sealed` blob,
	CONSTRAINT `idempotency_pk` PRIMARY KEY(`actor`, `key`)
);
--> statement-breakpoint
CREATE TABLE `schedules` (
	`connection` text NOT NULL,
	`kind` text NOT NULL,
	`fired_at` integer,
	`holder` text,
	`until` integer,
	CONSTRAINT `schedules_pk` PRIMARY KEY(`connection`, `kind`)
);
--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`connection` text NOT NULL,
	`remote_id` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`expires_at` integer,
	`checked_at` integer NOT NULL,
	`sealed` blob NOT NULL,
	CONSTRAINT `subscriptions_pk` PRIMARY KEY(`connection`, `remote_id`)
);
--> statement-breakpoint
ALTER TABLE `connections` ADD `stopped_by` text;--> statement-breakpoint
ALTER TABLE `connections` ADD `stopped_at` integer;--> statement-breakpoint
CREATE TABLE `__new_inbox` (
	`id` integer PRIMARY KEY AUTOINCREMENT,
	`connection` text NOT NULL,
	`kind` text NOT NULL,
	`entity` text,
	`state` text NOT NULL,
	`key` text,
	`case_id` text,
	`received_at` integer NOT NULL,
	`read_at` integer,
	`sealed` blob NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_inbox`(`connection`, `kind`, `entity`, `state`, `case_id`, `received_at`, `sealed`) SELECT `connection`, 'page', `entity`, `state`, `case_id`, `received_at`, `sealed` FROM `inbox` ORDER BY `id`;--> statement-breakpoint
DROP TABLE `inbox`;--> statement-breakpoint
ALTER TABLE `__new_inbox` RENAME TO `inbox`;--> statement-breakpoint
DROP INDEX IF EXISTS `inbox_connection`;--> statement-breakpoint
CREATE UNIQUE INDEX `inbox_key` ON `inbox` (`connection`,`key`) WHERE key is not null;--> statement-breakpoint
CREATE INDEX `inbox_open` ON `inbox` (`connection`,`state`,`id`) WHERE state in ('held', 'unread');--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE INDEX `idempotency_at` ON `idempotency` (`at`);