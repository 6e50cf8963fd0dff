//! Migration files: `migrations/0001_init.sql`, plain SQL that a person may edit
//! until it is applied; afterwards its checksum is in the journal.

pub mod contract;

use self::contract::Contract;
use crate::change::Plan;
use crate::draft::Draft;
use crate::statements;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What a line begins with that says what is lost: a table that is made anew may lose a
/// column, which its statements do not show.
const LOSES: &str = "-- loses ";

/// What a line begins with that names a file for which this one stands, and its checksum.
const SQUASHES: &str = "-- squashes ";

/// One migration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationFile {
    /// Its number.
    pub number: i64,
    /// File name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// SHA-256 of the text, in hexadecimal.
    pub checksum: String,
}

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading or writing failed.
    #[error("cannot use {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A name without a number.
    #[error("{name}: a migration is named like 0001_init.sql")]
    Name {
        /// Its name.
        name: String,
    },
    /// Two files of one number.
    #[error("{first} and {second} have the same number; give the next one to that which is not applied yet")]
    Twice {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
}

impl MigrationFile {
    pub(crate) fn new(number: i64, name: String, text: String) -> Self {
        let mut checksum = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            let _ = write!(checksum, "{byte:02x}");
        }
        Self { number, name, text, checksum }
    }

    /// Its statements for one engine.
    #[must_use]
    pub fn statements(&self, engine: &str) -> Vec<String> {
        statements::split(&self.text, engine)
    }

    /// Numbers and checksums of the files that it stands for.
    #[must_use]
    pub fn squashes(&self) -> Vec<(i64, String)> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix(SQUASHES));
        let named = lines.filter_map(|line| {
            let (name, checksum) = line.trim().split_once(' ')?;
            Some((number(name)?, checksum.to_owned()))
        });
        named.collect()
    }

    /// What it takes away that the version before needs; nothing where it may be applied at any time.
    #[must_use]
    pub fn contracts(&self) -> Vec<Contract> {
        self.text.lines().filter_map(Contract::read).collect()
    }

    /// What it may lose: its own remarks (`-- loses …`), and statements that drop or delete.
    #[must_use]
    pub fn losses(&self, engine: &str) -> Vec<String> {
        let lines = statements::lines(&self.text, engine);
        let remarks = lines.filter_map(|line| line.trim_end().strip_prefix(LOSES));
        let mut found: Vec<String> = remarks.map(|what| ["loses ", what.trim()].concat()).collect();
        let moved: Vec<String> = self
            .contracts()
            .iter()
            .flat_map(|contract| {
                contract.moved().map(|column| format!("{} {column}", contract.table)).collect::<Vec<_>>()
            })
            .collect();
        let dropped = statements::losses(&self.statements(engine)).into_iter();
        found.extend(dropped.filter(|text| !is_moved(text, &moved)));
        found
    }
}

/// The files of a folder in order of their numbers; a missing folder has none. What a squashed file stands for is
/// passed over where it is still there: who squashed died before it was removed.
///
/// # Errors
/// See [`FileError`].
pub fn read(folder: &Path) -> Result<Vec<MigrationFile>, FileError> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| FileError::Io { path, source }
    };
    if !folder.try_exists().map_err(io(folder))? {
        return Ok(Vec::new());
    }
    let mut files: Vec<MigrationFile> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io(folder))? {
        let path = entry.map_err(io(folder))?.path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(number) = number(&name) else { return Err(FileError::Name { name }) };
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        files.push(MigrationFile::new(number, name, text));
    }
    let told: Vec<(i64, String)> = files.iter().flat_map(MigrationFile::squashes).collect();
    files.retain(|file| !told.iter().any(|(number, sum)| *number == file.number && *sum == file.checksum));
    files.sort_by_key(|file| file.number);
    for pair in files.windows(2) {
        if let [a, b] = pair
            && a.number == b.number
        {
            return Err(FileError::Twice { first: a.name.clone(), second: b.name.clone() });
        }
    }
    Ok(files)
}

/// Writes a draft as the next file of the folder: one text where all engines need the same,
/// else a section for those that agree.
///
/// # Errors
/// See [`FileError`].
pub fn write(folder: &Path, title: &str, draft: &Draft) -> Result<MigrationFile, FileError> {
    let number = read(folder)?.last().map_or(1, |last| last.number + 1);
    let name = format!("{number:04}_{}.sql", slug(title));
    let text = text(draft);
    std::fs::create_dir_all(folder).map_err(|source| FileError::Io { path: folder.to_path_buf(), source })?;
    place(folder, &name, &text)?;
    Ok(MigrationFile::new(number, name, text))
}

