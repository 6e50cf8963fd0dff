//! [`Mail`]: a bounded queue and the one task that carries letters away. Whoever sends
//! does not wait; a letter that cannot be carried is logged without its addresses.

use crate::mailbox::Mailbox;
use crate::smtp::Smtp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// How long is waited before a letter is tried again, in milliseconds.
const WAITS_MS: [u64; 2] = [1_000, 5_000];

/// A letter to one address.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[letter]")
    }
}

/// Where letters are handed in, cheap to clone.
#[derive(Clone, Debug)]
pub struct Mail {
    queue: mpsc::Sender<Letter>,
}

/// What carries letters away.
pub enum Carrier {
    /// To a server.
    Smtp(Box<Smtp>),
    /// Into the mailbox of `dev`.
    Mailbox(Arc<Mailbox>),
}

/// The task that carries.
pub struct Carrying {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Mail {
    /// A queue of so many letters, with its end.
    #[must_use]
    pub fn queue(capacity: usize) -> (Self, mpsc::Receiver<Letter>) {
        let (queue, letters) = mpsc::channel(capacity.max(1));
        (Self { queue }, letters)
    }

    /// A queue of so many letters, carried away by a task of its own.
    #[must_use]
    pub fn start(capacity: usize, carrier: Carrier) -> (Self, Carrying) {
        let (mail, letters) = Self::queue(capacity);
        let (stop, stopped) = oneshot::channel();
        (mail, Carrying { stop, task: tokio::spawn(carry(letters, stopped, carrier)) })
    }

    /// Hands a letter in. One that finds the queue full is lost, and logged.
    pub fn send(&self, letter: Letter) {
        if self.queue.try_send(letter).is_err() {
            tracing::error!("a letter was not sent: the queue mail_queue is full");
        }
    }
}

impl Carrying {
    /// Takes no more letters and waits until those that are there are carried, at most so long.
    pub async fn finish(self, wait: Duration) {
        let _ = self.stop.send(());
        if tokio::time::timeout(wait, self.task).await.is_err() {
            tracing::error!("letters that waited were not sent before the end");
        }
    }
}

async fn carry(mut letters: mpsc::Receiver<Letter>, mut stopped: oneshot::Receiver<()>, carrier: Carrier) {
    let mut stopping = false;
    loop {
        let letter = tokio::select! {
            biased;
            _ = &mut stopped, if !stopping => {
                stopping = true;
                letters.close();
                continue;
            }
            letter = letters.recv() => letter,
        };
        let Some(letter) = letter else { return };
        match &carrier {
            Carrier::Smtp(smtp) => by_smtp(smtp, &letter).await,
            Carrier::Mailbox(mailbox) => {
                if let Err(error) = mailbox.keep(letter) {
                    tracing::error!(error = %error.kind(), "a letter could not be written to the mailbox");
                }
            }
        }
    }
}

async fn by_smtp(smtp: &Smtp, letter: &Letter) {
    let mut waits = WAITS_MS.into_iter();
    loop {
        let Err(failure) = smtp.send(letter).await else { return };
        match waits.next().filter(|_| failure.may_pass) {
            Some(wait) => tokio::time::sleep(Duration::from_millis(wait)).await,
            None => {
                tracing::error!(mail.failure = %failure.words, "a letter could not be sent");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Carrier, Letter, Mail};
    use crate::mailbox::Mailbox;
    use std::sync::Arc;
    use std::time::Duration;

    fn letter(number: usize) -> Letter {
        Letter {
            to: "ann@x.test".to_owned(),
            subject: format!("letter {number}"),
            text: "hello\n".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_was_handed_in_is_carried_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Arc::new(Mailbox::open(folder.path(), 10, ids()).unwrap());
        let (mail, carrying) = Mail::start(4, Carrier::Mailbox(Arc::clone(&mailbox)));
        (0..4).for_each(|number| mail.send(letter(number)));
        carrying.finish(Duration::from_secs(30)).await;
        let subjects: Vec<String> = mailbox.letters().into_iter().map(|kept| kept.subject).collect();
        assert_eq!(subjects, ["letter 3", "letter 2", "letter 1", "letter 0"]);
        // after the end nothing is taken, and nobody waits or panics
        mail.send(letter(5));
        assert_eq!(mailbox.letters().len(), 4);
    }

    #[tokio::test]
    async fn a_full_queue_loses_the_new_and_keeps_the_old() {
        let (mail, mut letters) = Mail::queue(2);
        (0..5).for_each(|number| mail.send(letter(number)));
        assert_eq!(letters.recv().await, Some(letter(0)));
        assert_eq!(letters.recv().await, Some(letter(1)));
        assert!(letters.try_recv().is_err());
    }

    #[test]
    fn letters_do_not_print_themselves() {
        assert_eq!(format!("{:?}", letter(1)), "[letter]");
    }

    fn ids() -> backstay_base::ids::Ids {
        backstay_base::ids::Ids::seeded(backstay_base::clock::Clock::fixed(0), 1)
    }
}
