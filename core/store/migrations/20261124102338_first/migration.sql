CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	`detail` text NOT NULL,
	`sequence` integer,
	`hash` text
);
--> statement-breakpoint
CREATE TABLE `brake_marks` (
	`id` integer PRIMARY KEY AUTOINCREMENT,
	`connection` text NOT NULL,
	`at` integer NOT NULL,
	`deletes` integer NOT NULL,
	`blanks` integer NOT NULL,
	`overwrites` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `canonicals` (
	`id` text PRIMARY KEY,
	`entity` text NOT NULL,
	`state` text NOT NULL,
	`merged_into` text,
	`name` text,
	`refers_to` text,
	`clear` text NOT NULL,
	`sealed` blob,
	`provenance` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`revision` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `changes` (
	`position` integer PRIMARY KEY AUTOINCREMENT,
	`at` integer NOT NULL,
	`run` text NOT NULL,
	`connection` text NOT NULL,
	`entity` text NOT NULL,
	`canonical_id` text,
	`remote_id` text,
	`kind` text NOT NULL,
	`clear` text NOT NULL,
	`sealed` blob
);
--> statement-breakpoint
CREATE TABLE `conflicts` (
	`id` text PRIMARY KEY,
	`kind` text NOT NULL,
	`entity` text NOT NULL,
	`canonical_id` text,
	`connection` text,
	`remote_id` text,
	`field` text,
	`state` text NOT NULL,
	`rule` text,
	`winner` text,
	`run` text NOT NULL,
	`opened_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`clear` text NOT NULL,
	`sealed` blob
);
--> statement-breakpoint
CREATE TABLE `connections` (
	`name` text PRIMARY KEY,
	`system` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`paused_until` integer,
	`loaded` text NOT NULL,
	`map_print` text NOT NULL,
	`last_run_at` integer,
	`last_sweep_at` integer
);
--> statement-breakpoint
CREATE TABLE `counters` (
	`connection` text NOT NULL,
	`name` text NOT NULL,
	`day` text NOT NULL,
	`used` integer NOT NULL,
	CONSTRAINT `counters_pk` PRIMARY KEY(`connection`, `name`)
);
--> statement-breakpoint
CREATE TABLE `cursors` (
	`connection` text NOT NULL,
	`entity` text NOT NULL,
	`mode` text NOT NULL,
	`cursor` text NOT NULL,
	`saved_at` integer NOT NULL,
	CONSTRAINT `cursors_pk` PRIMARY KEY(`connection`, `entity`, `mode`)
);
--> statement-breakpoint
CREATE TABLE `data_keys` (
	`owner` text PRIMARY KEY,
	`wrapped` blob NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`id` text PRIMARY KEY,
	`connection` text NOT NULL,
	`entity` text NOT NULL,
	`canonical_id` text NOT NULL,
	`remote_id` text NOT NULL,
	`field` text NOT NULL,
	`move` text NOT NULL,
	`code` text NOT NULL,
	`reason` text NOT NULL,
	`remedy` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`sealed` blob
);
--> statement-breakpoint
CREATE TABLE `inbox` (
	`id` text PRIMARY KEY,
	`connection` text NOT NULL,
	`entity` text NOT NULL,
	`state` text NOT NULL,
	`case_id` text,
	`received_at` integer NOT NULL,
	`sealed` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `leases` (
	`name` text PRIMARY KEY,
	`holder` text NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `links` (
	`id` integer PRIMARY KEY,
	`connection` text NOT NULL,
	`entity` text NOT NULL,
	`remote_id` text NOT NULL,
	`canonical_id` text,
	`state` text NOT NULL,
	`print` text NOT NULL,
	`version` text,
	`modified_at` integer,
	`remote_created_at` integer,
	`read_began` integer NOT NULL,
	`read_ended` integer NOT NULL,
	`settled_at` integer,
	`fetch_after` integer
);
--> statement-breakpoint
CREATE TABLE `match_keys` (
	`value` text NOT NULL,
	`canonical_id` text NOT NULL,
	CONSTRAINT `match_keys_pk` PRIMARY KEY(`value`, `canonical_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `meetings` (
	`canonical_id` text PRIMARY KEY,
	`run` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `meta` (
	`name` text PRIMARY KEY,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `outbox` (
	`canonical_id` text NOT NULL,
	`connection` text NOT NULL,
	`entity` text NOT NULL,
	`revision` integer NOT NULL,
	`due_at` integer NOT NULL,
	`attempts` integer NOT NULL,
	`claim` text,
	`claim_until` integer,
	`claimed_revision` integer,
	`reason` text,
	CONSTRAINT `outbox_pk` PRIMARY KEY(`connection`, `canonical_id`)
);
--> statement-breakpoint
CREATE TABLE `runs` (
	`id` text PRIMARY KEY,
	`connection` text NOT NULL,
	`started_at` integer NOT NULL,
	`ended_at` integer,
	`outcome` text NOT NULL,
	`counts` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sent` (
	`id` text PRIMARY KEY,
	`connection` text NOT NULL,
	`entity` text NOT NULL,
	`canonical_id` text NOT NULL,
	`link_id` integer,
	`kind` text NOT NULL,
	`at` integer NOT NULL,
	`state` text NOT NULL,
	`clear` text NOT NULL,
	`sealed` blob
);
--> statement-breakpoint
CREATE TABLE `shadows` (
	`link_id` integer PRIMARY KEY,
	`clear` text NOT NULL,
	`sealed` blob
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`connection` text NOT NULL,
	`name` text NOT NULL,
	`sealed` blob NOT NULL,
	CONSTRAINT `tokens_pk` PRIMARY KEY(`connection`, `name`)
);
--> statement-breakpoint
CREATE TABLE `words` (
	`word` text NOT NULL,
	`canonical_id` text NOT NULL,
	CONSTRAINT `words_pk` PRIMARY KEY(`word`, `canonical_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `audit_sequence` ON `audit` (`sequence`);--> statement-breakpoint
CREATE INDEX `brake_marks_window` ON `brake_marks` (`connection`,`at`);--> statement-breakpoint
CREATE INDEX `canonicals_refers` ON `canonicals` (`refers_to`) WHERE refers_to is not null;--> statement-breakpoint
CREATE INDEX `canonicals_merged` ON `canonicals` (`merged_into`) WHERE merged_into is not null;--> statement-breakpoint
CREATE INDEX `changes_canonical` ON `changes` (`canonical_id`);--> statement-breakpoint
CREATE INDEX `changes_filled` ON `changes` (`run`) WHERE kind = 'filled';--> statement-breakpoint
CREATE INDEX `conflicts_canonical` ON `conflicts` (`canonical_id`,`field`);--> statement-breakpoint
CREATE INDEX `conflicts_open` ON `conflicts` (`opened_at`) WHERE state in ('open', 'reopened');--> statement-breakpoint
CREATE INDEX `conflicts_record` ON `conflicts` (`connection`,`remote_id`) WHERE state in ('open', 'reopened');--> statement-breakpoint
CREATE INDEX `conflicts_run` ON `conflicts` (`run`);--> statement-breakpoint
CREATE UNIQUE INDEX `dead_letters_subject` ON `dead_letters` (`connection`,`entity`,`canonical_id`,`remote_id`,`field`,`move`);--> statement-breakpoint
CREATE INDEX `dead_letters_state` ON `dead_letters` (`state`,`connection`);--> statement-breakpoint
CREATE INDEX `inbox_connection` ON `inbox` (`connection`,`state`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `links_remote` ON `links` (`connection`,`entity`,`remote_id`);--> statement-breakpoint
CREATE INDEX `links_canonical` ON `links` (`canonical_id`);--> statement-breakpoint
CREATE INDEX `links_fetch` ON `links` (`connection`,`fetch_after`) WHERE fetch_after is not null;--> statement-breakpoint
CREATE INDEX `outbox_due` ON `outbox` (`connection`,`due_at`);--> statement-breakpoint
CREATE INDEX `runs_connection` ON `runs` (`connection`,`started_at`);--> statement-breakpoint
CREATE INDEX `sent_open` ON `sent` (`connection`,`canonical_id`) WHERE state <> 'closed';