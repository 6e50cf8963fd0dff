-- + user
CREATE TABLE "user" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "email" TEXT NOT NULL,
  CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "user_email_key" UNIQUE ("email"),
  CONSTRAINT "user_name_check" CHECK (length("name") <= 80)
) STRICT;

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

