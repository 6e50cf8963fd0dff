-- types comment: author_id Uuid, created_at Timestamp, id Uuid, task_id Uuid, text String
-- types invitation: email String(650), expires_at Timestamp, id Uuid, invited_by_id Uuid, org_id Uuid, role Enum
-- types membership: id Uuid, joined_at Timestamp, org_id Uuid, role Enum, user_id Uuid
-- types org: created_at Timestamp, founder_id Uuid, id Uuid, name String, slug String(650)
-- types project: archived Boolean, id Uuid, name String(650), org_id Uuid
-- types task: assignee_id Uuid, author_id Uuid, created_at Timestamp, deleted_at Timestamp, due Date, estimate Duration, id Uuid, labels [String!], project_id Uuid, state Enum, text String, title String, updated_at Timestamp
-- types user: id Uuid, name String

-- @sqlite
-- + user
CREATE TABLE "user" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_name_check" CHECK (length("name") >= 1 AND length("name") <= 80)
) STRICT;

-- + org
CREATE TABLE "org" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "slug" TEXT NOT NULL,
  "founder_id" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "org_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "org_slug_key" UNIQUE ("slug"),
  CONSTRAINT "org_founder_id_fkey" FOREIGN KEY ("founder_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "org_name_check" CHECK (length("name") >= 2 AND length("name") <= 80)
) STRICT;
CREATE INDEX "org_founder_id_idx" ON "org" ("founder_id");

-- + membership
CREATE TABLE "membership" (
  "id" TEXT NOT NULL,
  "org_id" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "role" TEXT NOT NULL,
  "joined_at" TEXT NOT NULL,
  CONSTRAINT "membership_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "membership_org_id_user_id_key" UNIQUE ("org_id", "user_id"),
  CONSTRAINT "membership_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "org" ("id") ON DELETE CASCADE,
  CONSTRAINT "membership_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "membership_role_check" CHECK ("role" IN ('MEMBER', 'ADMIN'))
) STRICT;
CREATE INDEX "membership_user_id_idx" ON "membership" ("user_id");

-- + invitation
CREATE TABLE "invitation" (
  "id" TEXT NOT NULL,
  "org_id" TEXT NOT NULL,
  "email" TEXT NOT NULL,
  "role" TEXT NOT NULL,
  "invited_by_id" TEXT,
  "expires_at" TEXT NOT NULL,
  CONSTRAINT "invitation_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "invitation_org_id_email_key" UNIQUE ("org_id", "email"),
  CONSTRAINT "invitation_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "org" ("id") ON DELETE CASCADE,
  CONSTRAINT "invitation_invited_by_id_fkey" FOREIGN KEY ("invited_by_id") REFERENCES "user" ("id") ON DELETE SET NULL,
  CONSTRAINT "invitation_role_check" CHECK ("role" IN ('MEMBER', 'ADMIN'))
) STRICT;
CREATE INDEX "invitation_invited_by_id_idx" ON "invitation" ("invited_by_id");

-- + project
CREATE TABLE "project" (
  "id" TEXT NOT NULL,
  "org_id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "archived" INTEGER NOT NULL,
  CONSTRAINT "project_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "project_org_id_name_key" UNIQUE ("org_id", "name"),
  CONSTRAINT "project_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "org" ("id") ON DELETE CASCADE,
  CONSTRAINT "project_name_check" CHECK (length("name") >= 1 AND length("name") <= 80),
  CONSTRAINT "project_archived_check" CHECK ("archived" IN (0, 1))
) STRICT;

