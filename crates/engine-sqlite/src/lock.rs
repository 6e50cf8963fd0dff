//! [`Lock`]: keeps other processes from a database file. The lock is the operating
//! system's, on a file beside the database; it goes with the process that holds it.

use crate::error::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Held as long as the database is open.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a database.
    ///
    /// # Errors
    /// [`OpenError::InUse`] names the holder.
    pub fn take(database: &Path) -> Result<Self, OpenError> {
        let path = lock_path(&real_path(database));
        let io = |source| OpenError::Io { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let read = file.read_to_string(&mut holder);
                let holder = match read {
                    Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
                    Ok(_) | Err(_) => "another process".to_owned(),
                };
                return Err(OpenError::InUse { path: database.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let words = ["process ", &std::process::id().to_string(), "\n"].concat();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(words.as_bytes()))
            .map_err(io)?;
        Ok(Self { _file: file })
    }
}

/// The path without links, so that two names of one file have one lock.
fn real_path(database: &Path) -> PathBuf {
    if let Ok(real) = database.canonicalize() {
        return real;
    }
    let folder = database.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, database.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        (None, _) | (_, None) => database.to_owned(),
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
