-- types booking: created_at Timestamp, guest_id Uuid, id Uuid, note String, price Decimal(18,4), slot_id Uuid, state Enum, wishes String
-- types place: address Json, closes Time, deleted_at Timestamp, id Uuid, listed Boolean, name String, opens Time, owner_id Uuid, price Decimal(18,4)
-- types slot: ends_at Timestamp, id Uuid, length Duration, place_id Uuid, starts_at Timestamp
-- types user: id Uuid, name String, phone_number String

-- @sqlite
-- + user
CREATE TABLE "user" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "phone_number" TEXT,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_name_check" CHECK (length("name") >= 1 AND length("name") <= 80),
  CONSTRAINT "user_phone_number_check" CHECK (length("phone_number") <= 30)
) STRICT;

-- + place
CREATE TABLE "place" (
  "id" TEXT NOT NULL,
  "owner_id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "address" TEXT NOT NULL,
  "listed" INTEGER NOT NULL,
  "price" INTEGER NOT NULL,
  "opens" TEXT NOT NULL,
  "closes" TEXT NOT NULL,
  "deleted_at" TEXT,
  CONSTRAINT "place_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "place_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "place_name_check" CHECK (length("name") >= 2 AND length("name") <= 120),
  CONSTRAINT "place_listed_check" CHECK ("listed" IN (0, 1)),
  CONSTRAINT "place_price_decimal_18_4" CHECK ("price" BETWEEN -999999999999999999 AND 999999999999999999),
  CONSTRAINT "place_price_check" CHECK ("price" >= 0)
) STRICT;
CREATE INDEX "place_owner_id_idx" ON "place" ("owner_id");

-- + slot
CREATE TABLE "slot" (
  "id" TEXT NOT NULL,
  "place_id" TEXT NOT NULL,
  "starts_at" TEXT NOT NULL,
  "length" INTEGER NOT NULL,
  "ends_at" TEXT NOT NULL,
  CONSTRAINT "slot_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "slot_place_id_starts_at_key" UNIQUE ("place_id", "starts_at"),
  CONSTRAINT "slot_place_id_fkey" FOREIGN KEY ("place_id") REFERENCES "place" ("id") ON DELETE CASCADE,
  CONSTRAINT "slot_length_check" CHECK ("length" >= 300000000 AND "length" <= 86400000000),
  CONSTRAINT "slot_check" CHECK (("ends_at" > "starts_at"))
) STRICT;

-- + booking
CREATE TABLE "booking" (
  "id" TEXT NOT NULL,
  "slot_id" TEXT NOT NULL,
  "guest_id" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "wishes" TEXT,
  "note" TEXT,
  "price" INTEGER NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "booking_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "booking_slot_id_fkey" FOREIGN KEY ("slot_id") REFERENCES "slot" ("id") ON DELETE RESTRICT,
  CONSTRAINT "booking_guest_id_fkey" FOREIGN KEY ("guest_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "booking_state_check" CHECK ("state" IN ('ASKED', 'CONFIRMED', 'DECLINED', 'CANCELLED', 'KEPT', 'MISSED')),
  CONSTRAINT "booking_wishes_check" CHECK (length("wishes") <= 1000),
  CONSTRAINT "booking_price_decimal_18_4" CHECK ("price" BETWEEN -999999999999999999 AND 999999999999999999)
) STRICT;
CREATE INDEX "booking_slot_id_idx" ON "booking" ("slot_id");
CREATE INDEX "booking_guest_id_idx" ON "booking" ("guest_id");
CREATE UNIQUE INDEX "booking_slot_id_key_84db0978" ON "booking" ("slot_id", (1)) WHERE ("state" IN ('ASKED', 'CONFIRMED', 'KEPT', 'MISSED'));

-- @postgres
-- + user
CREATE TABLE "user" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "phone_number" text COLLATE "C",
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_name_check" CHECK (length("name") >= 1 AND length("name") <= 80),
  CONSTRAINT "user_phone_number_check" CHECK (length("phone_number") <= 30)
);

-- + place
CREATE TABLE "place" (
  "id" uuid NOT NULL,
  "owner_id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "address" json NOT NULL,
  "listed" boolean NOT NULL,
  "price" numeric(18, 4) NOT NULL,
  "opens" time without time zone NOT NULL,
  "closes" time without time zone NOT NULL,
  "deleted_at" timestamp with time zone,
  CONSTRAINT "place_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "place_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "place_name_check" CHECK (length("name") >= 2 AND length("name") <= 120),
  CONSTRAINT "place_price_check" CHECK ("price" >= 0.0000)
);
CREATE INDEX "place_owner_id_idx" ON "place" ("owner_id");

-- + slot
CREATE TABLE "slot" (
  "id" uuid NOT NULL,
  "place_id" uuid NOT NULL,
  "starts_at" timestamp with time zone NOT NULL,
  "length" bigint NOT NULL,
  "ends_at" timestamp with time zone NOT NULL,
  CONSTRAINT "slot_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "slot_place_id_starts_at_key" UNIQUE ("place_id", "starts_at"),
  CONSTRAINT "slot_place_id_fkey" FOREIGN KEY ("place_id") REFERENCES "place" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "slot_length_check" CHECK ("length" >= 300000000 AND "length" <= 86400000000),
  CONSTRAINT "slot_check" CHECK (("ends_at" > "starts_at"))
);

