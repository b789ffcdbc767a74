DROP TABLE `brake_marks`;--> statement-breakpoint
CREATE TABLE `brake_marks` (
	`connection` text NOT NULL,
	`kind` text NOT NULL,
	`record` text NOT NULL,
	`at` integer NOT NULL,
	CONSTRAINT `brake_marks_pk` PRIMARY KEY(`connection`, `kind`, `record`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `brake_marks_window` ON `brake_marks` (`connection`,`kind`,`at`);
