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
    confirmation_sent_at timestamp with time zone,
    recovery_sent_at timestamp with time zone,
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
CREATE TABLE _backstay_flow_state (
    hash text NOT NULL COLLATE pg_catalog."C",
    account_id uuid NOT NULL,
    method text NOT NULL COLLATE pg_catalog."C",
    challenge text NOT NULL COLLATE pg_catalog."C",
    expires_at timestamp with time zone NOT NULL,
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
CREATE TABLE _backstay_mail_sent (
    hash text NOT NULL COLLATE pg_catalog."C",
    sent_at timestamp with time zone NOT NULL
);
CREATE TABLE _backstay_migration (
    number bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    checksum text NOT NULL COLLATE pg_catalog."C",
    applied_at text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE _backstay_one_time_token (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    purpose text NOT NULL COLLATE pg_catalog."C",
    email text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    code_hash text NOT NULL COLLATE pg_catalog."C",
    attempts integer NOT NULL,
    challenge text COLLATE pg_catalog."C",
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL
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
INSERT INTO _backstay_account VALUES ('a0772395-ba2b-4d47-a547-57d75643a1ea', 'ann@example.com', NULL, '$argon2id$v=19$m=19456,t=2,p=1$4xkU0aKSmWzvPvmJ5n8E4Q$3HVe+XGRhmMRwhRZgDawd3GzzbyDEjz5pThFQ9uxYgA', '2026-11-23 05:00:48.669988+00', NULL, '{"provider":"email","providers":["email"]}', '{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"a0772395-ba2b-4d47-a547-57d75643a1ea"}', false, NULL, '2026-11-23 05:00:48.669988+00', NULL, NULL, '2026-11-23 05:00:48.802581+00', '2026-11-23 05:00:48.802581+00');
INSERT INTO _backstay_api_key VALUES ('759f3229-a24a-4d19-8070-f8d0458b034a', 'publishable', '1jkN7B6D2ozvSLQxjnQX2y1xg9JATK_T0twsPSC6vAQ', 'sb_publishable_G5aE-u', 'sb_publishable_G5aE-uW-1ZXv0c9gpox3DCtL-ycvA1PRzY5KGCVud4c', 'default', '2026-11-23 05:00:48.241082+00');
INSERT INTO _backstay_api_key VALUES ('24bde78c-a619-4f82-9c80-2f5e39750932', 'secret', 'Q3Q9rDip1gUjXPV2Q25PGPNm1QQbII31k8r1LzJKASY', 'sb_secret__1D7kt', NULL, 'default', '2026-11-23 05:00:48.241082+00');
INSERT INTO _backstay_identity VALUES ('b7215967-4b7a-47ba-ba16-99ee6f76982e', 'a0772395-ba2b-4d47-a547-57d75643a1ea', 'email', 'a0772395-ba2b-4d47-a547-57d75643a1ea', 'ann@example.com', '{"email":"ann@example.com","email_verified":true,"phone_verified":false,"sub":"a0772395-ba2b-4d47-a547-57d75643a1ea"}', '2026-11-23 05:00:48.669988+00', '2026-11-23 05:00:48.802581+00', '2026-11-23 05:00:48.802581+00');
INSERT INTO _backstay_lease VALUES ('migrate', 'node 01a206c7-3233-7000-b68b-6ab9efc55809 (process 18114)', 2, '2026-11-23 05:00:48.221511+00');
INSERT INTO _backstay_migration VALUES (1, '0001_init.sql', '3fa21f713f5221f6d5f6624e69e49b64ccfd7001f2381107fedd996874416513', '2026-11-23T05:00:48.196606+00:00');
INSERT INTO _backstay_refresh_token VALUES ('e5qUAh393Dl7OLJaC1L44HHICTgKzSOQqlHT1BB3P6w', 'c18c4304-c446-486d-a1df-59028aad36e2', NULL, NULL, '2026-11-23 05:00:48.802581+00');
INSERT INTO _backstay_secret VALUES ('legacy_jwt', 'eJfXp8IMJMd656rJg2olQ2XrfdR76oOvrwZwi6r4WnfHTCRE2ouBgm5eh49FcyZY', '2026-11-23 05:00:48.241082+00');
INSERT INTO _backstay_secret VALUES ('refresh_token', 'KLy1Dv34tV5J1vQFkZEfIY4VfUek2VEdQ+dnPdgbhFYcB+2FFkb76ZW8lt3HJtpy', '2026-11-23 05:00:48.241082+00');
INSERT INTO _backstay_session VALUES ('c18c4304-c446-486d-a1df-59028aad36e2', 'a0772395-ba2b-4d47-a547-57d75643a1ea', 'aal1', 'password', '2026-11-23 05:00:48.669988+00', NULL, NULL, '127.0.0.1', 'curl/7.88.1', '2026-11-23 05:00:48.802581+00');
INSERT INTO _backstay_signing_key VALUES ('f4ce5a3f-46da-4fd2-b888-d8b81a0a59be', 'ES256', 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDqmCrn3pij2FxtmoAYeIt336Za3/pNiuuC0/jMz0PbyhRANCAAQj/eRoyu2CJADXQhAE2KL0y1BiwG/JqONWA55iPxP3KKelFR/CdEs2ZoRHHyM99yy8Q3v4dPsKPNa7RsLDbIX6', 'current', '2026-11-23 05:00:48.241082+00');
INSERT INTO note VALUES ('01a206c7-3872-7000-a1cd-d3b3ad0a6653', 'kept', 'a0772395-ba2b-4d47-a547-57d75643a1ea');
INSERT INTO person VALUES ('a0772395-ba2b-4d47-a547-57d75643a1ea', 'Ann');
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
ALTER TABLE ONLY _backstay_flow_state
    ADD CONSTRAINT _backstay_flow_state_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY _backstay_identity
    ADD CONSTRAINT _backstay_identity_pkey PRIMARY KEY (id);
ALTER TABLE ONLY _backstay_identity
    ADD CONSTRAINT _backstay_identity_provider_provider_id_key UNIQUE (provider, provider_id);
ALTER TABLE ONLY _backstay_lease
    ADD CONSTRAINT _backstay_lease_pkey PRIMARY KEY (name);
ALTER TABLE ONLY _backstay_mail_sent
    ADD CONSTRAINT _backstay_mail_sent_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY _backstay_migration
    ADD CONSTRAINT _backstay_migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY _backstay_one_time_token
    ADD CONSTRAINT _backstay_one_time_token_account_id_purpose_key UNIQUE (account_id, purpose);
ALTER TABLE ONLY _backstay_one_time_token
    ADD CONSTRAINT _backstay_one_time_token_hash_key UNIQUE (hash);
ALTER TABLE ONLY _backstay_one_time_token
    ADD CONSTRAINT _backstay_one_time_token_pkey PRIMARY KEY (id);
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
CREATE INDEX _backstay_flow_state_account_id_idx ON _backstay_flow_state USING btree (account_id);
CREATE INDEX _backstay_identity_account_id_idx ON _backstay_identity USING btree (account_id);
CREATE INDEX _backstay_mail_sent_sent_at_idx ON _backstay_mail_sent USING btree (sent_at);
CREATE INDEX _backstay_one_time_token_email_idx ON _backstay_one_time_token USING btree (email);
CREATE INDEX _backstay_refresh_token_session_id_idx ON _backstay_refresh_token USING btree (session_id);
CREATE INDEX _backstay_session_account_id_idx ON _backstay_session USING btree (account_id);
CREATE INDEX note_owner_id_idx ON note USING btree (owner_id);
ALTER TABLE ONLY _backstay_flow_state
    ADD CONSTRAINT _backstay_flow_state_account_id_fkey FOREIGN KEY (account_id) REFERENCES _backstay_account(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY _backstay_identity
    ADD CONSTRAINT _backstay_identity_account_id_fkey FOREIGN KEY (account_id) REFERENCES _backstay_account(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY _backstay_one_time_token
    ADD CONSTRAINT _backstay_one_time_token_account_id_fkey FOREIGN KEY (account_id) REFERENCES _backstay_account(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY _backstay_refresh_token
    ADD CONSTRAINT _backstay_refresh_token_session_id_fkey FOREIGN KEY (session_id) REFERENCES _backstay_session(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY _backstay_session
    ADD CONSTRAINT _backstay_session_account_id_fkey FOREIGN KEY (account_id) REFERENCES _backstay_account(id) ON DELETE CASCADE DEFERRABLE;
ALTER TABLE ONLY note
    ADD CONSTRAINT note_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES person(id) ON DELETE RESTRICT DEFERRABLE;
