-- types album: artist_id Int, id Int counted, title String
-- types artist: id Int counted, name String(650)
-- types customer: address String, city String, company String, country String, email String, fax String, first_name String, id Int counted, last_name String, phone String, postal_code String, state String, support_rep_id Int
-- types employee: address String, birth_date Timestamp, city String, country String, email String, fax String, first_name String, hire_date Timestamp, id Int counted, last_name String, phone String, postal_code String, reports_to_id Int, state String, title String
-- types genre: id Int counted, name String
-- types invoice: billing_address String, billing_city String, billing_country String, billing_postal_code String, billing_state String, customer_id Int, id Int counted, invoice_date Timestamp, total Decimal(10,2)
-- types invoice_line: id Int counted, invoice_id Int, quantity Int, track_id Int, unit_price Decimal(10,2)
-- types media_type: id Int counted, name String
-- types playlist: id Int counted, name String
-- types playlist_track: playlist_id Int, track_id Int
-- types track: album_id Int, bytes Int, composer String, genre_id Int, id Int counted, media_type_id Int, milliseconds Int, name String(650), unit_price Decimal(10,2)

-- @sqlite
-- + genre
CREATE TABLE "genre" (
  "id" INTEGER CONSTRAINT "genre_pkey" PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL
) STRICT;

-- + media_type
CREATE TABLE "media_type" (
  "id" INTEGER CONSTRAINT "media_type_pkey" PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL
) STRICT;

-- + artist
CREATE TABLE "artist" (
  "id" INTEGER CONSTRAINT "artist_pkey" PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL
) STRICT;
CREATE INDEX "artist_name_idx" ON "artist" ("name");

-- + album
CREATE TABLE "album" (
  "id" INTEGER CONSTRAINT "album_pkey" PRIMARY KEY AUTOINCREMENT,
  "title" TEXT NOT NULL,
  "artist_id" INTEGER NOT NULL,
  CONSTRAINT "album_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") ON DELETE RESTRICT
) STRICT;
CREATE INDEX "album_artist_id_idx" ON "album" ("artist_id");

-- + track
CREATE TABLE "track" (
  "id" INTEGER CONSTRAINT "track_pkey" PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL,
  "album_id" INTEGER,
  "media_type_id" INTEGER NOT NULL,
  "genre_id" INTEGER,
  "composer" TEXT,
  "milliseconds" INTEGER NOT NULL,
  "bytes" INTEGER,
  "unit_price" INTEGER NOT NULL,
  CONSTRAINT "track_album_id_fkey" FOREIGN KEY ("album_id") REFERENCES "album" ("id") ON DELETE SET NULL,
  CONSTRAINT "track_media_type_id_fkey" FOREIGN KEY ("media_type_id") REFERENCES "media_type" ("id") ON DELETE RESTRICT,
  CONSTRAINT "track_genre_id_fkey" FOREIGN KEY ("genre_id") REFERENCES "genre" ("id") ON DELETE SET NULL,
  CONSTRAINT "track_milliseconds_check" CHECK ("milliseconds" >= 0),
  CONSTRAINT "track_unit_price_decimal_10_2" CHECK ("unit_price" BETWEEN -9999999999 AND 9999999999),
  CONSTRAINT "track_unit_price_check" CHECK ("unit_price" >= 0)
) STRICT;
CREATE INDEX "track_name_idx" ON "track" ("name");
CREATE INDEX "track_album_id_idx" ON "track" ("album_id");
CREATE INDEX "track_media_type_id_idx" ON "track" ("media_type_id");
CREATE INDEX "track_genre_id_idx" ON "track" ("genre_id");

-- + playlist
CREATE TABLE "playlist" (
  "id" INTEGER CONSTRAINT "playlist_pkey" PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL
) STRICT;

-- + employee
CREATE TABLE "employee" (
  "id" INTEGER CONSTRAINT "employee_pkey" PRIMARY KEY AUTOINCREMENT,
  "last_name" TEXT NOT NULL,
  "first_name" TEXT NOT NULL,
  "title" TEXT,
  "reports_to_id" INTEGER,
  "birth_date" TEXT,
  "hire_date" TEXT,
  "address" TEXT,
  "city" TEXT,
  "state" TEXT,
  "country" TEXT,
  "postal_code" TEXT,
  "phone" TEXT,
  "fax" TEXT,
  "email" TEXT,
  CONSTRAINT "employee_reports_to_id_fkey" FOREIGN KEY ("reports_to_id") REFERENCES "employee" ("id") ON DELETE SET NULL
) STRICT;
CREATE INDEX "employee_reports_to_id_idx" ON "employee" ("reports_to_id");

