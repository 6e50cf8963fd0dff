//! [`Act`]: what a statement does to tables, in the few words that lints need. How one is read out of a statement
//! stands in `act/read.rs`. It knows no rule.

use super::moved::Moved;
use sqlparser::ast::{DataType, Ident, ObjectName};

pub(crate) mod define;
mod parse;
pub(crate) mod read;

/// One thing that a statement does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    CreateTable {
        table: String,
        columns: Vec<NewColumn>,
        constraints: Vec<Constraint>,
    },
    DropTable {
        table: String,
    },
    Empty {
        table: String,
    },
    DropSchema {
        schema: String,
    },
    RenameTable {
        from: String,
        to: String,
    },
    AddColumn {
        table: String,
        column: NewColumn,
    },
    DropColumn {
        table: String,
        column: String,
    },
    RenameColumn {
        table: String,
        from: String,
        to: String,
    },
    ChangeType {
        table: String,
        column: NewColumn,
        whole: bool,
    },
    SetNotNull {
        table: String,
        column: String,
    },
    AddConstraint {
        table: String,
        constraint: Constraint,
    },
    DropConstraint {
        table: String,
        name: String,
    },
    DropKey {
        table: String,
    },
    Validate {
        table: String,
        name: String,
    },
    CreateIndex {
        table: String,
        index: NewIndex,
    },
    RenameIndex {
        from: String,
        to: String,
    },
    DropIndex {
        name: String,
        concurrently: bool,
        if_exists: bool,
    },
    ChangeRows {
        table: String,
        all: bool,
    },
    MoveRows {
        table: String,
        moved: Vec<Moved>,
    },
    CreateEnum {
        name: String,
    },
    AddMember {
        name: String,
    },
    RenameMember {
        name: String,
    },
    Reindex,
    /// The texts of a table are compared in another way.
    Recollate {
        table: String,
    },
    Detach {
        table: String,
        concurrently: bool,
    },
    /// A policy goes or becomes another one, or the wall of policies is taken down.
    OpenWall {
        table: String,
    },
    /// A word of SQL is a name, and nobody quotes it.
    BareWord {
        word: String,
    },
    /// What stands before it is done, and its locks are gone.
    Commit,
    Unread {
        why: String,
    },
}

impl Act {
    /// The table that it is about.
    pub(crate) const fn table(&self) -> Option<&String> {
        match self {
            Self::CreateTable { table, .. }
            | Self::DropTable { table }
            | Self::Empty { table }
            | Self::RenameTable { from: table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::ChangeType { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::DropKey { table }
            | Self::Validate { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::Recollate { table }
            | Self::Detach { table, .. }
            | Self::OpenWall { table }
            | Self::MoveRows { table, .. }
            | Self::ChangeRows { table, .. } => Some(table),
            Self::DropSchema { .. }
            | Self::RenameIndex { .. }
            | Self::DropIndex { .. }
            | Self::CreateEnum { .. }
            | Self::AddMember { .. }
            | Self::RenameMember { .. }
            | Self::Reindex
            | Self::BareWord { .. }
            | Self::Commit
            | Self::Unread { .. } => None,
        }
    }
}

/// A column as a statement defines it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewColumn {
    pub(crate) name: String,
    pub(crate) ty: DataType,
    /// How its texts are compared, where the statement says it.
    pub(crate) collation: Option<String>,
    pub(crate) not_null: bool,
    /// A default that each row computes for itself, or a value that the table stores.
    pub(crate) computed: Option<String>,
    pub(crate) has_default: bool,
    /// The text of a default that is a plain value.
    pub(crate) plain_default: Option<String>,
    pub(crate) key: bool,
    pub(crate) unique: bool,
    pub(crate) references: bool,
}

/// What a constraint holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Unique,
    Reference,
    Check,
    Index,
}

/// A constraint as a statement defines it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Constraint {
    pub(crate) kind: Kind,
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<Option<String>>,
    pub(crate) not_valid: bool,
    pub(crate) using_index: bool,
    /// The column that it holds to be there: `CHECK (a IS NOT NULL)`.
    pub(crate) never_null: Option<String>,
}

/// An index as a statement defines it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewIndex {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<Option<String>>,
    pub(crate) unique: bool,
    pub(crate) concurrently: bool,
    /// It holds every row, in the order of its columns.
    pub(crate) whole: bool,
}

/// A name without its schema, as the databases compare names that nobody quotes.
pub(crate) fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(plain).unwrap_or_default()
}

pub(crate) fn plain(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_ascii_lowercase() }
}