-- + task
CREATE TABLE "task" (
  "id" TEXT NOT NULL,
  "project_id" TEXT NOT NULL,
  "author_id" TEXT,
  "assignee_id" TEXT,
  "title" TEXT NOT NULL,
  "text" TEXT,
  "labels" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "estimate" INTEGER,
  "due" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL,
  "deleted_at" TEXT,
  CONSTRAINT "task_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "task_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE CASCADE,
  CONSTRAINT "task_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE SET NULL,
  CONSTRAINT "task_assignee_id_fkey" FOREIGN KEY ("assignee_id") REFERENCES "user" ("id") ON DELETE SET NULL,
  CONSTRAINT "task_title_check" CHECK (length("title") >= 1 AND length("title") <= 200),
  CONSTRAINT "task_text_check" CHECK (length("text") <= 20000),
  CONSTRAINT "task_state_check" CHECK ("state" IN ('OPEN', 'DOING', 'REVIEW', 'DONE', 'DROPPED')),
  CONSTRAINT "task_estimate_check" CHECK ("estimate" >= 300000000)
) STRICT;
CREATE INDEX "task_state_idx" ON "task" ("state");
CREATE INDEX "task_project_id_idx" ON "task" ("project_id");
CREATE INDEX "task_author_id_idx" ON "task" ("author_id");
CREATE INDEX "task_assignee_id_idx" ON "task" ("assignee_id");

-- + comment
CREATE TABLE "comment" (
  "id" TEXT NOT NULL,
  "task_id" TEXT NOT NULL,
  "author_id" TEXT,
  "text" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "comment_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "comment_task_id_fkey" FOREIGN KEY ("task_id") REFERENCES "task" ("id") ON DELETE CASCADE,
  CONSTRAINT "comment_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE SET NULL,
  CONSTRAINT "comment_text_check" CHECK (length("text") >= 1 AND length("text") <= 5000)
) STRICT;
CREATE INDEX "comment_task_id_idx" ON "comment" ("task_id");
CREATE INDEX "comment_author_id_idx" ON "comment" ("author_id");

-- @postgres
-- + user
CREATE TABLE "user" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_name_check" CHECK (length("name") >= 1 AND length("name") <= 80)
);

-- + org
CREATE TABLE "org" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "slug" text COLLATE "C" NOT NULL,
  "founder_id" uuid NOT NULL,
  "created_at" timestamp with time zone NOT NULL,
  CONSTRAINT "org_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "org_slug_key" UNIQUE ("slug"),
  CONSTRAINT "org_founder_id_fkey" FOREIGN KEY ("founder_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "org_name_check" CHECK (length("name") >= 2 AND length("name") <= 80)
);
CREATE INDEX "org_founder_id_idx" ON "org" ("founder_id");

-- + membership
CREATE TABLE "membership" (
  "id" uuid NOT NULL,
  "org_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "role" text COLLATE "C" NOT NULL,
  "joined_at" timestamp with time zone NOT NULL,
  CONSTRAINT "membership_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "membership_org_id_user_id_key" UNIQUE ("org_id", "user_id"),
  CONSTRAINT "membership_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "org" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "membership_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "membership_role_check" CHECK ("role" IN ('MEMBER', 'ADMIN'))
);
CREATE INDEX "membership_user_id_idx" ON "membership" ("user_id");

-- + invitation
CREATE TABLE "invitation" (
  "id" uuid NOT NULL,
  "org_id" uuid NOT NULL,
  "email" text COLLATE "C" NOT NULL,
  "role" text COLLATE "C" NOT NULL,
  "invited_by_id" uuid,
  "expires_at" timestamp with time zone NOT NULL,
  CONSTRAINT "invitation_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "invitation_org_id_email_key" UNIQUE ("org_id", "email"),
  CONSTRAINT "invitation_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "org" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "invitation_invited_by_id_fkey" FOREIGN KEY ("invited_by_id") REFERENCES "user" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "invitation_role_check" CHECK ("role" IN ('MEMBER', 'ADMIN'))
);
CREATE INDEX "invitation_invited_by_id_idx" ON "invitation" ("invited_by_id");

-- + project
CREATE TABLE "project" (
  "id" uuid NOT NULL,
  "org_id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "archived" boolean NOT NULL,
  CONSTRAINT "project_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "project_org_id_name_key" UNIQUE ("org_id", "name"),
  CONSTRAINT "project_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "org" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "project_name_check" CHECK (length("name") >= 1 AND length("name") <= 80)
);