-- + customer
CREATE TABLE "customer" (
  "id" INTEGER CONSTRAINT "customer_pkey" PRIMARY KEY AUTOINCREMENT,
  "first_name" TEXT NOT NULL,
  "last_name" TEXT NOT NULL,
  "company" TEXT,
  "address" TEXT,
  "city" TEXT,
  "state" TEXT,
  "country" TEXT,
  "postal_code" TEXT,
  "phone" TEXT,
  "fax" TEXT,
  "email" TEXT NOT NULL,
  "support_rep_id" INTEGER,
  CONSTRAINT "customer_support_rep_id_fkey" FOREIGN KEY ("support_rep_id") REFERENCES "employee" ("id") ON DELETE SET NULL
) STRICT;
CREATE INDEX "customer_support_rep_id_idx" ON "customer" ("support_rep_id");

-- + invoice
CREATE TABLE "invoice" (
  "id" INTEGER CONSTRAINT "invoice_pkey" PRIMARY KEY AUTOINCREMENT,
  "customer_id" INTEGER NOT NULL,
  "invoice_date" TEXT NOT NULL,
  "billing_address" TEXT,
  "billing_city" TEXT,
  "billing_state" TEXT,
  "billing_country" TEXT,
  "billing_postal_code" TEXT,
  "total" INTEGER NOT NULL,
  CONSTRAINT "invoice_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer" ("id") ON DELETE RESTRICT,
  CONSTRAINT "invoice_total_decimal_10_2" CHECK ("total" BETWEEN -9999999999 AND 9999999999)
) STRICT;
CREATE INDEX "invoice_customer_id_idx" ON "invoice" ("customer_id");

-- + invoice_line
CREATE TABLE "invoice_line" (
  "id" INTEGER CONSTRAINT "invoice_line_pkey" PRIMARY KEY AUTOINCREMENT,
  "invoice_id" INTEGER NOT NULL,
  "track_id" INTEGER NOT NULL,
  "unit_price" INTEGER NOT NULL,
  "quantity" INTEGER NOT NULL,
  CONSTRAINT "invoice_line_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoice" ("id") ON DELETE RESTRICT,
  CONSTRAINT "invoice_line_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "track" ("id") ON DELETE RESTRICT,
  CONSTRAINT "invoice_line_unit_price_decimal_10_2" CHECK ("unit_price" BETWEEN -9999999999 AND 9999999999)
) STRICT;
CREATE INDEX "invoice_line_invoice_id_idx" ON "invoice_line" ("invoice_id");
CREATE INDEX "invoice_line_track_id_idx" ON "invoice_line" ("track_id");

-- + playlist_track
CREATE TABLE "playlist_track" (
  "playlist_id" INTEGER NOT NULL,
  "track_id" INTEGER NOT NULL,
  CONSTRAINT "playlist_track_pkey" PRIMARY KEY ("playlist_id", "track_id"),
  CONSTRAINT "playlist_track_playlist_id_fkey" FOREIGN KEY ("playlist_id") REFERENCES "playlist" ("id") ON DELETE CASCADE,
  CONSTRAINT "playlist_track_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "track" ("id") ON DELETE CASCADE
) STRICT;
CREATE INDEX "playlist_track_track_id_idx" ON "playlist_track" ("track_id");

-- @postgres
-- + genre
CREATE TABLE "genre" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "genre_pkey" PRIMARY KEY,
  "name" text COLLATE "C" NOT NULL
);

-- + media_type
CREATE TABLE "media_type" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "media_type_pkey" PRIMARY KEY,
  "name" text COLLATE "C" NOT NULL
);

-- + artist
CREATE TABLE "artist" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "artist_pkey" PRIMARY KEY,
  "name" text COLLATE "C" NOT NULL
);
CREATE INDEX "artist_name_idx" ON "artist" ("name");

-- + album
CREATE TABLE "album" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "album_pkey" PRIMARY KEY,
  "title" text COLLATE "C" NOT NULL,
  "artist_id" integer NOT NULL,
  CONSTRAINT "album_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "album_artist_id_idx" ON "album" ("artist_id");

-- + track
CREATE TABLE "track" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "track_pkey" PRIMARY KEY,
  "name" text COLLATE "C" NOT NULL,
  "album_id" integer,
  "media_type_id" integer NOT NULL,
  "genre_id" integer,
  "composer" text COLLATE "C",
  "milliseconds" integer NOT NULL,
  "bytes" integer,
  "unit_price" numeric(10, 2) NOT NULL,
  CONSTRAINT "track_album_id_fkey" FOREIGN KEY ("album_id") REFERENCES "album" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "track_media_type_id_fkey" FOREIGN KEY ("media_type_id") REFERENCES "media_type" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "track_genre_id_fkey" FOREIGN KEY ("genre_id") REFERENCES "genre" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "track_milliseconds_check" CHECK ("milliseconds" >= 0),
  CONSTRAINT "track_unit_price_check" CHECK ("unit_price" >= 0.00)
);
CREATE INDEX "track_name_idx" ON "track" ("name");
CREATE INDEX "track_album_id_idx" ON "track" ("album_id");
CREATE INDEX "track_media_type_id_idx" ON "track" ("media_type_id");
CREATE INDEX "track_genre_id_idx" ON "track" ("genre_id");

