//! `backstay keys list|create|revoke`: what clients present as `apikey`.

use crate::Context;
use crate::output::{Colour, Exit};
use crate::project::Project;
use crate::wiring::Database;
use anyhow::{Result, bail};
use backstay_auth::key_ring::ApiRole;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// The keys; secret ones by their beginning only
    List {
        /// Show the legacy JWT keys in full
        #[arg(long)]
        reveal: bool,
    },
    /// Make a key; a secret one is shown once, now
    Create {
        /// What it may be
        #[arg(value_enum)]
        kind: Kind,
        /// What it is called
        #[arg(long, default_value = "default")]
        name: String,
    },
    /// Make a key worthless
    Revoke {
        /// Its id, from `keys list`
        id: String,
    },
}

/// Kinds of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// For browsers and apps
    Publishable,
    /// For servers: passes access rules
    Secret,
}

/// Runs it. The database must not be in use by a running server.
pub async fn run(context: &Context, action: &Action) -> Result<Exit> {
    let project = Project::open(&context.dir)?;
    let (auth, started) = Database::open(&project)?.accounts(&project).await?;
    match action {
        Action::List { reveal } => {
            list(context, &auth, *reveal).await?;
            if let Some(secret) = started.secret {
                context.output.remark("the keys were made just now; the secret one is shown this once:");
                context.output.remark(secret.expose());
            }
        }
        Action::Create { kind, name } => {
            let role = match kind {
                Kind::Publishable => ApiRole::Publishable,
                Kind::Secret => ApiRole::Secret,
            };
            let key = auth.create_api_key(role, name).await?;
            if context.output.json {
                context.output.value(&json!({ "key": key.expose(), "name": name }));
            } else {
                context.output.data(key.expose());
                context.output.remark("keep it: a secret key is stored as its hash and not shown again");
            }
        }
        Action::Revoke { id } => {
            let Ok(id) = id.parse() else { bail!("{id:?} is not the id of a key; see: backstay keys list") };
            if !auth.revoke_api_key(id).await? {
                bail!("there is no key {id}");
            }
            context.output.remark("revoked");
        }
    }
    Ok(Exit::Ok)
}

async fn list(context: &Context, auth: &backstay_auth::service::Auth, reveal: bool) -> Result<()> {
    let keys = auth.api_keys().await?;
    let legacy = |role, name: &'static str| {
        let key = auth.legacy_api_key(role)?;
        let shown = if reveal { key.expose().clone() } else { "hidden; --reveal shows it".to_owned() };
        Some((name, shown))
    };
    let legacy: Vec<(&str, String)> =
        [legacy(ApiRole::Publishable, "anon"), legacy(ApiRole::Secret, "service_role")]
            .into_iter()
            .flatten()
            .collect();
    let kind = |role: ApiRole| match role {
        ApiRole::Publishable => "publishable",
        ApiRole::Secret => "secret",
    };
    if context.output.json {
        let keys: Vec<serde_json::Value> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id.to_string(), "kind": kind(key.role), "name": key.name,
                    "key": key.public_text, "prefix": key.prefix,
                })
            })
            .collect();
        let legacy: serde_json::Map<String, serde_json::Value> =
            legacy.into_iter().map(|(name, key)| (name.to_owned(), key.into())).collect();
        context.output.value(&json!({ "keys": keys, "legacy": legacy }));
        return Ok(());
    }
    for key in keys {
        let shown = key.public_text.clone().unwrap_or_else(|| format!("{}…", key.prefix));
        let name = context.output.paint(Colour::Grey, &key.name);
        context.output.data(&format!("{:<12} {shown}  {name}  {}", kind(key.role), key.id));
    }
    for (name, key) in legacy {
        context.output.data(&format!("{name:<12} {key}"));
    }
    Ok(())
}
