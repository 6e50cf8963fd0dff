-- types category: id Uuid, name String(650), parent_id Uuid
-- types order: created_at Timestamp, customer_id Uuid, id Uuid, note String, status Enum
-- types order_item: id Uuid, order_id Uuid, product_id Uuid, quantity Int, unit_price Decimal(18,4)
-- types product: category_id Uuid, cost Decimal(18,4), created_at Timestamp, description String, id Uuid, price Decimal(18,4), published Boolean, seller_id Uuid, slug String(650), title String, updated_at Timestamp
-- types product_tag: product_id Uuid, tag_id Uuid
-- types review: author_id Uuid, body String, created_at Timestamp, id Uuid, product_id Uuid, stars Int
-- types tag: id Uuid, name String(650)
-- types user: email String(650), id Uuid, name String

-- @sqlite
-- + user
CREATE TABLE "user" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "email" TEXT NOT NULL,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_email_key" UNIQUE ("email"),
  CONSTRAINT "user_name_check" CHECK (length("name") <= 80)
) STRICT;

-- + category
CREATE TABLE "category" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "parent_id" TEXT,
  CONSTRAINT "category_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "category_name_key" UNIQUE ("name"),
  CONSTRAINT "category_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "category" ("id") ON DELETE SET NULL
) STRICT;
CREATE INDEX "category_parent_id_idx" ON "category" ("parent_id");

-- + product
CREATE TABLE "product" (
  "id" TEXT NOT NULL,
  "title" TEXT NOT NULL,
  "slug" TEXT NOT NULL,
  "description" TEXT,
  "price" INTEGER NOT NULL,
  "cost" INTEGER,
  "published" INTEGER NOT NULL,
  "seller_id" TEXT,
  "category_id" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL,
  CONSTRAINT "product_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "product_slug_key" UNIQUE ("slug"),
  CONSTRAINT "product_seller_id_fkey" FOREIGN KEY ("seller_id") REFERENCES "user" ("id") ON DELETE SET NULL,
  CONSTRAINT "product_category_id_fkey" FOREIGN KEY ("category_id") REFERENCES "category" ("id") ON DELETE SET NULL,
  CONSTRAINT "product_title_check" CHECK (length("title") >= 3 AND length("title") <= 120),
  CONSTRAINT "product_price_decimal_18_4" CHECK ("price" BETWEEN -999999999999999999 AND 999999999999999999),
  CONSTRAINT "product_price_check" CHECK ("price" >= 0),
  CONSTRAINT "product_cost_decimal_18_4" CHECK ("cost" BETWEEN -999999999999999999 AND 999999999999999999),
  CONSTRAINT "product_published_check" CHECK ("published" IN (0, 1))
) STRICT;
CREATE INDEX "product_published_idx" ON "product" ("published");
CREATE INDEX "product_seller_id_idx" ON "product" ("seller_id");
CREATE INDEX "product_category_id_idx" ON "product" ("category_id");

-- + tag
CREATE TABLE "tag" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  CONSTRAINT "tag_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "tag_name_key" UNIQUE ("name")
) STRICT;

-- + order
CREATE TABLE "order" (
  "id" TEXT NOT NULL,
  "customer_id" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "note" TEXT,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "order_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "order_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "order_status_check" CHECK ("status" IN ('CART', 'PLACED', 'PAID', 'SHIPPED', 'CANCELLED', 'REFUNDED')),
  CONSTRAINT "order_note_check" CHECK (length("note") <= 500)
) STRICT;
CREATE INDEX "order_created_at_idx" ON "order" ("created_at");
CREATE INDEX "order_customer_id_idx" ON "order" ("customer_id");

