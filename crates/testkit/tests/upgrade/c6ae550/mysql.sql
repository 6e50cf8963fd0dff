SET FOREIGN_KEY_CHECKS = 0;
CREATE TABLE `_backstay_account` (
  `id` binary(16) NOT NULL,
  `email` varchar(650) DEFAULT NULL,
  `phone` varchar(650) DEFAULT NULL,
  `password_hash` longtext DEFAULT NULL,
  `email_confirmed_at` datetime(6) DEFAULT NULL,
  `phone_confirmed_at` datetime(6) DEFAULT NULL,
  `app_metadata` longtext NOT NULL,
  `user_metadata` longtext NOT NULL,
  `is_anonymous` tinyint(1) NOT NULL,
  `banned_until` datetime(6) DEFAULT NULL,
  `last_sign_in_at` datetime(6) DEFAULT NULL,
  `confirmation_sent_at` datetime(6) DEFAULT NULL,
  `recovery_sent_at` datetime(6) DEFAULT NULL,
  `created_at` datetime(6) NOT NULL,
  `updated_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `_backstay_account_email_key` (`email`),
  UNIQUE KEY `_backstay_account_phone_key` (`phone`),
  CONSTRAINT `_backstay_account_app_metadata_check` CHECK (json_valid(`app_metadata`)),
  CONSTRAINT `_backstay_account_user_metadata_check` CHECK (json_valid(`user_metadata`)),
  CONSTRAINT `_backstay_account_is_anonymous_check` CHECK (`is_anonymous` in (0,1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_account` VALUES (0x07E6AB8D05F74F18B216EC5F7A675E33,'ann@example.com',NULL,'$argon2id$v=19$m=19456,t=2,p=1$muKD6ZNnATF+TmujvFfPkQ$EIrEti7IK5M1UBMKfxOR8wVkC4G1i6ERKIK6LIpFeqI','2026-11-23 05:00:51.781901',NULL,'{\"provider\":\"email\",\"providers\":[\"email\"]}','{\"email\":\"ann@example.com\",\"email_verified\":true,\"phone_verified\":false,\"sub\":\"07e6ab8d-05f7-4f18-b216-ec5f7a675e33\"}',0,NULL,'2026-11-23 05:00:51.781901',NULL,NULL,'2026-11-23 05:00:51.917241','2026-11-23 05:00:51.917241');
CREATE TABLE `_backstay_api_key` (
  `id` binary(16) NOT NULL,
  `kind` longtext NOT NULL,
  `hash` varchar(650) NOT NULL,
  `prefix` longtext NOT NULL,
  `public_text` longtext DEFAULT NULL,
  `name` longtext NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `_backstay_api_key_hash_key` (`hash`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_api_key` VALUES (0x5017E45FA42D4C50B0CA125F616D93E0,'publishable','zRnzxOjS63Yk23cCYNwoWosGq5e9VQmamHJaNvI5mKo','sb_publishable_hp923D','sb_publishable_hp923DnhmfZ3Rp4Dne_Sn6miBcOsiNXU8VROz93FvIE','default','2026-11-23 05:00:51.409394');
INSERT INTO `_backstay_api_key` VALUES (0xEF408275F0DB4B28A31857B52662334A,'secret','_tHXAoppwx_6o94VM-_9vaRQ39Lo3eLSOo90WDZbM4s','sb_secret_657w_Y',NULL,'default','2026-11-23 05:00:51.409394');
CREATE TABLE `_backstay_flow_state` (
  `hash` varchar(650) NOT NULL,
  `account_id` binary(16) NOT NULL,
  `method` longtext NOT NULL,
  `challenge` longtext NOT NULL,
  `expires_at` datetime(6) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`hash`),
  KEY `_backstay_flow_state_account_id_idx` (`account_id`),
  CONSTRAINT `_backstay_flow_state_account_id_fkey` FOREIGN KEY (`account_id`) REFERENCES `_backstay_account` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `_backstay_identity` (
  `id` binary(16) NOT NULL,
  `account_id` binary(16) NOT NULL,
  `provider` varchar(325) NOT NULL,
  `provider_id` varchar(325) NOT NULL,
  `email` longtext DEFAULT NULL,
  `data` longtext NOT NULL,
  `last_sign_in_at` datetime(6) DEFAULT NULL,
  `created_at` datetime(6) NOT NULL,
  `updated_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `_backstay_identity_provider_provider_id_key` (`provider`,`provider_id`),
  KEY `_backstay_identity_account_id_idx` (`account_id`),
  CONSTRAINT `_backstay_identity_account_id_fkey` FOREIGN KEY (`account_id`) REFERENCES `_backstay_account` (`id`) ON DELETE CASCADE,
  CONSTRAINT `_backstay_identity_data_check` CHECK (json_valid(`data`))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_identity` VALUES (0x5A368BD4AD3449CBA40BDF18BCCC0E32,0x07E6AB8D05F74F18B216EC5F7A675E33,'email','07e6ab8d-05f7-4f18-b216-ec5f7a675e33','ann@example.com','{\"email\":\"ann@example.com\",\"email_verified\":true,\"phone_verified\":false,\"sub\":\"07e6ab8d-05f7-4f18-b216-ec5f7a675e33\"}','2026-11-23 05:00:51.781901','2026-11-23 05:00:51.917241','2026-11-23 05:00:51.917241');
CREATE TABLE `_backstay_lease` (
  `name` varchar(100) NOT NULL,
  `holder` varchar(255) NOT NULL,
  `fence` bigint(20) NOT NULL,
  `until` datetime(6) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `_backstay_lease` VALUES ('migrate','node 01a206c7-398a-7000-87e3-2e25e65dd99c (process 18308)',2,'2026-11-23 05:00:51.391982');
CREATE TABLE `_backstay_mail_sent` (
  `hash` varchar(650) NOT NULL,
  `sent_at` datetime(6) NOT NULL,
  PRIMARY KEY (`hash`),
  KEY `_backstay_mail_sent_sent_at_idx` (`sent_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `_backstay_migration` (
  `number` bigint(20) NOT NULL,
  `name` varchar(255) NOT NULL,
  `checksum` varchar(255) NOT NULL,
  `applied_at` varchar(40) NOT NULL,
  PRIMARY KEY (`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `_backstay_migration` VALUES (1,'0001_init.sql','3fa21f713f5221f6d5f6624e69e49b64ccfd7001f2381107fedd996874416513','2026-11-23T05:00:51.149029+00:00');
CREATE TABLE `_backstay_migration_step` (
  `number` bigint(20) NOT NULL,
  `done` bigint(20) NOT NULL,
  `checksum` varchar(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  `announced` varchar(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  PRIMARY KEY (`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `_backstay_one_time_token` (
  `id` binary(16) NOT NULL,
  `account_id` binary(16) NOT NULL,
  `purpose` varchar(650) NOT NULL,
  `email` varchar(650) NOT NULL,
  `hash` varchar(650) NOT NULL,
  `code_hash` longtext NOT NULL,
  `attempts` int(11) NOT NULL,
  `challenge` longtext DEFAULT NULL,
  `expires_at` datetime(6) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `_backstay_one_time_token_hash_key` (`hash`),
  UNIQUE KEY `_backstay_one_time_token_account_id_purpose_key` (`account_id`,`purpose`),
  KEY `_backstay_one_time_token_email_idx` (`email`),
  CONSTRAINT `_backstay_one_time_token_account_id_fkey` FOREIGN KEY (`account_id`) REFERENCES `_backstay_account` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `_backstay_refresh_token` (
  `hash` varchar(650) NOT NULL,
  `session_id` binary(16) NOT NULL,
  `parent` longtext DEFAULT NULL,
  `revoked_at` datetime(6) DEFAULT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`hash`),
  KEY `_backstay_refresh_token_session_id_idx` (`session_id`),
  CONSTRAINT `_backstay_refresh_token_session_id_fkey` FOREIGN KEY (`session_id`) REFERENCES `_backstay_session` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_refresh_token` VALUES ('vlF5HN019AOMWdKns6Y2DWqyck103xI32TZfjdcmpqM',0x070F83E35E164AACA2E6C658B80B72BE,NULL,NULL,'2026-11-23 05:00:51.917241');
CREATE TABLE `_backstay_secret` (
  `name` varchar(650) NOT NULL,
  `value` longtext NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_secret` VALUES ('legacy_jwt','GpOvZulXS/bs7X+Wk0Pa5gwJt1pxEUv0JZF866/KUDuBdbEl+qZdEAjICt6QadRI','2026-11-23 05:00:51.409394');
INSERT INTO `_backstay_secret` VALUES ('refresh_token','uuNbq+3EB+Gddf9geTcN9zQMdkIVpY1EO5+iX2QrA0xeiAqT3bYR1cttRvkeGyyh','2026-11-23 05:00:51.409394');
CREATE TABLE `_backstay_session` (
  `id` binary(16) NOT NULL,
  `account_id` binary(16) NOT NULL,
  `aal` longtext NOT NULL,
  `method` longtext NOT NULL,
  `authenticated_at` datetime(6) NOT NULL,
  `not_after` datetime(6) DEFAULT NULL,
  `refreshed_at` datetime(6) DEFAULT NULL,
  `ip` longtext DEFAULT NULL,
  `user_agent` longtext DEFAULT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `_backstay_session_account_id_idx` (`account_id`),
  CONSTRAINT `_backstay_session_account_id_fkey` FOREIGN KEY (`account_id`) REFERENCES `_backstay_account` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_session` VALUES (0x070F83E35E164AACA2E6C658B80B72BE,0x07E6AB8D05F74F18B216EC5F7A675E33,'aal1','password','2026-11-23 05:00:51.781901',NULL,NULL,'127.0.0.1','curl/7.88.1','2026-11-23 05:00:51.917241');
CREATE TABLE `_backstay_signing_key` (
  `kid` varchar(650) NOT NULL,
  `algorithm` longtext NOT NULL,
  `private_key` longtext NOT NULL,
  `status` longtext NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`kid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_signing_key` VALUES ('fcc50235-0a5c-44f2-8841-cdc444c4887e','ES256','MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgt1jApPX79yf8MItdwxJWqz/qOtkApnZkA4AwXSvfTuuhRANCAARI7W6bVgfsFBd7iiQ5h7wAjpiVnw9vOpF87Do99Gftz6ENmaP+5jhC+TAm6p1SVop50SlxiG5+ppRTZwejeBuL','current','2026-11-23 05:00:51.409394');
CREATE TABLE `note` (
  `id` binary(16) NOT NULL,
  `text` longtext NOT NULL,
  `owner_id` binary(16) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `note_owner_id_idx` (`owner_id`),
  CONSTRAINT `note_owner_id_fkey` FOREIGN KEY (`owner_id`) REFERENCES `person` (`id`),
  CONSTRAINT `note_text_check` CHECK (char_length(`text`) <= 200)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `note` VALUES (0x01A206C744EF7000975EFEE62BB09F0F,'kept',0x07E6AB8D05F74F18B216EC5F7A675E33);
CREATE TABLE `person` (
  `id` binary(16) NOT NULL,
  `name` longtext DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `person` VALUES (0x07E6AB8D05F74F18B216EC5F7A675E33,'Ann');
