CREATE TABLE _backstay_account (
    id uuid NOT NULL,
    email text COLLATE pg_catalog."C",
    phone text COLLATE pg_catalog."C",
    password_hash text COLLATE pg_catalog."C",
    email_confirmed_at timestamp with time zone,
    phone_confirmed_at timestamp with time zone,
    app_metadata json NOT NULL,
    user_metadata json NOT NULL,
    is_anonymous boolean NOT NULL,
    banned_until timestamp with time zone,
    last_sign_in_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_api_key (
    id uuid NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    prefix text NOT NULL COLLATE pg_catalog."C",
    public_text text COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_identity (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    provider text NOT NULL COLLATE pg_catalog."C",
    provider_id text NOT NULL COLLATE pg_catalog."C",
    email text COLLATE pg_catalog."C",
    data json NOT NULL,
    last_sign_in_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_lease (
    name text NOT NULL COLLATE pg_catalog."C",
    holder text NOT NULL COLLATE pg_catalog."C",
    fence bigint NOT NULL,
    until timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_migration (
    number bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    checksum text NOT NULL COLLATE pg_catalog."C",
    applied_at text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE _backstay_refresh_token (
    hash text NOT NULL COLLATE pg_catalog."C",
    session_id uuid NOT NULL,
    parent text COLLATE pg_catalog."C",
    revoked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_secret (
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_session (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    aal text NOT NULL COLLATE pg_catalog."C",
    method text NOT NULL COLLATE pg_catalog."C",
    authenticated_at timestamp with time zone NOT NULL,
    not_after timestamp with time zone,
    refreshed_at timestamp with time zone,
    ip text COLLATE pg_catalog."C",
    user_agent text COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_signing_key (
    kid text NOT NULL COLLATE pg_catalog."C",
    algorithm text NOT NULL COLLATE pg_catalog."C",
    private_key text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE note (
    id uuid NOT NULL,
    text text NOT NULL COLLATE pg_catalog."C",
    owner_id uuid NOT NULL,
    CONSTRAINT note_text_check CHECK ((length(text) <= 200))
);
CREATE TABLE person (
    id uuid NOT NULL,
    name text COLLATE pg_catalog."C"
);
INSERT INTO _backstay_account VALUES ('3bcce91d-8e98-463c-a284-b31c7b3fb856', 'ann@example.com', NULL, '$argon2id$v=19$m=19456,t=2,p=1$RQIos2zY9dGnio4JxcrCLg$TeJMlpTls3JJ9r3VOzC9quloyC0RFuoZWae5zgupT3E', '2026-11-23 04:49:33.342207+00', NULL, '{"provider":"email","providers":["email"]}', '{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"3bcce91d-8e98-463c-a284-b31c7b3fb856"}', false, NULL, '2026-11-23 04:49:33.342207+00', '2026-11-23 04:49:33.507456+00', '2026-11-23 04:49:33.507456+00');
INSERT INTO _backstay_api_key VALUES ('4104402d-dbb4-4adf-ba14-40c7a3a28d74', 'publishable', 'okf33T41NPp8Mu612WzP48h1qZbEqG3idGMB-DV39O0', 'sb_publishable_FFv004', 'sb_publishable_FFv004M9Ge1M09Tq90CZsZTbtViLu3ZS7PgIVy_7H1s', 'default', '2026-11-23 04:49:32.899627+00');
INSERT INTO _backstay_api_key VALUES ('bd8abf70-49c2-4bee-b74a-331756139350', 'secret', 'RJCV82S5qBSRIL5wNH0Ifbc1KQfiXltvw6dlJWIdY74', 'sb_secret_iv2eWx', NULL, 'default', '2026-11-23 04:49:32.899627+00');
INSERT INTO _backstay_identity VALUES ('4b84863a-9832-4082-b293-627e85729caa', '3bcce91d-8e98-463c-a284-b31c7b3fb856', 'email', '3bcce91d-8e98-463c-a284-b31c7b3fb856', 'ann@example.com', '{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"3bcce91d-8e98-463c-a284-b31c7b3fb856"}', '2026-11-23 04:49:33.342207+00', '2026-11-23 04:49:33.507456+00', '2026-11-23 04:49:33.507456+00');
INSERT INTO _backstay_lease VALUES ('migrate', 'node 01a206bc-e3ff-7000-a461-ad409498fe39 (process 4161)', 2, '2026-11-23 04:49:32.885555+00');
INSERT INTO _backstay_migration VALUES (1, '0001_init.sql', '3fa21f713f5221f6d5f6624e69e49b64ccfd7001f2381107fedd996874416513', '2026-11-23T04:49:32.849691+00:00');
INSERT INTO _backstay_refresh_token VALUES ('jcdchmEnQTduKX2hOHt8GAxgbtivinZDiWUlwZ-z5ak', '0dd9aa3e-f4a0-49d2-ac73-64724418ff57', NULL, NULL, '2026-11-23 04:49:33.507456+00');
INSERT INTO _backstay_secret VALUES ('legacy_jwt', 'm/tsoH8bFmrXHXRFXtgZYiN5cKhJ8PLJz4xrZTa9PZ/8udXH/iVpevlVzip1GZ7V', '2026-11-23 04:49:32.899627+00');
INSERT INTO _backstay_secret VALUES ('refresh_token', 'mlGeMeLmUjWdPJYMz3mUTQ1DkgN4msNS4fGVVolf/EQGSTgpODypVlQkkDiqIgmi', '2026-11-23 04:49:32.899627+00');
INSERT INTO _backstay_session VALUES ('0dd9aa3e-f4a0-49d2-ac73-64724418ff57', '3bcce91d-8e98-463c-a284-b31c7b3fb856', 'aal1', 'password', '2026-11-23 04:49:33.342207+00', NULL, NULL, '127.0.0.1', 'curl/7.88.1', '2026-11-23 04:49:33.507456+00');
INSERT INTO _backstay_signing_key VALUES ('c5a7ebbc-07ab-4412-a46d-109e13a593cd', 'ES256', 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFKFVLUymY4a/g2yHAQNv3R2XOa2gp5JEXKDzLs2TFgyhRANCAASEn+ZHUXp0smyJxXdUpQ4xUx2FRzjTnn+WlBbIU7qhbL/meR06Ofz1ARnfnsmIZNIU4e7jpWGwJC/lpm6xE9Lo', 'current', '2026-11-23 04:49:32.899627+00');
INSERT INTO note VALUES ('01a206bc-ea46-7000-a478-72986b521159', 'kept', '3bcce91d-8e98-463c-a284-b31c7b3fb856');
INSERT INTO person VALUES ('3bcce91d-8e98-463c-a284-b31c7b3fb856', 'Ann');
ALTER TABLE ONLY _backstay_account
    ADD CONSTRAINT _backstay_account_email_key UNIQUE (email);
ALTER TABLE ONLY _backstay_account
    ADD CONSTRAINT _backstay_account_phone_key UNIQUE (phone);
ALTER TABLE ONLY _backstay_account
    ADD CONSTRAINT _backstay_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _backstay_api_key
    ADD CONSTRAINT _backstay_api_key_hash_key UNIQUE (hash);
ALTER TABLE ONLY _backstay_api_key
    ADD CONSTRAINT _backstay_api_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _backstay_identity
    ADD CONSTRAINT _backstay_identity_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _backstay_identity
    ADD CONSTRAINT _backstay_identity_provider_provider_id_key UNIQUE (provider, provider_id);
ALTER TABLE ONLY _backstay_lease
    ADD CONSTRAINT _backstay_lease_pkey PRIMARY KEY (name);
ALTER TABLE ONLY _backstay_migration
    ADD CONSTRAINT _backstay_migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY _backstay_refresh_token
    ADD CONSTRAINT _backstay_refresh_token_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY _backstay_secret
    ADD CONSTRAINT _backstay_secret_pkey PRIMARY KEY (name);
ALTER TABLE ONLY _backstay_session
    ADD CONSTRAINT _backstay_session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _backstay_signing_key
    ADD CONSTRAINT _backstay_signing_key_pkey PRIMARY KEY (kid);
ALTER TABLE ONLY note
    ADD CONSTRAINT note_pkey PRIMARY KEY (id);
ALTER TABLE ONLY person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);
CREATE INDEX _backstay_identity_account_id_idx ON _backstay_identity USING btree (account_id);
CREATE INDEX _backstay_refresh_token_session_id_idx ON _backstay_refresh_token USING btree (session_id);
CREATE INDEX _backstay_session_account_id_idx ON _backstay_session USING btree (account_id);
CREATE INDEX note_owner_id_idx ON note USING btree (owner_id);
ALTER TABLE ONLY _backstay_identity
    ADD CONSTRAINT _backstay_identity_account_id_fkey FOREIGN KEY (account_id) REFERENCES _backstay_account(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY _backstay_refresh_token
    ADD CONSTRAINT _backstay_refresh_token_session_id_fkey FOREIGN KEY (session_id) REFERENCES _backstay_session(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY _backstay_session
    ADD CONSTRAINT _backstay_session_account_id_fkey FOREIGN KEY (account_id) REFERENCES _backstay_account(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY note
    ADD CONSTRAINT note_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES person(id) ON DELETE RESTRICT DEFERRABLE;