-- + order_item
CREATE TABLE "order_item" (
  "id" TEXT NOT NULL,
  "order_id" TEXT NOT NULL,
  "product_id" TEXT NOT NULL,
  "quantity" INTEGER NOT NULL,
  "unit_price" INTEGER NOT NULL,
  CONSTRAINT "order_item_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "order_item_order_id_product_id_key" UNIQUE ("order_id", "product_id"),
  CONSTRAINT "order_item_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "order" ("id") ON DELETE CASCADE,
  CONSTRAINT "order_item_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "product" ("id") ON DELETE RESTRICT,
  CONSTRAINT "order_item_quantity_check" CHECK ("quantity" >= 1 AND "quantity" <= 99),
  CONSTRAINT "order_item_unit_price_decimal_18_4" CHECK ("unit_price" BETWEEN -999999999999999999 AND 999999999999999999)
) STRICT;
CREATE INDEX "order_item_product_id_idx" ON "order_item" ("product_id");

-- + review
CREATE TABLE "review" (
  "id" TEXT NOT NULL,
  "author_id" TEXT NOT NULL,
  "product_id" TEXT NOT NULL,
  "stars" INTEGER NOT NULL,
  "body" TEXT,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "review_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "review_author_id_product_id_key" UNIQUE ("author_id", "product_id"),
  CONSTRAINT "review_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
  CONSTRAINT "review_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "product" ("id") ON DELETE RESTRICT,
  CONSTRAINT "review_stars_check" CHECK ("stars" >= 1 AND "stars" <= 5),
  CONSTRAINT "review_body_check" CHECK (length("body") <= 2000)
) STRICT;
CREATE INDEX "review_product_id_idx" ON "review" ("product_id");

-- + product_tag
CREATE TABLE "product_tag" (
  "product_id" TEXT NOT NULL,
  "tag_id" TEXT NOT NULL,
  CONSTRAINT "product_tag_pkey" PRIMARY KEY ("product_id", "tag_id"),
  CONSTRAINT "product_tag_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "product" ("id") ON DELETE CASCADE,
  CONSTRAINT "product_tag_tag_id_fkey" FOREIGN KEY ("tag_id") REFERENCES "tag" ("id") ON DELETE CASCADE
) STRICT;
CREATE INDEX "product_tag_tag_id_idx" ON "product_tag" ("tag_id");

-- @postgres
-- + user
CREATE TABLE "user" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "email" text COLLATE "C" NOT NULL,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_email_key" UNIQUE ("email"),
  CONSTRAINT "user_name_check" CHECK (length("name") <= 80)
);

-- + category
CREATE TABLE "category" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "parent_id" uuid,
  CONSTRAINT "category_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "category_name_key" UNIQUE ("name"),
  CONSTRAINT "category_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "category" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "category_parent_id_idx" ON "category" ("parent_id");

-- + product
CREATE TABLE "product" (
  "id" uuid NOT NULL,
  "title" text COLLATE "C" NOT NULL,
  "slug" text COLLATE "C" NOT NULL,
  "description" text COLLATE "C",
  "price" numeric(18, 4) NOT NULL,
  "cost" numeric(18, 4),
  "published" boolean NOT NULL,
  "seller_id" uuid,
  "category_id" uuid,
  "created_at" timestamp with time zone NOT NULL,
  "updated_at" timestamp with time zone NOT NULL,
  CONSTRAINT "product_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "product_slug_key" UNIQUE ("slug"),
  CONSTRAINT "product_seller_id_fkey" FOREIGN KEY ("seller_id") REFERENCES "user" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "product_category_id_fkey" FOREIGN KEY ("category_id") REFERENCES "category" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "product_title_check" CHECK (length("title") >= 3 AND length("title") <= 120),
  CONSTRAINT "product_price_check" CHECK ("price" >= 0.0000)
);
CREATE INDEX "product_published_idx" ON "product" ("published");
CREATE INDEX "product_seller_id_idx" ON "product" ("seller_id");
CREATE INDEX "product_category_id_idx" ON "product" ("category_id");

-- + tag
CREATE TABLE "tag" (
  "id" uuid NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  CONSTRAINT "tag_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "tag_name_key" UNIQUE ("name")
);

