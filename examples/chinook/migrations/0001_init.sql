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