-- + playlist
CREATE TABLE "playlist" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "playlist_pkey" PRIMARY KEY,
  "name" text COLLATE "C" NOT NULL
);

-- + employee
CREATE TABLE "employee" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "employee_pkey" PRIMARY KEY,
  "last_name" text COLLATE "C" NOT NULL,
  "first_name" text COLLATE "C" NOT NULL,
  "title" text COLLATE "C",
  "reports_to_id" integer,
  "birth_date" timestamp with time zone,
  "hire_date" timestamp with time zone,
  "address" text COLLATE "C",
  "city" text COLLATE "C",
  "state" text COLLATE "C",
  "country" text COLLATE "C",
  "postal_code" text COLLATE "C",
  "phone" text COLLATE "C",
  "fax" text COLLATE "C",
  "email" text COLLATE "C",
  CONSTRAINT "employee_reports_to_id_fkey" FOREIGN KEY ("reports_to_id") REFERENCES "employee" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "employee_reports_to_id_idx" ON "employee" ("reports_to_id");

-- + customer
CREATE TABLE "customer" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "customer_pkey" PRIMARY KEY,
  "first_name" text COLLATE "C" NOT NULL,
  "last_name" text COLLATE "C" NOT NULL,
  "company" text COLLATE "C",
  "address" text COLLATE "C",
  "city" text COLLATE "C",
  "state" text COLLATE "C",
  "country" text COLLATE "C",
  "postal_code" text COLLATE "C",
  "phone" text COLLATE "C",
  "fax" text COLLATE "C",
  "email" text COLLATE "C" NOT NULL,
  "support_rep_id" integer,
  CONSTRAINT "customer_support_rep_id_fkey" FOREIGN KEY ("support_rep_id") REFERENCES "employee" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "customer_support_rep_id_idx" ON "customer" ("support_rep_id");

-- + invoice
CREATE TABLE "invoice" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "invoice_pkey" PRIMARY KEY,
  "customer_id" integer NOT NULL,
  "invoice_date" timestamp with time zone NOT NULL,
  "billing_address" text COLLATE "C",
  "billing_city" text COLLATE "C",
  "billing_state" text COLLATE "C",
  "billing_country" text COLLATE "C",
  "billing_postal_code" text COLLATE "C",
  "total" numeric(10, 2) NOT NULL,
  CONSTRAINT "invoice_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "invoice_customer_id_idx" ON "invoice" ("customer_id");

-- + invoice_line
CREATE TABLE "invoice_line" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "invoice_line_pkey" PRIMARY KEY,
  "invoice_id" integer NOT NULL,
  "track_id" integer NOT NULL,
  "unit_price" numeric(10, 2) NOT NULL,
  "quantity" integer NOT NULL,
  CONSTRAINT "invoice_line_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoice" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "invoice_line_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "track" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "invoice_line_invoice_id_idx" ON "invoice_line" ("invoice_id");
CREATE INDEX "invoice_line_track_id_idx" ON "invoice_line" ("track_id");

