-- types note: id Uuid, owner_id Uuid, text String
-- types person: id Uuid, name String

-- @sqlite
-- + person
CREATE TABLE "person" (
  "id" TEXT NOT NULL,
  "name" TEXT,
  CONSTRAINT "person_pkey" PRIMARY KEY ("id")
) STRICT;

-- + note
CREATE TABLE "note" (
  "id" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "owner_id" TEXT NOT NULL,
  CONSTRAINT "note_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "note_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "person" ("id") ON DELETE RESTRICT,
  CONSTRAINT "note_text_check" CHECK (length("text") <= 200)
) STRICT;
CREATE INDEX "note_owner_id_idx" ON "note" ("owner_id");

-- @postgres
-- + person
CREATE TABLE "person" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C",
  CONSTRAINT "person_pkey" PRIMARY KEY ("id")
);

-- + note
CREATE TABLE "note" (
  "id" uuid NOT NULL,
  "text" text COLLATE "C" NOT NULL,
  "owner_id" uuid NOT NULL,
  CONSTRAINT "note_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "note_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "person" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "note_text_check" CHECK (length("text") <= 200)
);
CREATE INDEX "note_owner_id_idx" ON "note" ("owner_id");

-- @mysql
-- + person
CREATE TABLE `person` (
  `id` BINARY(16) NOT NULL,
  `name` LONGTEXT,
  CONSTRAINT `person_pkey` PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + note
CREATE TABLE `note` (
  `id` BINARY(16) NOT NULL,
  `text` LONGTEXT NOT NULL,
  `owner_id` BINARY(16) NOT NULL,
  CONSTRAINT `note_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `note_owner_id_fkey` FOREIGN KEY (`owner_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `note_text_check` CHECK (char_length(`text`) <= 200)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `note_owner_id_idx` ON `note` (`owner_id`);
