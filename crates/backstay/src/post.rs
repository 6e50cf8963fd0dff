//! Outgoing mail as the configuration wants it: by SMTP, in `dev` else into a mailbox, or none.

use crate::config::{Config, Words};
use anyhow::{Context as _, Result};
use backstay_auth::letters::Templates;
use backstay_base::ids::Ids;
use backstay_outbound::mail::{Carrier, Carrying, Mail};
use backstay_outbound::mailbox::Mailbox;
use backstay_outbound::smtp::Smtp;
use backstay_outbound::template::{self, Template};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where the mailbox of `dev` is, in the project folder.
const FOLDER: &str = ".backstay/mail";
/// How long waiting letters may take at the end.
const LAST: Duration = Duration::from_secs(5);

/// Outgoing mail.
#[derive(Default)]
pub struct Post {
    /// Where letters are handed in.
    pub mail: Option<Mail>,
    /// The mailbox of `dev`.
    pub mailbox: Option<Arc<Mailbox>>,
    carrying: Option<Carrying>,
}

impl Post {
    /// By SMTP, where `[mail] url` is set.
    ///
    /// # Errors
    /// When `[mail]` is not right.
    pub fn of(config: &Config) -> Result<Self> {
        let Some(url) = &config.mail.url else { return Ok(Self::default()) };
        let smtp = Smtp::new(url, &config.mail.from)?;
        let (mail, carrying) = Mail::start(config.limits.limits().mail_queue, Carrier::Smtp(Box::new(smtp)));
        Ok(Self { mail: Some(mail), mailbox: None, carrying: Some(carrying) })
    }

    /// By SMTP, where `[mail] url` is set, else into a mailbox of this folder.
    ///
    /// # Errors
    /// When `[mail]` is not right, or the mailbox cannot be made.
    pub fn of_dev(config: &Config, folder: &Path, ids: &Ids) -> Result<Self> {
        if config.mail.url.is_some() {
            return Self::of(config);
        }
        let limits = config.limits.limits();
        let mailbox = Mailbox::open(&folder.join(FOLDER), limits.mailbox, ids.clone());
        let mailbox = Arc::new(mailbox.with_context(|| format!("cannot open the mailbox {FOLDER}"))?);
        let (mail, carrying) = Mail::start(limits.mail_queue, Carrier::Mailbox(Arc::clone(&mailbox)));
        Ok(Self { mail: Some(mail), mailbox: Some(mailbox), carrying: Some(carrying) })
    }

    /// Waits for the letters that are on their way.
    pub async fn finish(self) {
        if let Some(carrying) = self.carrying {
            carrying.finish(LAST).await;
        }
    }
}

/// The words of letters.
///
/// # Errors
/// When one names something that there is not.
pub fn templates(config: &Config) -> Result<Templates> {
    let of = |words: &Words| Template { subject: words.subject.clone(), text: words.text.clone() };
    let templates = Templates {
        confirmation: of(&config.mail.confirmation),
        recovery: of(&config.mail.recovery),
        magic_link: of(&config.mail.magic_link),
        email_change: of(&config.mail.email_change),
    };
    for (name, template) in templates.all() {
        template::check(template).with_context(|| format!("[mail.{name}] is not right"))?;
    }
    Ok(templates)
}