-- + order
CREATE TABLE "order" (
  "id" uuid NOT NULL,
  "customer_id" uuid NOT NULL,
  "status" text COLLATE "C" NOT NULL,
  "note" text COLLATE "C",
  "created_at" timestamp with time zone NOT NULL,
  CONSTRAINT "order_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "order_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "order_status_check" CHECK ("status" IN ('CART', 'PLACED', 'PAID', 'SHIPPED', 'CANCELLED', 'REFUNDED')),
  CONSTRAINT "order_note_check" CHECK (length("note") <= 500)
);
CREATE INDEX "order_created_at_idx" ON "order" ("created_at");
CREATE INDEX "order_customer_id_idx" ON "order" ("customer_id");

-- + order_item
CREATE TABLE "order_item" (
  "id" uuid NOT NULL,
  "order_id" uuid NOT NULL,
  "product_id" uuid NOT NULL,
  "quantity" integer NOT NULL,
  "unit_price" numeric(18, 4) NOT NULL,
  CONSTRAINT "order_item_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "order_item_order_id_product_id_key" UNIQUE ("order_id", "product_id"),
  CONSTRAINT "order_item_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "order" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "order_item_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "product" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "order_item_quantity_check" CHECK ("quantity" >= 1 AND "quantity" <= 99)
);
CREATE INDEX "order_item_product_id_idx" ON "order_item" ("product_id");

-- + review
CREATE TABLE "review" (
  "id" uuid NOT NULL,
  "author_id" uuid NOT NULL,
  "product_id" uuid NOT NULL,
  "stars" integer NOT NULL,
  "body" text COLLATE "C",
  "created_at" timestamp with time zone NOT NULL,
  CONSTRAINT "review_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "review_author_id_product_id_key" UNIQUE ("author_id", "product_id"),
  CONSTRAINT "review_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "review_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "product" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "review_stars_check" CHECK ("stars" >= 1 AND "stars" <= 5),
  CONSTRAINT "review_body_check" CHECK (length("body") <= 2000)
);
CREATE INDEX "review_product_id_idx" ON "review" ("product_id");

