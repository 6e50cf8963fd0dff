//! Letters as messages, and their way to an SMTP server. Every address is parsed and every
//! line of a header written by one library: a line break in a value never begins a header.

use crate::mail::Letter;
use lettre::message::{Mailbox as Named, Message, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{Address, AsyncTransport, Tokio1Executor};
use std::time::Duration;

/// Longest wait for an answer of the server.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `from` is not one address.
    #[error("mail.from is no address; write \"App <app@example.com>\"")]
    From,
    /// `url` cannot be read.
    #[error("mail.url is no SMTP address; write \"smtps://user:password@mail.example.com\"")]
    Url,
    /// A password or a letter would go over the network in the clear.
    #[error(
        "mail.url asks for no encryption; write \"smtps://…\", or \"smtp://…?tls=required\" for STARTTLS"
    )]
    Clear,
}

/// Who letters are from.
#[derive(Debug, Clone)]
pub struct Sender(Named);

impl Sender {
    /// Reads `App <app@example.com>` or an address alone.
    ///
    /// # Errors
    /// [`Error::From`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.chars().any(char::is_control) {
            return Err(Error::From);
        }
        text.parse().map(Self).map_err(|_| Error::From)
    }
}

/// A way to an SMTP server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
}

/// Why a letter did not go, in words without addresses.
pub(crate) struct Failure {
    pub(crate) words: String,
    pub(crate) may_pass: bool,
}

impl Smtp {
    /// Connects at the first letter. `url` is `smtps://…` or `smtp://…?tls=required`; to this machine
    /// itself also without TLS.
    ///
    /// # Errors
    /// Every [`Error`].
    pub fn new(url: &str, from: &str) -> Result<Self, Error> {
        let sender = Sender::parse(from)?;
        if !encrypted(url)? {
            return Err(Error::Clear);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| Error::Url)?;
        Ok(Self { transport: transport.timeout(Some(PATIENCE)).build(), sender })
    }

    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let message = composed(&self.sender, letter)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            // the words of the server may repeat the address
            Err(error) => Err(Failure {
                words: error
                    .status()
                    .map_or_else(|| kind(&error).to_owned(), |code| format!("the server answered {code}")),
                may_pass: !error.is_permanent() && !error.is_client(),
            }),
        }
    }
}

fn kind(error: &lettre::transport::smtp::Error) -> &'static str {
    if error.is_timeout() {
        "the server did not answer in time"
    } else if error.is_tls() {
        "no encrypted connection came about"
    } else if error.is_response() {
        "the server answered something else than SMTP"
    } else {
        "the server could not be reached"
    }
}

/// Whether nobody on the way reads along.
fn encrypted(url: &str) -> Result<bool, Error> {
    let (scheme, rest) = url.split_once("://").ok_or(Error::Url)?;
    match scheme {
        "smtps" => Ok(true),
        "smtp" => {
            let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
            let host = place.split('/').next().unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| {
                host.strip_prefix(own).is_some_and(|port| port.is_empty() || port.starts_with(':'))
            });
            Ok(local || query.split('&').any(|pair| pair == "tls=required"))
        }
        _ => Err(Error::Url),
    }
}

/// The message of a letter.
pub(crate) fn composed(sender: &Sender, letter: &Letter) -> Result<Message, Failure> {
    let unfit = || Failure { words: "a letter is not well formed".to_owned(), may_pass: false };
    let to: Address = letter.to.parse().map_err(|_| unfit())?;
    let subject: String = letter.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Message::builder()
        .from(sender.0.clone())
        .to(Named::new(None, to))
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .map_err(|_| unfit())
}

#[cfg(test)]
mod tests;
