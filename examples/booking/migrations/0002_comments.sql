-- types booking #924dc833: created_at Timestamp, guest_id Uuid, id Uuid, note String, price Decimal(18,4), slot_id Uuid, state Enum, wishes String
-- types place: address Json, closes Time, deleted_at Timestamp #6836d175, id Uuid, listed Boolean, name String, opens Time, owner_id Uuid, price Decimal(18,4)
-- types slot #f11039e4: ends_at Timestamp, id Uuid, length Duration, place_id Uuid, starts_at Timestamp

-- @postgres
-- ~ comments of place
COMMENT ON COLUMN "place"."deleted_at" IS E'Since when the row is deleted.';

-- ~ comments of slot
COMMENT ON TABLE "slot" IS E'A stretch of time that can be booked. Its end follows from its length, so that nobody gives a wrong one.';

-- ~ comments of booking
COMMENT ON TABLE "booking" IS E'At most one booking of a slot is alive: the database itself sees to it.';

-- @mysql
-- ~ comments of place
ALTER TABLE `place` MODIFY COLUMN `deleted_at` DATETIME(6) NULL COMMENT 'Since when the row is deleted.';

-- ~ comments of slot
ALTER TABLE `slot` COMMENT='A stretch of time that can be booked. Its end follows from its length, so that nobody gives a wrong one.';

-- ~ comments of booking
ALTER TABLE `booking` COMMENT='At most one booking of a slot is alive: the database itself sees to it.';