-- + product_tag
CREATE TABLE "product_tag" (
  "product_id" uuid NOT NULL,
  "tag_id" uuid NOT NULL,
  CONSTRAINT "product_tag_pkey" PRIMARY KEY ("product_id", "tag_id"),
  CONSTRAINT "product_tag_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "product" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT "product_tag_tag_id_fkey" FOREIGN KEY ("tag_id") REFERENCES "tag" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX "product_tag_tag_id_idx" ON "product_tag" ("tag_id");

-- @mysql
-- + user
CREATE TABLE `user` (
  `id` BINARY(16) NOT NULL,
  `name` LONGTEXT NOT NULL,
  `email` VARCHAR(650) NOT NULL,
  CONSTRAINT `user_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `user_email_key` UNIQUE (`email`),
  CONSTRAINT `user_name_check` CHECK (char_length(`name`) <= 80)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + category
CREATE TABLE `category` (
  `id` BINARY(16) NOT NULL,
  `name` VARCHAR(650) NOT NULL,
  `parent_id` BINARY(16),
  CONSTRAINT `category_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `category_name_key` UNIQUE (`name`),
  CONSTRAINT `category_parent_id_fkey` FOREIGN KEY (`parent_id`) REFERENCES `category` (`id`) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `category_parent_id_idx` ON `category` (`parent_id`);

-- + product
CREATE TABLE `product` (
  `id` BINARY(16) NOT NULL,
  `title` LONGTEXT NOT NULL,
  `slug` VARCHAR(650) NOT NULL,
  `description` LONGTEXT,
  `price` DECIMAL(18, 4) NOT NULL,
  `cost` DECIMAL(18, 4),
  `published` TINYINT(1) NOT NULL,
  `seller_id` BINARY(16),
  `category_id` BINARY(16),
  `created_at` DATETIME(6) NOT NULL,
  `updated_at` DATETIME(6) NOT NULL,
  CONSTRAINT `product_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `product_slug_key` UNIQUE (`slug`),
  CONSTRAINT `product_seller_id_fkey` FOREIGN KEY (`seller_id`) REFERENCES `user` (`id`) ON DELETE SET NULL,
  CONSTRAINT `product_category_id_fkey` FOREIGN KEY (`category_id`) REFERENCES `category` (`id`) ON DELETE SET NULL,
  CONSTRAINT `product_title_check` CHECK (char_length(`title`) >= 3 AND char_length(`title`) <= 120),
  CONSTRAINT `product_price_check` CHECK (`price` >= 0.0000),
  CONSTRAINT `product_published_check` CHECK (`published` IN (0, 1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `product_published_idx` ON `product` (`published`);
CREATE INDEX `product_seller_id_idx` ON `product` (`seller_id`);
CREATE INDEX `product_category_id_idx` ON `product` (`category_id`);

-- + tag
CREATE TABLE `tag` (
  `id` BINARY(16) NOT NULL,
  `name` VARCHAR(650) NOT NULL,
  CONSTRAINT `tag_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `tag_name_key` UNIQUE (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;

-- + order
CREATE TABLE `order` (
  `id` BINARY(16) NOT NULL,
  `customer_id` BINARY(16) NOT NULL,
  `status` VARCHAR(63) NOT NULL,
  `note` LONGTEXT,
  `created_at` DATETIME(6) NOT NULL,
  CONSTRAINT `order_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `order_customer_id_fkey` FOREIGN KEY (`customer_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `order_status_check` CHECK (`status` IN ('CART', 'PLACED', 'PAID', 'SHIPPED', 'CANCELLED', 'REFUNDED')),
  CONSTRAINT `order_note_check` CHECK (char_length(`note`) <= 500)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `order_created_at_idx` ON `order` (`created_at`);
CREATE INDEX `order_customer_id_idx` ON `order` (`customer_id`);

-- + order_item
CREATE TABLE `order_item` (
  `id` BINARY(16) NOT NULL,
  `order_id` BINARY(16) NOT NULL,
  `product_id` BINARY(16) NOT NULL,
  `quantity` INT NOT NULL,
  `unit_price` DECIMAL(18, 4) NOT NULL,
  CONSTRAINT `order_item_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `order_item_order_id_product_id_key` UNIQUE (`order_id`, `product_id`),
  CONSTRAINT `order_item_order_id_fkey` FOREIGN KEY (`order_id`) REFERENCES `order` (`id`) ON DELETE CASCADE,
  CONSTRAINT `order_item_product_id_fkey` FOREIGN KEY (`product_id`) REFERENCES `product` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `order_item_quantity_check` CHECK (`quantity` >= 1 AND `quantity` <= 99)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `order_item_product_id_idx` ON `order_item` (`product_id`);

-- + review
CREATE TABLE `review` (
  `id` BINARY(16) NOT NULL,
  `author_id` BINARY(16) NOT NULL,
  `product_id` BINARY(16) NOT NULL,
  `stars` INT NOT NULL,
  `body` LONGTEXT,
  `created_at` DATETIME(6) NOT NULL,
  CONSTRAINT `review_pkey` PRIMARY KEY (`id`),
  CONSTRAINT `review_author_id_product_id_key` UNIQUE (`author_id`, `product_id`),
  CONSTRAINT `review_author_id_fkey` FOREIGN KEY (`author_id`) REFERENCES `user` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `review_product_id_fkey` FOREIGN KEY (`product_id`) REFERENCES `product` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `review_stars_check` CHECK (`stars` >= 1 AND `stars` <= 5),
  CONSTRAINT `review_body_check` CHECK (char_length(`body`) <= 2000)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `review_product_id_idx` ON `review` (`product_id`);

-- + product_tag
CREATE TABLE `product_tag` (
  `product_id` BINARY(16) NOT NULL,
  `tag_id` BINARY(16) NOT NULL,
  CONSTRAINT `product_tag_pkey` PRIMARY KEY (`product_id`, `tag_id`),
  CONSTRAINT `product_tag_product_id_fkey` FOREIGN KEY (`product_id`) REFERENCES `product` (`id`) ON DELETE CASCADE,
  CONSTRAINT `product_tag_tag_id_fkey` FOREIGN KEY (`tag_id`) REFERENCES `tag` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/;
CREATE INDEX `product_tag_tag_id_idx` ON `product_tag` (`tag_id`);