-- + playlist_track
CREATE TABLE "playlist_track" (
  "playlist_id" integer NOT NULL,
  "track_id" integer NOT NULL,
  CONSTRAINT "playlist_track_pkey" PRIMARY KEY ("playlist_id", "track_id"),
  CONSTRAINT "playlist_track_playlist_id_fkey" FOREIGN KEY ("playlist_id") REFERENCES "playlist" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "playlist_track_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "track" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "playlist_track_track_id_idx" ON "playlist_track" ("track_id");

-- @mysql
-- + genre
CREATE TABLE `genre` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `name` LONGTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + media_type
CREATE TABLE `media_type` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `name` LONGTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + artist
CREATE TABLE `artist` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `name` VARCHAR(650) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `artist_name_idx` ON `artist` (`name`);

-- + album
CREATE TABLE `album` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `title` LONGTEXT NOT NULL,
  `artist_id` INT NOT NULL,
  CONSTRAINT `album_artist_id_fkey` FOREIGN KEY (`artist_id`) REFERENCES `artist` (`id`) ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `album_artist_id_idx` ON `album` (`artist_id`);

-- + track
CREATE TABLE `track` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `name` VARCHAR(650) NOT NULL,
  `album_id` INT,
  `media_type_id` INT NOT NULL,
  `genre_id` INT,
  `composer` LONGTEXT,
  `milliseconds` INT NOT NULL,
  `bytes` INT,
  `unit_price` DECIMAL(10, 2) NOT NULL,
  CONSTRAINT `track_album_id_fkey` FOREIGN KEY (`album_id`) REFERENCES `album` (`id`) ON DELETE SET NULL,
  CONSTRAINT `track_media_type_id_fkey` FOREIGN KEY (`media_type_id`) REFERENCES `media_type` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `track_genre_id_fkey` FOREIGN KEY (`genre_id`) REFERENCES `genre` (`id`) ON DELETE SET NULL,
  CONSTRAINT `track_milliseconds_check` CHECK (`milliseconds` >= 0),
  CONSTRAINT `track_unit_price_check` CHECK (`unit_price` >= 0.00)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `track_name_idx` ON `track` (`name`);
CREATE INDEX `track_album_id_idx` ON `track` (`album_id`);
CREATE INDEX `track_media_type_id_idx` ON `track` (`media_type_id`);
CREATE INDEX `track_genre_id_idx` ON `track` (`genre_id`);

-- + playlist
CREATE TABLE `playlist` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `name` LONGTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + employee
CREATE TABLE `employee` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `last_name` LONGTEXT NOT NULL,
  `first_name` LONGTEXT NOT NULL,
  `title` LONGTEXT,
  `reports_to_id` INT,
  `birth_date` DATETIME(6),
  `hire_date` DATETIME(6),
  `address` LONGTEXT,
  `city` LONGTEXT,
  `state` LONGTEXT,
  `country` LONGTEXT,
  `postal_code` LONGTEXT,
  `phone` LONGTEXT,
  `fax` LONGTEXT,
  `email` LONGTEXT,
  CONSTRAINT `employee_reports_to_id_fkey` FOREIGN KEY (`reports_to_id`) REFERENCES `employee` (`id`) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `employee_reports_to_id_idx` ON `employee` (`reports_to_id`);

-- + customer
CREATE TABLE `customer` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `first_name` LONGTEXT NOT NULL,
  `last_name` LONGTEXT NOT NULL,
  `company` LONGTEXT,
  `address` LONGTEXT,
  `city` LONGTEXT,
  `state` LONGTEXT,
  `country` LONGTEXT,
  `postal_code` LONGTEXT,
  `phone` LONGTEXT,
  `fax` LONGTEXT,
  `email` LONGTEXT NOT NULL,
  `support_rep_id` INT,
  CONSTRAINT `customer_support_rep_id_fkey` FOREIGN KEY (`support_rep_id`) REFERENCES `employee` (`id`) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `customer_support_rep_id_idx` ON `customer` (`support_rep_id`);

-- + invoice
CREATE TABLE `invoice` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `customer_id` INT NOT NULL,
  `invoice_date` DATETIME(6) NOT NULL,
  `billing_address` LONGTEXT,
  `billing_city` LONGTEXT,
  `billing_state` LONGTEXT,
  `billing_country` LONGTEXT,
  `billing_postal_code` LONGTEXT,
  `total` DECIMAL(10, 2) NOT NULL,
  CONSTRAINT `invoice_customer_id_fkey` FOREIGN KEY (`customer_id`) REFERENCES `customer` (`id`) ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `invoice_customer_id_idx` ON `invoice` (`customer_id`);

-- + invoice_line
CREATE TABLE `invoice_line` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `invoice_id` INT NOT NULL,
  `track_id` INT NOT NULL,
  `unit_price` DECIMAL(10, 2) NOT NULL,
  `quantity` INT NOT NULL,
  CONSTRAINT `invoice_line_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoice` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `invoice_line_track_id_fkey` FOREIGN KEY (`track_id`) REFERENCES `track` (`id`) ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `invoice_line_invoice_id_idx` ON `invoice_line` (`invoice_id`);
CREATE INDEX `invoice_line_track_id_idx` ON `invoice_line` (`track_id`);

-- + playlist_track
CREATE TABLE `playlist_track` (
  `playlist_id` INT NOT NULL,
  `track_id` INT NOT NULL,
  CONSTRAINT `playlist_track_pkey` PRIMARY KEY (`playlist_id`, `track_id`),
  CONSTRAINT `playlist_track_playlist_id_fkey` FOREIGN KEY (`playlist_id`) REFERENCES `playlist` (`id`) ON DELETE CASCADE,
  CONSTRAINT `playlist_track_track_id_fkey` FOREIGN KEY (`track_id`) REFERENCES `track` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `playlist_track_track_id_idx` ON `playlist_track` (`track_id`);
