CREATE TABLE `resources` (
	`connection` text NOT NULL,
	`id` text NOT NULL,
	`type` text NOT NULL,
	`change` integer NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`modified_at` integer NOT NULL,
	`unique_name` text,
	`sealed` blob,
	CONSTRAINT `resources_pk` PRIMARY KEY(`connection`, `id`)
);
--> statement-breakpoint
ALTER TABLE `api_keys` ADD `connection` text;--> statement-breakpoint
CREATE UNIQUE INDEX `resources_change` ON `resources` (`connection`,`change`);--> statement-breakpoint
CREATE UNIQUE INDEX `resources_name` ON `resources` (`connection`,`type`,`unique_name`) WHERE unique_name is not null;