//! `backstay user create|list|set-role|delete`.

use crate::Context;
use crate::output::{Colour, Exit};
use crate::project::Project;
use crate::wiring::Database;
use anyhow::{Context as _, Result, bail};
use backstay_auth::service::Auth;
use backstay_base::secret::Secret;
use backstay_schema::value::Value;
use clap::Subcommand;
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;

/// Accounts per page.
const PAGE: u64 = 50;
/// Longest password that is read, in bytes.
const PASSWORD_BYTES: u64 = 8192;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make an account; the password comes from a file or standard input, never from the command line
    Create {
        /// E-mail address
        email: String,
        /// File that holds the password; `-` is standard input
        #[arg(long, default_value = "-")]
        password_file: PathBuf,
        /// Role
        #[arg(long)]
        role: Option<String>,
        /// Fields of the account's row, as JSON
        #[arg(long, default_value = "{}")]
        data: String,
    },
    /// Accounts, the newest first
    List {
        /// Which page, from 1
        #[arg(long, default_value_t = 1)]
        page: u64,
    },
    /// Give an account a role
    SetRole {
        /// Id or e-mail address
        who: String,
        /// The role; leave it out to take the role away
        role: Option<String>,
    },
    /// Delete an account with its row
    Delete {
        /// Id or e-mail address
        who: String,
    },
}

/// Runs it. The database must not be in use by a running server.
pub async fn run(context: &Context, action: &Action) -> Result<Exit> {
    let project = Project::open(&context.dir)?;
    let (auth, _) = Database::open(&project)?.accounts(&project).await?;
    match action {
        Action::Create { email, password_file, role, data } => {
            let data = serde_json::from_str(data).context("--data is a JSON object")?;
            let password = password(context, password_file)?;
            let account = auth.create_user(email, &password, role.as_deref(), data).await?;
            if context.output.json {
                context.output.value(&json!({ "id": account.id.to_string() }));
            } else {
                context.output.data(&format!(
                    "{} {}",
                    context.output.paint(Colour::Green, "made"),
                    account.id
                ));
            }
        }
        Action::List { page } => list(context, &auth, *page).await?,
        Action::SetRole { who, role } => {
            auth.set_role(who, role.as_deref()).await?;
            context.output.remark("done; running sessions see it within two seconds");
        }
        Action::Delete { who } => {
            if !context.yes {
                context.output.remark("this deletes the account and its row; to do it: add --yes");
                return Ok(Exit::NeedsConsent);
            }
            auth.delete_user(who).await?;
            context.output.remark("deleted");
        }
    }
    Ok(Exit::Ok)
}

fn password(context: &Context, file: &std::path::Path) -> Result<Secret<String>> {
    let mut text = String::new();
    if file == std::path::Path::new("-") {
        if !context.no_input {
            context.output.remark("password, then Enter and Ctrl-D:");
        }
        std::io::stdin().take(PASSWORD_BYTES).read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() {
        bail!("the password is empty");
    }
    Ok(Secret::new(text))
}

async fn list(context: &Context, auth: &Auth, page: u64) -> Result<()> {
    let (accounts, total) = auth.users(page, PAGE).await?;
    if context.output.json {
        let users: Vec<serde_json::Value> = accounts
            .iter()
            .map(|account| {
                json!({
                    "id": account.id.to_string(), "email": account.email, "role": account.role(),
                    "created_at": Value::Timestamp(account.created_at).to_text(),
                })
            })
            .collect();
        context.output.value(&json!({ "users": users, "total": total }));
        return Ok(());
    }
    for account in &accounts {
        let email = account.email.as_deref().unwrap_or("-");
        context.output.data(&format!(
            "{}  {email}  {}",
            account.id,
            account.role().unwrap_or("authenticated")
        ));
    }
    context.output.remark(&format!("{} of {total}", accounts.len()));
    Ok(())
}
