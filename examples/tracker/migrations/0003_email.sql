-- types membership #5696af7f: id Uuid, joined_at Timestamp, org_id Uuid, role Enum, user_id Uuid
-- types user #9111bfe0: email String #e31bee07, id Uuid, name String

-- @sqlite
-- + user.email
ALTER TABLE "user" ADD COLUMN "email" TEXT;

-- @postgres
-- ~ user +email
ALTER TABLE "user" ADD COLUMN "email" text COLLATE "C";
COMMENT ON COLUMN "user"."email" IS E'That of the account, once it is confirmed.';

-- ~ comments of membership
COMMENT ON TABLE "membership" IS E'A founder joins as the first administrator, while nobody else is a member; everybody else by an invitation, in the\nrole that it names. Who is sent away, or gets another role, must not come back by the invitation of before.';

-- @mysql
-- ~ user +email
ALTER TABLE `user` ADD COLUMN `email` LONGTEXT COMMENT 'That of the account, once it is confirmed.';

-- ~ comments of membership
ALTER TABLE `membership` COMMENT='A founder joins as the first administrator, while nobody else is a member; everybody else by an invitation, in the\nrole that it names. Who is sent away, or gets another role, must not come back by the invitation of before.';
