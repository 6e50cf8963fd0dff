//! [`BackupError`]: why a backup was not made, is not whole, or was not restored.

use std::path::PathBuf;

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target does not do what it is asked: why, in words that hold nothing of the request.
    #[error("{0}")]
    Target(String),
    /// The URL of the target.
    #[error("{0}")]
    Url(String),
    /// An object is not what was written.
    #[error("{object} is damaged: {reason}")]
    Damaged {
        /// Its name at the target.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such backup.
    #[error("{0}")]
    NotFound(String),
    /// A restore never overwrites anything.
    #[error("{0} is there already: a restore goes to a new place")]
    Exists(PathBuf),
    /// The chain of commits has a gap: it is begun anew with a copy.
    #[error("the chain of commits has a gap: {0}")]
    Broken(String),
    /// What was shipped is not at the target any more.
    #[error("{0} was written and is not at the target any more")]
    Lost(String),
    /// SQLite.
    #[error("the database could not be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A tool of a database server.
    #[error("{0}")]
    Tool(String),
    /// Files.
    #[error("a file could not be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// A task that ended by a panic.
    #[error("a task ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl BackupError {
    /// A damaged object.
    #[must_use]
    pub fn damaged(object: &str, reason: impl Into<String>) -> Self {
        Self::Damaged { object: object.to_owned(), reason: reason.into() }
    }
}

/// A result.
pub type Result<T> = std::result::Result<T, BackupError>;

impl From<object_store::Error> for BackupError {
    fn from(error: object_store::Error) -> Self {
        Self::Target(told(&error))
    }
}

/// What a target says. The document of an S3 refusal repeats the request that was signed, session token
/// and all: its code alone is told.
fn told(error: &object_store::Error) -> String {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    let text = error.to_string();
    let (words, document) = text.find('<').map_or((text.as_str(), ""), |start| text.split_at(start));
    let code = document.split_once("<Code>").and_then(|(_, rest)| Some(rest.split_once("</Code>")?.0));
    let code = code.filter(|code| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let said = code.map_or_else(String::new, |code| format!(" ({code})"));
    match error {
        // lists are refused without a kind
        _ if code.is_some_and(|code| OF_CREDENTIALS.contains(&code)) => unknown(&said),
        PermissionDenied { .. } | Unauthenticated { .. } => unknown(&said),
        NotFound { path, .. } => format!("the backup target has no {path}{said}"),
        _ => format!("the backup target refused: {}{said}", words.trim_end_matches([' ', ':', '-'])),
    }
}

/// Codes of S3 that are about who asks.
const OF_CREDENTIALS: &[&str] =
    &["AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"];

fn unknown(said: &str) -> String {
    format!(
        "the backup target lets nobody in with these credentials{said}: look at AWS_ACCESS_KEY_ID, \
         AWS_SECRET_ACCESS_KEY and what they may do there"
    )
}

#[cfg(test)]
mod tests {
    use super::BackupError;
    use object_store::Error;

    #[test]
    fn what_a_target_repeats_of_a_request_is_not_told() {
        let document = "Error performing PUT http://h/b/a in 2ms - Server returned non-2xx status code: 403: \
            <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>PUT /b/a \
            x-amz-security-token:canary</CanonicalRequest></Error>";
        let path = "a".to_owned();
        let of = |error: Error| BackupError::from(error).to_string();
        assert_eq!(
            of(Error::PermissionDenied { path: path.clone(), source: document.into() }),
            "the backup target lets nobody in with these credentials (SignatureDoesNotMatch): look at \
             AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do there"
        );
        assert_eq!(
            of(Error::NotFound { path, source: "<Error><Code><b>canary</b></Code>".into() }),
            "the backup target has no a"
        );
        assert_eq!(
            of(Error::Generic { store: "S3", source: document.into() }),
            of(Error::PermissionDenied { path: "b".to_owned(), source: document.into() })
        );
        assert_eq!(
            of(Error::Generic {
                store: "S3",
                source: document.replace("SignatureDoesNotMatch", "Slow").into()
            }),
            "the backup target refused: Generic S3 error: Error performing PUT http://h/b/a in 2ms - Server \
             returned non-2xx status code: 403 (Slow)"
        );
    }
}
