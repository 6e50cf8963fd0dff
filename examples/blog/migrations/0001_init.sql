-- types comment: author_id Uuid, created_at Timestamp, id Uuid, post_id Uuid, state Enum, text String
-- types post: author_id Uuid, body String, created_at Timestamp, id Uuid, publish_at Timestamp, slug String(650), state Enum, summary String, tags [String!], title String, updated_at Timestamp
-- types report: comment_id Uuid, id Uuid, reason String, reporter_id Uuid
-- types user: about String, banned Boolean, id Uuid, links Json, name String

-- @sqlite
-- + user
CREATE TABLE "user" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "about" TEXT,
  "links" TEXT,
  "banned" INTEGER NOT NULL,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_name_check" CHECK (length("name") >= 1 AND length("name") <= 80),
  CONSTRAINT "user_about_check" CHECK (length("about") <= 2000),
  CONSTRAINT "user_banned_check" CHECK ("banned" IN (0, 1))
) STRICT;

-- + post
CREATE TABLE "post" (
  "id" TEXT NOT NULL,
  "author_id" TEXT NOT NULL,
  "title" TEXT NOT NULL,
  "slug" TEXT NOT NULL,
  "summary" TEXT,
  "body" TEXT NOT NULL,
  "tags" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "publish_at" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL,
  CONSTRAINT "post_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "post_slug_key" UNIQUE ("slug"),
  CONSTRAINT "post_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "post_title_check" CHECK (length("title") >= 3 AND length("title") <= 160),
  CONSTRAINT "post_summary_check" CHECK (length("summary") <= 400),
  CONSTRAINT "post_state_check" CHECK ("state" IN ('DRAFT', 'SUBMITTED', 'PUBLISHED', 'WITHDRAWN')),
  CONSTRAINT "post_check" CHECK ((("state" <> 'PUBLISHED') OR ("publish_at" IS NOT NULL)))
) STRICT;
CREATE INDEX "post_state_idx" ON "post" ("state");
CREATE INDEX "post_author_id_idx" ON "post" ("author_id");

-- + comment
CREATE TABLE "comment" (
  "id" TEXT NOT NULL,
  "post_id" TEXT NOT NULL,
  "author_id" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "comment_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "comment_post_id_fkey" FOREIGN KEY ("post_id") REFERENCES "post" ("id") ON DELETE CASCADE,
  CONSTRAINT "comment_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "comment_text_check" CHECK (length("text") >= 1 AND length("text") <= 4000),
  CONSTRAINT "comment_state_check" CHECK ("state" IN ('WAITING', 'APPROVED', 'REJECTED'))
) STRICT;
CREATE INDEX "comment_post_id_idx" ON "comment" ("post_id");
CREATE INDEX "comment_author_id_idx" ON "comment" ("author_id");

-- + report
CREATE TABLE "report" (
  "id" TEXT NOT NULL,
  "comment_id" TEXT NOT NULL,
  "reporter_id" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  CONSTRAINT "report_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "report_comment_id_reporter_id_key" UNIQUE ("comment_id", "reporter_id"),
  CONSTRAINT "report_comment_id_fkey" FOREIGN KEY ("comment_id") REFERENCES "comment" ("id") ON DELETE CASCADE,
  CONSTRAINT "report_reporter_id_fkey" FOREIGN KEY ("reporter_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "report_reason_check" CHECK (length("reason") >= 3 AND length("reason") <= 500)
) STRICT;
CREATE INDEX "report_reporter_id_idx" ON "report" ("reporter_id");

-- @postgres
-- + user
CREATE TABLE "user" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "about" text COLLATE "C",
  "links" json,
  "banned" boolean NOT NULL,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_name_check" CHECK (length("name") >= 1 AND length("name") <= 80),
  CONSTRAINT "user_about_check" CHECK (length("about") <= 2000)
);

-- + post
CREATE TABLE "post" (
  "id" uuid NOT NULL,
  "author_id" uuid NOT NULL,
  "title" text COLLATE "C" NOT NULL,
  "slug" text COLLATE "C" NOT NULL,
  "summary" text COLLATE "C",
  "body" text COLLATE "C" NOT NULL,
  "tags" text[] COLLATE "C" NOT NULL,
  "state" text COLLATE "C" NOT NULL,
  "publish_at" timestamp with time zone,
  "created_at" timestamp with time zone NOT NULL,
  "updated_at" timestamp with time zone NOT NULL,
  CONSTRAINT "post_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "post_slug_key" UNIQUE ("slug"),
  CONSTRAINT "post_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "post_title_check" CHECK (length("title") >= 3 AND length("title") <= 160),
  CONSTRAINT "post_summary_check" CHECK (length("summary") <= 400),
  CONSTRAINT "post_state_check" CHECK ("state" IN ('DRAFT', 'SUBMITTED', 'PUBLISHED', 'WITHDRAWN')),
  CONSTRAINT "post_check" CHECK ((("state" <> 'PUBLISHED') OR ("publish_at" IS NOT NULL)))
);
CREATE INDEX "post_state_idx" ON "post" ("state");
CREATE INDEX "post_author_id_idx" ON "post" ("author_id");

