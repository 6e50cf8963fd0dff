CREATE TABLE IF NOT EXISTS "_backstay_lease" (
  "name" TEXT NOT NULL CONSTRAINT "_backstay_lease_pkey" PRIMARY KEY,
  "holder" TEXT NOT NULL,
  "fence" INTEGER NOT NULL,
  "until" TEXT NOT NULL
) STRICT;
INSERT INTO _backstay_lease VALUES('migrate','node 01a206c7-2caf-7000-b3a5-8b2e48e5d4f3 (process 17960)',2,'2026-11-23T05:00:46.255+00:00');
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
  "confirmation_sent_at" TEXT,
  "recovery_sent_at" TEXT,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_account_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "_backstay_account_email_key" UNIQUE ("email"),
  CONSTRAINT "_backstay_account_phone_key" UNIQUE ("phone"),
  CONSTRAINT "_backstay_account_is_anonymous_check" CHECK ("is_anonymous" IN (0, 1))
) STRICT;
INSERT INTO _backstay_account VALUES('00d46925-b6ba-4fb4-ae79-0e3238199245','ann@example.com',NULL,'$argon2id$v=19$m=19456,t=2,p=1$r3a0d1NdHoPpJyqb+N3NxA$t0G1a8j80LBybxo3cXxsq4h3+ajG6slgMC7RmzKJqkU','2026-11-23T05:00:46.831785+00:00',NULL,'{"provider":"email","providers":["email"]}','{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"00d46925-b6ba-4fb4-ae79-0e3238199245"}',0,NULL,'2026-11-23T05:00:46.831785+00:00',NULL,NULL,'2026-11-23T05:00:46.964409+00:00','2026-11-23T05:00:46.964409+00:00');
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
INSERT INTO _backstay_identity VALUES('d1a3aecf-843b-492a-a666-6c67d4cfff57','00d46925-b6ba-4fb4-ae79-0e3238199245','email','00d46925-b6ba-4fb4-ae79-0e3238199245','ann@example.com','{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"00d46925-b6ba-4fb4-ae79-0e3238199245"}','2026-11-23T05:00:46.831785+00:00','2026-11-23T05:00:46.964409+00:00','2026-11-23T05:00:46.964409+00:00');
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
INSERT INTO _backstay_session VALUES('3c43b37f-0bde-400e-8245-4cc5f588803d','00d46925-b6ba-4fb4-ae79-0e3238199245','aal1','password','2026-11-23T05:00:46.831785+00:00',NULL,NULL,'127.0.0.1','curl/7.88.1','2026-11-23T05:00:46.964409+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_refresh_token" (
  "hash" TEXT NOT NULL,
  "session_id" TEXT NOT NULL,
  "parent" TEXT,
  "revoked_at" TEXT,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_refresh_token_pkey" PRIMARY KEY ("hash"),
  CONSTRAINT "_backstay_refresh_token_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "_backstay_session" ("id") ON DELETE CASCADE
) STRICT;
INSERT INTO _backstay_refresh_token VALUES('rXbXbCN-E4vRXGLj3El2alKzuOwrPrcvQR4ttwLC3D4','3c43b37f-0bde-400e-8245-4cc5f588803d',NULL,NULL,'2026-11-23T05:00:46.964409+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_one_time_token" (
  "id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "purpose" TEXT NOT NULL,
  "email" TEXT NOT NULL,
  "hash" TEXT NOT NULL,
  "code_hash" TEXT NOT NULL,
  "attempts" INTEGER NOT NULL,
  "challenge" TEXT,
  "expires_at" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_one_time_token_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "_backstay_one_time_token_hash_key" UNIQUE ("hash"),
  CONSTRAINT "_backstay_one_time_token_account_id_purpose_key" UNIQUE ("account_id", "purpose"),
  CONSTRAINT "_backstay_one_time_token_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "_backstay_account" ("id") ON DELETE CASCADE
) STRICT;
CREATE TABLE IF NOT EXISTS "_backstay_flow_state" (
  "hash" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "challenge" TEXT NOT NULL,
  "expires_at" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_flow_state_pkey" PRIMARY KEY ("hash"),
  CONSTRAINT "_backstay_flow_state_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "_backstay_account" ("id") ON DELETE CASCADE
) STRICT;
CREATE TABLE IF NOT EXISTS "_backstay_mail_sent" (
  "hash" TEXT NOT NULL,
  "sent_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_mail_sent_pkey" PRIMARY KEY ("hash")
) STRICT;
CREATE TABLE IF NOT EXISTS "_backstay_signing_key" (
  "kid" TEXT NOT NULL,
  "algorithm" TEXT NOT NULL,
  "private_key" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_signing_key_pkey" PRIMARY KEY ("kid")
) STRICT;
INSERT INTO _backstay_signing_key VALUES('fb926e67-5ff6-4a33-9d0e-71c8b82ccc5e','ES256','MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqGpHjbc0sVZuSb1xDVERLLCJkfa+mowaXlesPDwI+6ehRANCAATmJXrj8nHTPZPFQwRhAFWEljL8mFDB2K7rufP4keNRznyJ6gOtHjE4qHg4jndi9yGkRAwp++kU6+p1Cnq6aFQK','current','2026-11-23T05:00:46.281025+00:00');
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
INSERT INTO _backstay_api_key VALUES('f92025ab-4224-45b8-87cc-545a7287dc50','publishable','vJ56zoUG7xu15HM2WAB59aMar9tW50bpVL9gwnXIRj0','sb_publishable_gTecgG','sb_publishable_gTecgGrvi6bX24Sxs2Z80s7pGRjR4x4ASPXuU2SdoGA','default','2026-11-23T05:00:46.281025+00:00');
INSERT INTO _backstay_api_key VALUES('572b933d-b200-4c24-bd07-a1e4462025cd','secret','elEY__sZ1ERDzL-BLgeV0iB9JG2ORfRcCW-etkYdkLQ','sb_secret_Eu6rpQ',NULL,'default','2026-11-23T05:00:46.281025+00:00');
CREATE TABLE IF NOT EXISTS "_backstay_secret" (
  "name" TEXT NOT NULL,
  "value" TEXT NOT NULL,
  "created_at" TEXT NOT NULL,
  CONSTRAINT "_backstay_secret_pkey" PRIMARY KEY ("name")
) STRICT;
INSERT INTO _backstay_secret VALUES('legacy_jwt','5EjtRVo5+GnwF9F636yrOVmBDM8t9NjQrPGERvAzfmqOauDflMMj8ryJZqBjfByh','2026-11-23T05:00:46.281025+00:00');
INSERT INTO _backstay_secret VALUES('refresh_token','LkQ0ir2rvl9G0yTR+tyUryTBlKP+nyuTAbmxAfkqCFltaZwVRBUWT+7AMg5iRlP3','2026-11-23T05:00:46.281025+00:00');
CREATE TABLE IF NOT EXISTS "person" (
  "id" TEXT NOT NULL,
  "name" TEXT,
  CONSTRAINT "person_pkey" PRIMARY KEY ("id")
) STRICT;
INSERT INTO person VALUES('00d46925-b6ba-4fb4-ae79-0e3238199245','Ann');
CREATE TABLE IF NOT EXISTS "note" (
  "id" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "owner_id" TEXT NOT NULL,
  CONSTRAINT "note_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "note_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "person" ("id") ON DELETE RESTRICT,
  CONSTRAINT "note_text_check" CHECK (length("text") <= 200)
) STRICT;
INSERT INTO note VALUES('01a206c7-3156-7000-8249-77211422dc94','kept','00d46925-b6ba-4fb4-ae79-0e3238199245');
CREATE TABLE IF NOT EXISTS "_backstay_migration" (
  "number" INTEGER NOT NULL CONSTRAINT "_backstay_migration_pkey" PRIMARY KEY,
  "name" TEXT NOT NULL,
  "checksum" TEXT NOT NULL,
  "applied_at" TEXT NOT NULL
) STRICT;
INSERT INTO _backstay_migration VALUES(1,'0001_init.sql','3fa21f713f5221f6d5f6624e69e49b64ccfd7001f2381107fedd996874416513','2026-11-23T05:00:46.249686+00:00');
CREATE INDEX "_backstay_identity_account_id_idx" ON "_backstay_identity" ("account_id");
CREATE INDEX "_backstay_session_account_id_idx" ON "_backstay_session" ("account_id");
CREATE INDEX "_backstay_refresh_token_session_id_idx" ON "_backstay_refresh_token" ("session_id");
CREATE INDEX "_backstay_one_time_token_email_idx" ON "_backstay_one_time_token" ("email");
CREATE INDEX "_backstay_flow_state_account_id_idx" ON "_backstay_flow_state" ("account_id");
CREATE INDEX "_backstay_mail_sent_sent_at_idx" ON "_backstay_mail_sent" ("sent_at");
CREATE INDEX "note_owner_id_idx" ON "note" ("owner_id");
