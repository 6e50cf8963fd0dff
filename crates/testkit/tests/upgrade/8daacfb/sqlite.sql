CREATE TABLE IF NOT EXISTS "_backstay_lease" (
  "name" TEXT NOT NULL CONSTRAINT "_backstay_lease_pkey" PRIMARY KEY,
  "holder" TEXT NOT NULL,
  "fence" INTEGER NOT NULL,
  "until" TEXT NOT NULL
) STRICT;
INSERT INTO _backstay_lease VALUES('migrate','node 01a206bc-db81-7000-bb8a-42626cbac93a (process 3809)',2,'2026-11-23T04:49:30.193+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_account" (
  "id" TEXT NOT NULL,
  "email" TEXT,
  "phone" TEXT,
  "password_hash" TEXT,
  "email_confirmed_at" TEXT,
  "phone_confirmed_at" TEXT,
  "app_metadata" TEXT NOT NULL,
  "user_metadata" TEXT NOT NULL,
  "is_anonymous" INTEGER NOT NULL,
  "banned_until" TEXT,
  "last_sign_in_at" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_account_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "_backstay_account_email_key" UNIQUE ("email"),
  CONSTRAINT "_backstay_account_phone_key" UNIQUE ("phone"),
  CONSTRAINT "_backstay_account_is_anonymous_check" CHECK ("is_anonymous" IN (0, 1))
) STRICT;
INSERT INTO _backstay_account VALUES('b1ea6928-089a-45be-8c68-520b7307b401','ann@example.com',NULL,'$argon2id$v=19$m=19456,t=2,p=1$K7ul980D6K07i4XBDW2SMQ$AFoNyPmEwKwuU2N8aSXq8SCzTNheJxbLT7uqkwff8hU','2026-11-23T04:49:30.884457+00:00',NULL,'{"provider":"email","providers":["email"]}','{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"b1ea6928-089a-45be-8c68-520b7307b401"}',0,NULL,'2026-11-23T04:49:30.884457+00:00','2026-11-23T04:49:31.186776+00:00','2026-11-23T04:49:31.186776+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_identity" (
  "id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "provider_id" TEXT NOT NULL,
  "email" TEXT,
  "data" TEXT NOT NULL,
  "last_sign_in_at" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_identity_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "_backstay_identity_provider_provider_id_key" UNIQUE ("provider", "provider_id"),
  CONSTRAINT "_backstay_identity_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "_backstay_account" ("id") ON DELETE CASCADE
) STRICT;
INSERT INTO _backstay_identity VALUES('6ad8bf27-6b79-45f3-aa8f-89801a0ab338','b1ea6928-089a-45be-8c68-520b7307b401','email','b1ea6928-089a-45be-8c68-520b7307b401','ann@example.com','{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"b1ea6928-089a-45be-8c68-520b7307b401"}','2026-11-23T04:49:30.884457+00:00','2026-11-23T04:49:31.186776+00:00','2026-11-23T04:49:31.186776+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_session" (
  "id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "aal" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "authenticated_at" TEXT NOT NULL,
  "not_after" TEXT,
  "refreshed_at" TEXT,
  "ip" TEXT,
  "user_agent" TEXT,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_session_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "_backstay_session_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "_backstay_account" ("id") ON DELETE CASCADE
) STRICT;
INSERT INTO _backstay_session VALUES('3ceb82ca-cdeb-4753-b072-eae582d3b8da','b1ea6928-089a-45be-8c68-520b7307b401','aal1','password','2026-11-23T04:49:30.884457+00:00',NULL,NULL,'127.0.0.1','curl/7.88.1','2026-11-23T04:49:31.186776+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_refresh_token" (
  "hash" TEXT NOT NULL,
  "session_id" TEXT NOT NULL,
  "parent" TEXT,
  "revoked_at" TEXT,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_refresh_token_pkey" PRIMARY KEY ("hash"),
  CONSTRAINT "_backstay_refresh_token_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "_backstay_session" ("id") ON DELETE CASCADE
) STRICT;
INSERT INTO _backstay_refresh_token VALUES('0EQhM3k69mnw2D64x1s6O8E8DU2-vSfRf8KobmJy0ko','3ceb82ca-cdeb-4753-b072-eae582d3b8da',NULL,NULL,'2026-11-23T04:49:31.186776+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_signing_key" (
  "kid" TEXT NOT NULL,
  "algorithm" TEXT NOT NULL,
  "private_key" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_signing_key_pkey" PRIMARY KEY ("kid")
) STRICT;
INSERT INTO _backstay_signing_key VALUES('fd29f6fa-aebb-42c5-83f9-26d82bb946b3','ES256','MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgtzkS5C7tnpHYZ3CH1ywG6ZLUM42onaCh7p1cycWAtd2hRANCAASLrwTZv98lR/liqhLjeogI7HuWvt+RzHgBoWqBoT7RQrYQpfGzvnGIq9L2ggrNXz9vVnrYER+6hraPFDp1F5pa','current','2026-11-23T04:49:30.215168+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_api_key" (
  "id" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "hash" TEXT NOT NULL,
  "prefix" TEXT NOT NULL,
  "public_text" TEXT,
  "name" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_api_key_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "_backstay_api_key_hash_key" UNIQUE ("hash")
) STRICT;
INSERT INTO _backstay_api_key VALUES('5e58a859-5511-4dbb-ac62-19357c93e506','publishable','RwsGqY88J6U3wtCCu7Dchu58EiRqKIIVElhM7Qwfw-E','sb_publishable_rdblnr','sb_publishable_rdblnrbm6OCaCzCvYfElm-afTiqKAfQojEyCVS4Dv0k','default','2026-11-23T04:49:30.215168+00:00');
INSERT INTO _backstay_api_key VALUES('3ef96576-36c9-46af-b065-4656a0d216bb','secret','n-icNNjj40CoNR7FAjFZnfl-U8xW94nv_h9Ge7tyi2w','sb_secret_5ziInr',NULL,'default','2026-11-23T04:49:30.215168+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_secret" (
  "name" TEXT NOT NULL,
  "value" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_secret_pkey" PRIMARY KEY ("name")
) STRICT;
INSERT INTO _backstay_secret VALUES('legacy_jwt','rPPMiSQQMjA3T92zKpfvoQKTZQsqRx+zs1MgGZN4Js2/qRQMq3aAV4K5+sSwAi8q','2026-11-23T04:49:30.215168+00:00');
INSERT INTO _backstay_secret VALUES('refresh_token','vSa4hqxjvyL78EAibj9IhsUPmHqfzZL6UJZnJePiASkZr3l5qLXkdeamrJltZI5T','2026-11-23T04:49:30.215168+00:00');
CREATE TABLE IF NOT EXISTS "person" (
  "id" TEXT NOT NULL,
  "name" TEXT,
  CONSTRAINT "person_pkey" PRIMARY KEY ("id")
) STRICT;
INSERT INTO person VALUES('b1ea6928-089a-45be-8c68-520b7307b401','Ann');
CREATE TABLE IF NOT EXISTS "note" (
  "id" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "owner_id" TEXT NOT NULL,
  CONSTRAINT "note_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "note_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "person" ("id") ON DELETE RESTRICT,
  CONSTRAINT "note_text_check" CHECK (length("text") <= 200)
) STRICT;
INSERT INTO note VALUES('01a206bc-e260-7000-a129-8969a641650e','kept','b1ea6928-089a-45be-8c68-520b7307b401');
CREATE TABLE IF NOT EXISTS "_backstay_migration" (
  "number" INTEGER NOT NULL CONSTRAINT "_backstay_migration_pkey" PRIMARY KEY,
  "name" TEXT NOT NULL,
  "checksum" TEXT NOT NULL,
  "applied_at" TEXT NOT NULL
) STRICT;
INSERT INTO _backstay_migration VALUES(1,'0001_init.sql','3fa21f713f5221f6d5f6624e69e49b64ccfd7001f2381107fedd996874416513','2026-11-23T04:49:30.188695+00:00');
CREATE INDEX "_backstay_identity_account_id_idx" ON "_backstay_identity" ("account_id");
CREATE INDEX "_backstay_session_account_id_idx" ON "_backstay_session" ("account_id");
CREATE INDEX "_backstay_refresh_token_session_id_idx" ON "_backstay_refresh_token" ("session_id");
CREATE INDEX "note_owner_id_idx" ON "note" ("owner_id");