/// Puts a file into the folder, whole or not at all: the beginning of a migration is another migration.
fn place(folder: &Path, name: &str, text: &str) -> Result<(), FileError> {
    let path = folder.join(name);
    let beside = folder.join(format!(".{name}.new"));
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&beside, &path)).map_err(|source| {
        // what is left of it bears no name that a migration has
        let _ = std::fs::remove_file(&beside);
        FileError::Io { path, source }
    })
}

/// Puts a draft of everything in the place of files: it bears the number of the last one, names them all, and
/// they are removed.
///
/// # Errors
/// See [`FileError`].
pub fn squash(folder: &Path, files: &[MigrationFile], draft: &Draft) -> Result<MigrationFile, FileError> {
    let last = files.last().map_or(1, |last| last.number);
    let name = format!("{last:04}_init.sql");
    let mut whole = String::new();
    for file in files {
        let _ = writeln!(whole, "{SQUASHES}{} {}", file.name, file.checksum);
    }
    whole.push('\n');
    whole.push_str(&text(draft));
    // the new one is there before an old one goes
    place(folder, &name, &whole)?;
    for file in files.iter().filter(|file| file.name != name) {
        let path = folder.join(&file.name);
        std::fs::remove_file(&path).map_err(|source| FileError::Io { path, source })?;
    }
    Ok(MigrationFile::new(last, name, whole))
}

/// Whether a statement drops a column whose values live on: its table and its name are known.
fn is_moved(statement: &str, moved: &[String]) -> bool {
    let words: Vec<&str> = statement.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
    match words.as_slice() {
        ["ALTER", "TABLE", table, "DROP", "COLUMN", column] => moved.contains(&format!("{table} {column}")),
        _ => false,
    }
}

/// The number that a name begins with.
fn number(name: &str) -> Option<i64> {
    name.split('_').next()?.parse().ok()
}

fn text(draft: &Draft) -> String {
    let mut sections: Vec<(Vec<&str>, String)> = Vec::new();
    for (engine, plan) in &draft.plans {
        let text = section(plan);
        match sections.iter_mut().find(|(_, other)| *other == text) {
            Some((engines, _)) => engines.push(engine),
            None => sections.push((vec![engine], text)),
        }
    }
    let mut text = String::new();
    for remark in &draft.types {
        let _ = writeln!(text, "{remark}");
    }
    let shared = sections.len() == 1;
    for (engines, section) in sections.iter().filter(|(_, section)| !section.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        if !shared {
            let _ = writeln!(text, "-- @{}", engines.join(","));
        }
        text.push_str(section);
    }
    text
}

fn section(plan: &Plan) -> String {
    let mut text = String::new();
    for (index, change) in plan.changes.iter().enumerate() {
        let _ = writeln!(text, "{}-- {}", if index > 0 { "\n" } else { "" }, change.summary);
        if let Some(loses) = &change.loses {
            let _ = writeln!(text, "{LOSES}{loses}");
        }
        for statement in &change.statements {
            let _ = writeln!(text, "{statement};");
        }
    }
    text
}

fn slug(title: &str) -> String {
    let plain: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let parts: Vec<&str> = plain.split('_').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "change".to_owned() } else { parts.join("_") }
}

#[cfg(test)]
mod tests {
    use super::{FileError, place, read, squash, write};
    use crate::draft::Draft;

    #[test]
    fn who_died_while_squashing_left_nothing_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["0001_a.sql", "0002_init.sql", "0003_c.sql"] {
            place(folder.path(), name, &format!("-- {name}\n")).unwrap();
        }
        let files = read(folder.path()).unwrap();
        let whole = squash(folder.path(), &files, &Draft::default()).unwrap();
        assert_eq!(read(folder.path()).unwrap(), std::slice::from_ref(&whole));
        for old in &files {
            place(folder.path(), &old.name, &old.text).unwrap();
        }
        assert_eq!(read(folder.path()).unwrap(), [whole]);
        // another file of that number is not what was squashed
        place(folder.path(), "0003_c.sql", "-- mended\n").unwrap();
        assert!(matches!(read(folder.path()), Err(FileError::Twice { .. })));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".0001_x.sql.new")).unwrap();
        assert!(write(folder.path(), "x", &Draft::default()).is_err());
        assert_eq!(read(folder.path()).unwrap(), []);
        let nowhere = folder.path().join("file");
        std::fs::write(&nowhere, "").unwrap();
        assert!(matches!(read(&nowhere), Err(FileError::Io { .. })));
        assert_eq!(read(&folder.path().join("missing")).unwrap(), []);
    }
}
