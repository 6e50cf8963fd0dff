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
  `created_at` datetime(6) NOT NULL,
  `updated_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `_backstay_account_email_key` (`email`),
  UNIQUE KEY `_backstay_account_phone_key` (`phone`),
  CONSTRAINT `_backstay_account_app_metadata_check` CHECK (json_valid(`app_metadata`)),
  CONSTRAINT `_backstay_account_user_metadata_check` CHECK (json_valid(`user_metadata`)),
  CONSTRAINT `_backstay_account_is_anonymous_check` CHECK (`is_anonymous` in (0,1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_account` VALUES (0xB7F561BB45CE4D2996C8C207A5B831A3,'ann@example.com',NULL,'$argon2id$v=19$m=19456,t=2,p=1$QVBqNczYmAF5zOK4jGljHQ$mwe4f9wTFc7hmPM1yRtG8UvIoPxIQAKyfe0HIdlifXM','2026-11-23 04:49:36.195636',NULL,'{\"provider\":\"email\",\"providers\":[\"email\"]}','{\"email\":\"ann@example.com\",\"email_verified\":true,\"phone_verified\":false,\"sub\":\"b7f561bb-45ce-4d29-96c8-c207a5b831a3\"}',0,NULL,'2026-11-23 04:49:36.195636','2026-11-23 04:49:36.478528','2026-11-23 04:49:36.478528');
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
INSERT INTO `_backstay_api_key` VALUES (0x7EAE84621221424FB09D0297956BEE4C,'secret','o5RIXz6njxyX-qiQVChi37FQIu4YZN3pSqq76quaI3o','sb_secret_hIU2Je',NULL,'default','2026-11-23 04:49:35.705296');
INSERT INTO `_backstay_api_key` VALUES (0xA1822EF5954B41FE89ACBDCC23AC83A2,'publishable','M2P0vXfqeSNRg_NNMwm9ZqB8AZDsf7vjvJp_Tj8ON7k','sb_publishable_PXtXy_','sb_publishable_PXtXy_YdZKv0Gr4MymWM06KDK97X4RE1G7I6WinBdAI','default','2026-11-23 04:49:35.705296');
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
INSERT INTO `_backstay_identity` VALUES (0xED7C37640E56436B99F9651F6E4B8747,0xB7F561BB45CE4D2996C8C207A5B831A3,'email','b7f561bb-45ce-4d29-96c8-c207a5b831a3','ann@example.com','{\"email\":\"ann@example.com\",\"email_verified\":true,\"phone_verified\":false,\"sub\":\"b7f561bb-45ce-4d29-96c8-c207a5b831a3\"}','2026-11-23 04:49:36.195636','2026-11-23 04:49:36.478528','2026-11-23 04:49:36.478528');
CREATE TABLE `_backstay_lease` (
  `name` varchar(100) NOT NULL,
  `holder` varchar(255) NOT NULL,
  `fence` bigint(20) NOT NULL,
  `until` datetime(6) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `_backstay_lease` VALUES ('migrate','node 01a206bc-eb82-7000-b6c2-4eca31818606 (process 4321)',2,'2026-11-23 04:49:35.662973');
CREATE TABLE `_backstay_migration` (
  `number` bigint(20) NOT NULL,
  `name` varchar(255) NOT NULL,
  `checksum` varchar(255) NOT NULL,
  `applied_at` varchar(40) NOT NULL,
  PRIMARY KEY (`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `_backstay_migration` VALUES (1,'0001_init.sql','3fa21f713f5221f6d5f6624e69e49b64ccfd7001f2381107fedd996874416513','2026-11-23T04:49:35.425112+00:00');
CREATE TABLE `_backstay_migration_step` (
  `number` bigint(20) NOT NULL,
  `done` bigint(20) NOT NULL,
  `checksum` varchar(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  `announced` varchar(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  PRIMARY KEY (`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
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
INSERT INTO `_backstay_refresh_token` VALUES ('_ce0MqOvjUWOAFB5IGB0t34jUSHJxACtmJc1WaCbC0o',0x017591A077B647E5A77454814ED92B7B,NULL,NULL,'2026-11-23 04:49:36.478528');
CREATE TABLE `_backstay_secret` (
  `name` varchar(650) NOT NULL,
  `value` longtext NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_secret` VALUES ('legacy_jwt','EizkGI0MEGZpZPV0nlwm6dcfXFv/4+vIDeOgHNGdKqN/I09UVLIrGtXSlD9lHjif','2026-11-23 04:49:35.705296');
INSERT INTO `_backstay_secret` VALUES ('refresh_token','4LyyEPBw0jQd3zjwZUIic0LtBwKArmhnO0dSyLVaaikLq6qkvTriiBgmpfzFqP3u','2026-11-23 04:49:35.705296');
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
INSERT INTO `_backstay_session` VALUES (0x017591A077B647E5A77454814ED92B7B,0xB7F561BB45CE4D2996C8C207A5B831A3,'aal1','password','2026-11-23 04:49:36.195636',NULL,NULL,'127.0.0.1','curl/7.88.1','2026-11-23 04:49:36.478528');
CREATE TABLE `_backstay_signing_key` (
  `kid` varchar(650) NOT NULL,
  `algorithm` longtext NOT NULL,
  `private_key` longtext NOT NULL,
  `status` longtext NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`kid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `_backstay_signing_key` VALUES ('944c1de3-208b-40c0-8cc8-d36ca704d502','ES256','MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9SNvJJQPtYeZUgEDLJxPjadxTkWwQ5nrZzUFbKYgE1ChRANCAAR/m88cN5nJEnEPxvedA62sVCBJTVVi0Wsv7E5yPrFEgZ+cbmop8yF4noJEphSkl4mwgR6TWQZ8/eVcWVnnrqmU','current','2026-11-23 04:49:35.705296');
CREATE TABLE `note` (
  `id` binary(16) NOT NULL,
  `text` longtext NOT NULL,
  `owner_id` binary(16) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `note_owner_id_idx` (`owner_id`),
  CONSTRAINT `note_owner_id_fkey` FOREIGN KEY (`owner_id`) REFERENCES `person` (`id`),
  CONSTRAINT `note_text_check` CHECK (char_length(`text`) <= 200)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `note` VALUES (0x01A206BCF676700095C811E1FED6679D,'kept',0xB7F561BB45CE4D2996C8C207A5B831A3);
CREATE TABLE `person` (
  `id` binary(16) NOT NULL,
  `name` longtext DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO `person` VALUES (0xB7F561BB45CE4D2996C8C207A5B831A3,'Ann');
