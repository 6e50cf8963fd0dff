-- types user #17e13ca6: email String(650), id Uuid, name String

-- @postgres
-- ~ comments of user
COMMENT ON TABLE "user" IS E'One row per signed-up account; its id is the account''s id.';

-- @mysql
-- ~ comments of user
ALTER TABLE `user` COMMENT='One row per signed-up account; its id is the account''s id.';
