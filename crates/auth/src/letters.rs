//! The letters of this crate: their kinds, their words, and how they are filled in.

use crate::one_time::Purpose;
use backstay_outbound::mail::Letter;
use backstay_outbound::template::{Template, Values, fill};

/// Words that differ from the built-in ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    /// To confirm the address of a new account.
    pub confirmation: Template,
    /// To sign in without the password.
    pub recovery: Template,
    /// To sign in by link or code.
    pub magic_link: Template,
    /// To both addresses, when an account wants another.
    pub email_change: Template,
}

const CONFIRMATION: (&str, &str) = (
    "Confirm your e-mail address",
    "Follow this link to confirm your e-mail address:\n\n{{ .ConfirmationURL }}\n\n\
     Or enter this code: {{ .Token }}\n\nIf you did not sign up, leave this letter alone.\n",
);
const RECOVERY: (&str, &str) = (
    "Reset your password",
    "Follow this link to choose a new password:\n\n{{ .ConfirmationURL }}\n\n\
     Or enter this code: {{ .Token }}\n\nIf you did not ask for it, leave this letter alone.\n",
);
const MAGIC_LINK: (&str, &str) = (
    "Your sign-in link",
    "Follow this link to sign in:\n\n{{ .ConfirmationURL }}\n\n\
     Or enter this code: {{ .Token }}\n\nIf you did not ask for it, leave this letter alone.\n",
);
const EMAIL_CHANGE: (&str, &str) = (
    "Confirm your new e-mail address",
    "Follow this link to confirm that {{ .NewEmail }} takes the place of {{ .Email }}:\n\n{{ .ConfirmationURL }}\n\n\
     Or enter this code: {{ .Token }}\n\nIf you did not ask for it, leave this letter alone.\n",
);

impl Templates {
    /// All, with the keys that they have in the configuration.
    #[must_use]
    pub const fn all(&self) -> [(&'static str, &Template); 4] {
        [
            ("confirmation", &self.confirmation),
            ("recovery", &self.recovery),
            ("magic_link", &self.magic_link),
            ("email_change", &self.email_change),
        ]
    }

    /// Writes a letter.
    pub(crate) fn letter(&self, purpose: Purpose, to: &str, values: &Values<'_>) -> Letter {
        let (own, (subject, text)) = match purpose {
            Purpose::SignUp => (&self.confirmation, CONFIRMATION),
            Purpose::Recovery => (&self.recovery, RECOVERY),
            Purpose::MagicLink => (&self.magic_link, MAGIC_LINK),
            Purpose::LeaveEmail | Purpose::NewEmail => (&self.email_change, EMAIL_CHANGE),
        };
        Letter {
            to: to.to_owned(),
            subject: fill(own.subject.as_deref().unwrap_or(subject), values),
            text: fill(own.text.as_deref().unwrap_or(text), values),
        }
    }
}