-- + comment
CREATE TABLE "comment" (
  "id" uuid NOT NULL,
  "post_id" uuid NOT NULL,
  "author_id" uuid NOT NULL,
  "text" text COLLATE "C" NOT NULL,
  "state" text COLLATE "C" NOT NULL,
  "created_at" timestamp with time zone NOT NULL,
  CONSTRAINT "comment_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "comment_post_id_fkey" FOREIGN KEY ("post_id") REFERENCES "post" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "comment_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "comment_text_check" CHECK (length("text") >= 1 AND length("text") <= 4000),
  CONSTRAINT "comment_state_check" CHECK ("state" IN ('WAITING', 'APPROVED', 'REJECTED'))
);
CREATE INDEX "comment_post_id_idx" ON "comment" ("post_id");
CREATE INDEX "comment_author_id_idx" ON "comment" ("author_id");

-- + report
CREATE TABLE "report" (
  "id" uuid NOT NULL,
  "comment_id" uuid NOT NULL,
  "reporter_id" uuid NOT NULL,
  "reason" text COLLATE "C" NOT NULL,
  CONSTRAINT "report_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "report_comment_id_reporter_id_key" UNIQUE ("comment_id", "reporter_id"),
  CONSTRAINT "report_comment_id_fkey" FOREIGN KEY ("comment_id") REFERENCES "comment" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "report_reporter_id_fkey" FOREIGN KEY ("reporter_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "report_reason_check" CHECK (length("reason") >= 3 AND length("reason") <= 500)
);
CREATE INDEX "report_reporter_id_idx" ON "report" ("reporter_id");

-- @mysql
-- + user
CREATE TABLE `user` (
  `id` BINARY(16) NOT NULL,
  `name` LONGTEXT NOT NULL,
  `about` LONGTEXT,
  `links` LONGTEXT,
  `banned` TINYINT(1) NOT NULL,
  CONSTRAINT `user_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `user_name_check` CHECK (char_length(`name`) >= 1 AND char_length(`name`) <= 80),
  CONSTRAINT `user_about_check` CHECK (char_length(`about`) <= 2000),
  CONSTRAINT `user_links_check` CHECK (json_valid(`links`)),
  CONSTRAINT `user_banned_check` CHECK (`banned` IN (0, 1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + post
CREATE TABLE `post` (
  `id` BINARY(16) NOT NULL,
  `author_id` BINARY(16) NOT NULL,
  `title` LONGTEXT NOT NULL,
  `slug` VARCHAR(650) NOT NULL,
  `summary` LONGTEXT,
  `body` LONGTEXT NOT NULL,
  `tags` LONGTEXT NOT NULL,
  `state` VARCHAR(63) NOT NULL,
  `publish_at` DATETIME(6),
  `created_at` DATETIME(6) NOT NULL,
  `updated_at` DATETIME(6) NOT NULL,
  CONSTRAINT `post_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `post_slug_key` UNIQUE (`slug`),
  CONSTRAINT `post_author_id_fkey` FOREIGN KEY (`author_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `post_title_check` CHECK (char_length(`title`) >= 3 AND char_length(`title`) <= 160),
  CONSTRAINT `post_summary_check` CHECK (char_length(`summary`) <= 400),
  CONSTRAINT `post_tags_check` CHECK (json_valid(`tags`)),
  CONSTRAINT `post_state_check` CHECK (`state` IN ('DRAFT', 'SUBMITTED', 'PUBLISHED', 'WITHDRAWN')),
  CONSTRAINT `post_check` CHECK (((`state` <> 'PUBLISHED') OR (`publish_at` IS NOT NULL)))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `post_state_idx` ON `post` (`state`);
CREATE INDEX `post_author_id_idx` ON `post` (`author_id`);

-- + comment
CREATE TABLE `comment` (
  `id` BINARY(16) NOT NULL,
  `post_id` BINARY(16) NOT NULL,
  `author_id` BINARY(16) NOT NULL,
  `text` LONGTEXT NOT NULL,
  `state` VARCHAR(63) NOT NULL,
  `created_at` DATETIME(6) NOT NULL,
  CONSTRAINT `comment_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `comment_post_id_fkey` FOREIGN KEY (`post_id`) REFERENCES `post` (`id`) ON DELETE CASCADE,
  CONSTRAINT `comment_author_id_fkey` FOREIGN KEY (`author_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `comment_text_check` CHECK (char_length(`text`) >= 1 AND char_length(`text`) <= 4000),
  CONSTRAINT `comment_state_check` CHECK (`state` IN ('WAITING', 'APPROVED', 'REJECTED'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `comment_post_id_idx` ON `comment` (`post_id`);
CREATE INDEX `comment_author_id_idx` ON `comment` (`author_id`);

-- + report
CREATE TABLE `report` (
  `id` BINARY(16) NOT NULL,
  `comment_id` BINARY(16) NOT NULL,
  `reporter_id` BINARY(16) NOT NULL,
  `reason` LONGTEXT NOT NULL,
  CONSTRAINT `report_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `report_comment_id_reporter_id_key` UNIQUE (`comment_id`, `reporter_id`),
  CONSTRAINT `report_comment_id_fkey` FOREIGN KEY (`comment_id`) REFERENCES `comment` (`id`) ON DELETE CASCADE,
  CONSTRAINT `report_reporter_id_fkey` FOREIGN KEY (`reporter_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `report_reason_check` CHECK (char_length(`reason`) >= 3 AND char_length(`reason`) <= 500)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `report_reporter_id_idx` ON `report` (`reporter_id`);