-- + booking
CREATE TABLE "booking" (
  "id" uuid NOT NULL,
  "slot_id" uuid NOT NULL,
  "guest_id" uuid NOT NULL,
  "state" text COLLATE "C" NOT NULL,
  "wishes" text COLLATE "C",
  "note" text COLLATE "C",
  "price" numeric(18, 4) NOT NULL,
  "created_at" timestamp with time zone NOT NULL,
  CONSTRAINT "booking_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "booking_slot_id_fkey" FOREIGN KEY ("slot_id") REFERENCES "slot" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "booking_guest_id_fkey" FOREIGN KEY ("guest_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "booking_state_check" CHECK ("state" IN ('ASKED', 'CONFIRMED', 'DECLINED', 'CANCELLED', 'KEPT', 'MISSED')),
  CONSTRAINT "booking_wishes_check" CHECK (length("wishes") <= 1000)
);
CREATE INDEX "booking_slot_id_idx" ON "booking" ("slot_id");
CREATE INDEX "booking_guest_id_idx" ON "booking" ("guest_id");
CREATE UNIQUE INDEX "booking_slot_id_key_84db0978" ON "booking" ("slot_id") WHERE ("state" IN ('ASKED', 'CONFIRMED', 'KEPT', 'MISSED'));

-- @mysql
-- + user
CREATE TABLE `user` (
  `id` BINARY(16) NOT NULL,
  `name` LONGTEXT NOT NULL,
  `phone_number` LONGTEXT,
  CONSTRAINT `user_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `user_name_check` CHECK (char_length(`name`) >= 1 AND char_length(`name`) <= 80),
  CONSTRAINT `user_phone_number_check` CHECK (char_length(`phone_number`) <= 30)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + place
CREATE TABLE `place` (
  `id` BINARY(16) NOT NULL,
  `owner_id` BINARY(16) NOT NULL,
  `name` LONGTEXT NOT NULL,
  `address` LONGTEXT NOT NULL,
  `listed` TINYINT(1) NOT NULL,
  `price` DECIMAL(18, 4) NOT NULL,
  `opens` TIME(6) NOT NULL,
  `closes` TIME(6) NOT NULL,
  `deleted_at` DATETIME(6),
  CONSTRAINT `place_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `place_owner_id_fkey` FOREIGN KEY (`owner_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `place_name_check` CHECK (char_length(`name`) >= 2 AND char_length(`name`) <= 120),
  CONSTRAINT `place_address_check` CHECK (json_valid(`address`)),
  CONSTRAINT `place_listed_check` CHECK (`listed` IN (0, 1)),
  CONSTRAINT `place_price_check` CHECK (`price` >= 0.0000)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `place_owner_id_idx` ON `place` (`owner_id`);

-- + slot
CREATE TABLE `slot` (
  `id` BINARY(16) NOT NULL,
  `place_id` BINARY(16) NOT NULL,
  `starts_at` DATETIME(6) NOT NULL,
  `length` BIGINT NOT NULL,
  `ends_at` DATETIME(6) NOT NULL,
  CONSTRAINT `slot_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `slot_place_id_starts_at_key` UNIQUE (`place_id`, `starts_at`),
  CONSTRAINT `slot_place_id_fkey` FOREIGN KEY (`place_id`) REFERENCES `place` (`id`) ON DELETE CASCADE,
  CONSTRAINT `slot_length_check` CHECK (`length` >= 300000000 AND `length` <= 86400000000),
  CONSTRAINT `slot_check` CHECK ((`ends_at` > `starts_at`))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + booking
CREATE TABLE `booking` (
  `id` BINARY(16) NOT NULL,
  `slot_id` BINARY(16) NOT NULL,
  `guest_id` BINARY(16) NOT NULL,
  `state` VARCHAR(63) NOT NULL,
  `wishes` LONGTEXT,
  `note` LONGTEXT,
  `price` DECIMAL(18, 4) NOT NULL,
  `created_at` DATETIME(6) NOT NULL,
  CONSTRAINT `booking_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `booking_slot_id_fkey` FOREIGN KEY (`slot_id`) REFERENCES `slot` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `booking_guest_id_fkey` FOREIGN KEY (`guest_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `booking_state_check` CHECK (`state` IN ('ASKED', 'CONFIRMED', 'DECLINED', 'CANCELLED', 'KEPT', 'MISSED')),
  CONSTRAINT `booking_wishes_check` CHECK (char_length(`wishes`) <= 1000)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `booking_slot_id_idx` ON `booking` (`slot_id`);
CREATE INDEX `booking_guest_id_idx` ON `booking` (`guest_id`);
ALTER TABLE `booking` ADD COLUMN `_backstay_booking_slot_id_key_84db0978` TINYINT GENERATED ALWAYS AS (CASE WHEN (`state` IN ('ASKED', 'CONFIRMED', 'KEPT', 'MISSED')) THEN 1 END) VIRTUAL INVISIBLE, ADD UNIQUE INDEX `booking_slot_id_key_84db0978` (`slot_id`, `_backstay_booking_slot_id_key_84db0978`);
