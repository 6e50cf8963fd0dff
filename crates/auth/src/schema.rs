//! The tables of this crate, in the schema language. No rule opens them: only System passes.

/// Accounts.
pub const ACCOUNT: &str = "_backstay_account";
/// Ways in which an account signs in.
pub const IDENTITY: &str = "_backstay_identity";
/// Sessions.
pub const SESSION: &str = "_backstay_session";
/// Refresh tokens, by hash.
pub const REFRESH_TOKEN: &str = "_backstay_refresh_token";
/// What was sent to an address to be shown once, by hash.
pub const ONE_TIME_TOKEN: &str = "_backstay_one_time_token";
/// Sign-ins by link or with another service that an app has yet to fetch, by hash of their code.
pub const FLOW_STATE: &str = "_backstay_flow_state";
/// Sign-ins with another service that are under way, by hash of their state.
pub const OAUTH_FLOW: &str = "_backstay_oauth_flow";
/// When mail last went to an address, by hash.
pub const MAIL_SENT: &str = "_backstay_mail_sent";
/// Token buckets, by hash of what they count and for whom.
pub const BUCKET: &str = "_backstay_bucket";
/// Keys that sign access tokens.
pub const SIGNING_KEY: &str = "_backstay_signing_key";
/// Opaque API keys, by hash.
pub const API_KEY: &str = "_backstay_api_key";
/// Secrets of the project, by name.
pub const SECRET: &str = "_backstay_secret";

/// The SDL, to be compiled with `Owner::System`.
pub const SCHEMA: &str = r#"
"An account. Its id is also that of its row of the @user type."
type _BackstayAccount @table(name: "_backstay_account", key: ["id"]) {
  id: UUID!
  email: String @unique
  phone: String @unique
  password_hash: String
  email_confirmed_at: Timestamp
  phone_confirmed_at: Timestamp
  app_metadata: JSON!
  user_metadata: JSON!
  is_anonymous: Boolean!
  banned_until: Timestamp
  last_sign_in_at: Timestamp
  confirmation_sent_at: Timestamp
  recovery_sent_at: Timestamp
  new_email: String
  new_email_open: Int
  new_email_sent_at: Timestamp
  "Rises with every change that was made of what was read."
  version: Int
  created_at: Timestamp!
  updated_at: Timestamp!
}

"A way in which an account signs in."
type _BackstayIdentity @table(name: "_backstay_identity", key: ["id"])
  @unique(fields: ["provider", "provider_id"])
{
  id: UUID!
  account: _BackstayAccount! @relation(onDelete: CASCADE)
  provider: String!
  provider_id: String!
  email: String
  data: JSON!
  last_sign_in_at: Timestamp
  created_at: Timestamp!
  updated_at: Timestamp!
}

"A device that is signed in."
type _BackstaySession @table(name: "_backstay_session", key: ["id"]) {
  id: UUID!
  account: _BackstayAccount! @relation(onDelete: CASCADE)
  aal: String!
  method: String!
  authenticated_at: Timestamp!
  not_after: Timestamp
  refreshed_at: Timestamp
  ip: String
  user_agent: String
  created_at: Timestamp!
}

"A refresh token: only its hash is kept. A used one stays, so that its reuse is seen."
type _BackstayRefreshToken @table(name: "_backstay_refresh_token", key: ["hash"]) {
  hash: String!
  session: _BackstaySession! @relation(onDelete: CASCADE)
  parent: String
  revoked_at: Timestamp @index
  created_at: Timestamp!
}

"A token and a code that were sent to an address: only their hashes are kept."
type _BackstayOneTimeToken @table(name: "_backstay_one_time_token", key: ["id"])
  @unique(fields: ["account", "purpose"])
{
  id: UUID!
  account: _BackstayAccount! @relation(onDelete: CASCADE)
  purpose: String!
  email: String! @index
  hash: String! @unique
  code_hash: String!
  attempts: Int!
  challenge: String
  expires_at: Timestamp! @index
  created_at: Timestamp!
}

"A sign-in whose session waits for the app that asked for it."
type _BackstayFlowState @table(name: "_backstay_flow_state", key: ["hash"]) {
  hash: String!
  account: _BackstayAccount! @relation(onDelete: CASCADE)
  method: String!
  challenge: String!
  "Tokens of another service, sealed with the code."
  sealed: String
  expires_at: Timestamp! @index
  created_at: Timestamp!
}

"A sign-in with another service that is under way, by the hash of its state; or an ID token that was used, by its own."
type _BackstayOauthFlow @table(name: "_backstay_oauth_flow", key: ["hash"]) {
  hash: String!
  provider: String!
  redirect_to: String!
  challenge: String
  expires_at: Timestamp! @index
  created_at: Timestamp!
}

"When mail of a kind last went to an address, whether there is an account or not."
type _BackstayMailSent @table(name: "_backstay_mail_sent", key: ["hash"]) {
  hash: String!
  sent_at: Timestamp! @index
}

"A token bucket: when it is full again."
type _BackstayBucket @table(name: "_backstay_bucket", key: ["hash"]) {
  hash: String!
  full_at: Timestamp! @index
}

"A key that signs or signed access tokens."
type _BackstaySigningKey @table(name: "_backstay_signing_key", key: ["kid"]) {
  kid: String!
  algorithm: String!
  private_key: String!
  status: String!
  created_at: Timestamp!
}

"An opaque API key: only its hash is kept."
type _BackstayApiKey @table(name: "_backstay_api_key", key: ["id"]) {
  id: UUID!
  kind: String!
  hash: String! @unique
  prefix: String!
  public_text: String
  name: String!
  created_at: Timestamp!
}

"A secret of the project."
type _BackstaySecret @table(name: "_backstay_secret", key: ["name"]) {
  name: String!
  value: String!
  created_at: Timestamp!
}
"#;

#[cfg(test)]
pub(crate) mod tests {
    use super::SCHEMA;
    use backstay_schema::catalog::{Catalog, Origin};
    use backstay_schema::compile::{Owner, Settings, SourceFile, compile};

    /// A project's schema with the tables of this crate.
    pub(crate) fn catalog(project: &str) -> Catalog {
        let file = |name: &str, text: &str, owner| SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
            owner,
        };
        let mut files = vec![file("auth.graphql", SCHEMA, Owner::System)];
        if !project.is_empty() {
            files.push(file("schema.graphql", project, Owner::Project));
        }
        let settings = Settings { roles: vec!["staff".to_owned(), "admin".to_owned()] };
        compile(&files, &settings).unwrap_or_else(|faults| panic!("{faults:#?}")).catalog
    }

    #[test]
    fn the_tables_compile_and_are_hidden() {
        let catalog = catalog("");
        assert_eq!(catalog.tables.len(), 12);
        assert!(catalog.tables.iter().all(|table| table.origin == Origin::System));
        assert!(catalog.tables.iter().all(|table| catalog.public_table(&table.name).is_none()));
    }
}