-- + task
CREATE TABLE "task" (
  "id" uuid NOT NULL,
  "project_id" uuid NOT NULL,
  "author_id" uuid,
  "assignee_id" uuid,
  "title" text COLLATE "C" NOT NULL,
  "text" text COLLATE "C",
  "labels" text[] COLLATE "C" NOT NULL,
  "state" text COLLATE "C" NOT NULL,
  "estimate" bigint,
  "due" date,
  "created_at" timestamp with time zone NOT NULL,
  "updated_at" timestamp with time zone NOT NULL,
  "deleted_at" timestamp with time zone,
  CONSTRAINT "task_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "task_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "task_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "task_assignee_id_fkey" FOREIGN KEY ("assignee_id") REFERENCES "user" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "task_title_check" CHECK (length("title") >= 1 AND length("title") <= 200),
  CONSTRAINT "task_text_check" CHECK (length("text") <= 20000),
  CONSTRAINT "task_state_check" CHECK ("state" IN ('OPEN', 'DOING', 'REVIEW', 'DONE', 'DROPPED')),
  CONSTRAINT "task_estimate_check" CHECK ("estimate" >= 300000000)
);
CREATE INDEX "task_state_idx" ON "task" ("state");
CREATE INDEX "task_project_id_idx" ON "task" ("project_id");
CREATE INDEX "task_author_id_idx" ON "task" ("author_id");
CREATE INDEX "task_assignee_id_idx" ON "task" ("assignee_id");

-- + comment
CREATE TABLE "comment" (
  "id" uuid NOT NULL,
  "task_id" uuid NOT NULL,
  "author_id" uuid,
  "text" text COLLATE "C" NOT NULL,
  "created_at" timestamp with time zone NOT NULL,
  CONSTRAINT "comment_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "comment_task_id_fkey" FOREIGN KEY ("task_id") REFERENCES "task" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "comment_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "comment_text_check" CHECK (length("text") >= 1 AND length("text") <= 5000)
);
CREATE INDEX "comment_task_id_idx" ON "comment" ("task_id");
CREATE INDEX "comment_author_id_idx" ON "comment" ("author_id");

