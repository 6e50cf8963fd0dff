-- types membership #21dd9483: id Uuid, joined_at Timestamp, org_id Uuid, role Enum, user_id Uuid
-- types task: assignee_id Uuid, author_id Uuid, created_at Timestamp, deleted_at Timestamp #6836d175, due Date, estimate Duration, id Uuid, labels [String!], project_id Uuid, state Enum, text String, title String, updated_at Timestamp
-- types user #9111bfe0: id Uuid, name String

-- @postgres
-- ~ comments of user
COMMENT ON TABLE "user" IS E'Whoever shares an organisation with somebody sees who that is.';

-- ~ comments of membership
COMMENT ON TABLE "membership" IS E'A founder joins as the first administrator; everybody else by an invitation, in the role that it names.';

-- ~ comments of task
COMMENT ON COLUMN "task"."deleted_at" IS E'Since when the row is deleted.';

-- @mysql
-- ~ comments of user
ALTER TABLE `user` COMMENT='Whoever shares an organisation with somebody sees who that is.';

-- ~ comments of membership
ALTER TABLE `membership` COMMENT='A founder joins as the first administrator; everybody else by an invitation, in the role that it names.';

-- ~ comments of task
ALTER TABLE `task` MODIFY COLUMN `deleted_at` DATETIME(6) NULL COMMENT 'Since when the row is deleted.';
