//! What leaves this server on its own: mail. Letters enter at [`mail::Mail::send`], and leave by SMTP or
//! into the mailbox of `dev`. Knows no accounts, no database and no HTTP.

pub mod mail;
pub mod mailbox;
pub mod smtp;
pub mod template;
