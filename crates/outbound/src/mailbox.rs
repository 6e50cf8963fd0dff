//! [`Mailbox`]: where the mail of `dev` ends: `.eml` files in a folder, and the letters of this run in memory.

use crate::mail::Letter;
use crate::smtp::{Sender, composed};
use backstay_base::ids::Ids;
use serde::Serialize;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Who the letters of a mailbox are from.
const FROM: &str = "Backstay <dev@localhost.localdomain>";

/// A folder of letters.
pub struct Mailbox {
    folder: PathBuf,
    most: usize,
    ids: Ids,
    kept: Mutex<VecDeque<Kept>>,
}

/// A letter that arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Name of its file, without `.eml`; later ones sort after.
    pub id: String,
    /// The address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

impl Mailbox {
    /// Opens a folder, which keeps the newest `most` letters.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(folder: &Path, most: usize, ids: Ids) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mailbox = Self { folder: folder.to_owned(), most: most.max(1), ids, kept: Mutex::default() };
        mailbox.prune()?;
        Ok(mailbox)
    }

    /// Keeps a letter.
    ///
    /// # Errors
    /// When it is no letter, or cannot be written.
    pub fn keep(&self, letter: Letter) -> io::Result<()> {
        let sender = Sender::parse(FROM).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let message = composed(&sender, &letter).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let id = self.ids.row().to_string();
        std::fs::write(self.folder.join(format!("{id}.eml")), message.formatted())?;
        let Letter { to, subject, text } = letter;
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_front(Kept { id, to, subject, text });
            kept.truncate(self.most);
        }
        self.prune()
    }

    /// The letters of this run, the newest first.
    #[must_use]
    pub fn letters(&self) -> Vec<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Removes the oldest files past the limit.
    fn prune(&self) -> io::Result<()> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        files.sort();
        let past = files.len().saturating_sub(self.most);
        files.iter().take(past).try_for_each(std::fs::remove_file)
    }
}

#[cfg(test)]
mod tests {
    use super::Mailbox;
    use crate::mail::Letter;
    use backstay_base::clock::Clock;
    use backstay_base::ids::Ids;

    fn letter(to: &str, subject: &str) -> Letter {
        Letter { to: to.to_owned(), subject: subject.to_owned(), text: "The code is 123456.\n".to_owned() }
    }

    #[test]
    fn letters_are_files_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let ids = Ids::seeded(Clock::fixed(0), 1);
        let mailbox = Mailbox::open(folder.path(), 2, ids.clone()).unwrap();
        for number in 1..=3 {
            mailbox.keep(letter("ann@x.test", &format!("Nr. {number}"))).unwrap();
        }
        let kept = mailbox.letters();
        let subjects: Vec<&str> = kept.iter().map(|one| one.subject.as_str()).collect();
        assert_eq!(subjects, ["Nr. 3", "Nr. 2"]);
        for one in &kept {
            let file = std::fs::read_to_string(folder.path().join(format!("{}.eml", one.id))).unwrap();
            assert!(file.contains("To: ann@x.test\r\n"), "{file}");
            assert!(file.ends_with("The code is 123456.\r\n"), "{file}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        // what another run left counts, what is no letter stays
        std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
        Mailbox::open(folder.path(), 1, ids).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_address_is_no_letter() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::open(folder.path(), 9, Ids::seeded(Clock::fixed(0), 1)).unwrap();
        for to in ["", "ann", "a@b.cd\r\nBcc: eve@x.test", "a@b.cd, eve@x.test", "a@b.cd>"] {
            assert!(mailbox.keep(letter(to, "x")).is_err(), "{to:?}");
        }
        assert!(mailbox.letters().is_empty());
    }
}
