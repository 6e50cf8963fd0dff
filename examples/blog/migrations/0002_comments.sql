-- types comment #b40ad2ad: author_id Uuid, created_at Timestamp, id Uuid, post_id Uuid, state Enum, text String

-- @postgres
-- ~ comments of comment
COMMENT ON TABLE "comment" IS E'Waits until an editor or the post''s author approves it; until then only its writer sees it.';

-- @mysql
-- ~ comments of comment
ALTER TABLE `comment` COMMENT='Waits until an editor or the post''s author approves it; until then only its writer sees it.';