-- @mysql
-- + user
CREATE TABLE `user` (
  `id` BINARY(16) NOT NULL,
  `name` LONGTEXT NOT NULL,
  CONSTRAINT `user_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `user_name_check` CHECK (char_length(`name`) >= 1 AND char_length(`name`) <= 80)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + org
CREATE TABLE `org` (
  `id` BINARY(16) NOT NULL,
  `name` LONGTEXT NOT NULL,
  `slug` VARCHAR(650) NOT NULL,
  `founder_id` BINARY(16) NOT NULL,
  `created_at` DATETIME(6) NOT NULL,
  CONSTRAINT `org_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `org_slug_key` UNIQUE (`slug`),
  CONSTRAINT `org_founder_id_fkey` FOREIGN KEY (`founder_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `org_name_check` CHECK (char_length(`name`) >= 2 AND char_length(`name`) <= 80)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `org_founder_id_idx` ON `org` (`founder_id`);

-- + membership
CREATE TABLE `membership` (
  `id` BINARY(16) NOT NULL,
  `org_id` BINARY(16) NOT NULL,
  `user_id` BINARY(16) NOT NULL,
  `role` VARCHAR(63) NOT NULL,
  `joined_at` DATETIME(6) NOT NULL,
  CONSTRAINT `membership_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `membership_org_id_user_id_key` UNIQUE (`org_id`, `user_id`),
  CONSTRAINT `membership_org_id_fkey` FOREIGN KEY (`org_id`) REFERENCES `org` (`id`) ON DELETE CASCADE,
  CONSTRAINT `membership_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `membership_role_check` CHECK (`role` IN ('MEMBER', 'ADMIN'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `membership_user_id_idx` ON `membership` (`user_id`);

-- + invitation
CREATE TABLE `invitation` (
  `id` BINARY(16) NOT NULL,
  `org_id` BINARY(16) NOT NULL,
  `email` VARCHAR(650) NOT NULL,
  `role` VARCHAR(63) NOT NULL,
  `invited_by_id` BINARY(16),
  `expires_at` DATETIME(6) NOT NULL,
  CONSTRAINT `invitation_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `invitation_org_id_email_key` UNIQUE (`org_id`, `email`),
  CONSTRAINT `invitation_org_id_fkey` FOREIGN KEY (`org_id`) REFERENCES `org` (`id`) ON DELETE CASCADE,
  CONSTRAINT `invitation_invited_by_id_fkey` FOREIGN KEY (`invited_by_id`) REFERENCES `user` (`id`) ON DELETE SET NULL,
  CONSTRAINT `invitation_role_check` CHECK (`role` IN ('MEMBER', 'ADMIN'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `invitation_invited_by_id_idx` ON `invitation` (`invited_by_id`);

-- + project
CREATE TABLE `project` (
  `id` BINARY(16) NOT NULL,
  `org_id` BINARY(16) NOT NULL,
  `name` VARCHAR(650) NOT NULL,
  `archived` TINYINT(1) NOT NULL,
  CONSTRAINT `project_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `project_org_id_name_key` UNIQUE (`org_id`, `name`),
  CONSTRAINT `project_org_id_fkey` FOREIGN KEY (`org_id`) REFERENCES `org` (`id`) ON DELETE CASCADE,
  CONSTRAINT `project_name_check` CHECK (char_length(`name`) >= 1 AND char_length(`name`) <= 80),
  CONSTRAINT `project_archived_check` CHECK (`archived` IN (0, 1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + task
CREATE TABLE `task` (
  `id` BINARY(16) NOT NULL,
  `project_id` BINARY(16) NOT NULL,
  `author_id` BINARY(16),
  `assignee_id` BINARY(16),
  `title` LONGTEXT NOT NULL,
  `text` LONGTEXT,
  `labels` LONGTEXT NOT NULL,
  `state` VARCHAR(63) NOT NULL,
  `estimate` BIGINT,
  `due` DATE,
  `created_at` DATETIME(6) NOT NULL,
  `updated_at` DATETIME(6) NOT NULL,
  `deleted_at` DATETIME(6),
  CONSTRAINT `task_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `task_project_id_fkey` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE,
  CONSTRAINT `task_author_id_fkey` FOREIGN KEY (`author_id`) REFERENCES `user` (`id`) ON DELETE SET NULL,
  CONSTRAINT `task_assignee_id_fkey` FOREIGN KEY (`assignee_id`) REFERENCES `user` (`id`) ON DELETE SET NULL,
  CONSTRAINT `task_title_check` CHECK (char_length(`title`) >= 1 AND char_length(`title`) <= 200),
  CONSTRAINT `task_text_check` CHECK (char_length(`text`) <= 20000),
  CONSTRAINT `task_labels_check` CHECK (json_valid(`labels`)),
  CONSTRAINT `task_state_check` CHECK (`state` IN ('OPEN', 'DOING', 'REVIEW', 'DONE', 'DROPPED')),
  CONSTRAINT `task_estimate_check` CHECK (`estimate` >= 300000000)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `task_state_idx` ON `task` (`state`);
CREATE INDEX `task_project_id_idx` ON `task` (`project_id`);
CREATE INDEX `task_author_id_idx` ON `task` (`author_id`);
CREATE INDEX `task_assignee_id_idx` ON `task` (`assignee_id`);

-- + comment
CREATE TABLE `comment` (
  `id` BINARY(16) NOT NULL,
  `task_id` BINARY(16) NOT NULL,
  `author_id` BINARY(16),
  `text` LONGTEXT NOT NULL,
  `created_at` DATETIME(6) NOT NULL,
  CONSTRAINT `comment_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `comment_task_id_fkey` FOREIGN KEY (`task_id`) REFERENCES `task` (`id`) ON DELETE CASCADE,
  CONSTRAINT `comment_author_id_fkey` FOREIGN KEY (`author_id`) REFERENCES `user` (`id`) ON DELETE SET NULL,
  CONSTRAINT `comment_text_check` CHECK (char_length(`text`) >= 1 AND char_length(`text`) <= 5000)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `comment_task_id_idx` ON `comment` (`task_id`);
CREATE INDEX `comment_author_id_idx` ON `comment` (`author_id`);
