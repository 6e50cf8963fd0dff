//! What leaves this server on its own: mail, and requests to services that people sign in with. Letters enter at
//! [`mail::Mail::send`], and leave by SMTP or into the mailbox of `dev`; requests enter at [`egress::Egress`]. Knows no
//! accounts and no database.

mod address;
pub mod egress;
pub mod mail;
pub mod mailbox;
pub mod smtp;
pub mod template;
