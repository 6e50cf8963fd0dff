//! [`Live`]: what stands in a database, in the words of that database. `migrate`
//! compares it with the catalog; nothing else reads it.

use backstay_schema::scalar::ScalarType;

/// A whole database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// Its tables by name, without the engine's own.
    pub tables: Vec<LiveTable>,
    /// Its views by name: their columns, and nothing else.
    pub views: Vec<LiveTable>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveTable {
    /// Name.
    pub name: String,
    /// What its owner says of it, where the database keeps such words.
    pub comment: Option<String>,
    /// Columns in order.
    pub columns: Vec<LiveColumn>,
    /// Primary key.
    pub key: Option<LiveKey>,
    /// Unique constraints besides the primary key.
    pub uniques: Vec<LiveKey>,
    /// Plain and unique indexes that were made by `CREATE INDEX`.
    pub indexes: Vec<LiveIndex>,
    /// Indexes of words.
    pub full_texts: Vec<LiveFullText>,
    /// Foreign keys.
    pub references: Vec<LiveReference>,
    /// CHECK constraints.
    pub checks: Vec<LiveCheck>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveColumn {
    /// Name.
    pub name: String,
    /// Type as the database says it.
    pub ty: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// What its values are, where the files say it and two databases are compared by that: some databases keep
    /// several types in one.
    pub kind: Option<ScalarType>,
    /// Default as SQL text.
    pub default: Option<String>,
    /// The database computes it.
    pub generated: bool,
    /// What stands for its expression, where two databases are compared that say it alike.
    pub expression: Option<String>,
    /// The database counts it where a row gives no value: identity, serial, `AUTO_INCREMENT`.
    pub counted: bool,
    /// Members of the database's own enum type, in order; empty for every other type.
    pub members: Vec<String>,
    /// What its owner says of it.
    pub comment: Option<String>,
}

/// A primary key or unique constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveKey {
    /// Constraint name, where one was given.
    pub name: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// An index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveIndex {
    /// Name.
    pub name: String,
    /// Its columns, in order; an expression stands as none.
    pub columns: Vec<Option<String>>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether it covers only a part of the rows.
    pub partial: bool,
}

/// An index of the words of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveFullText {
    /// Name.
    pub name: String,
    /// Its columns, in the order of their names.
    pub columns: Vec<String>,
    /// What it holds is said by this version.
    pub version: String,
    /// Whether nothing of what keeps it is missing.
    pub whole: bool,
}

/// A foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveReference {
    /// Constraint name, where one was given.
    pub name: Option<String>,
    /// Columns here.
    pub columns: Vec<String>,
    /// The table it refers to.
    pub target: String,
    /// Columns there; empty means its primary key.
    pub target_columns: Vec<String>,
    /// `CASCADE`, `SET NULL`, `RESTRICT`, `NO ACTION` …
    pub on_delete: String,
}

/// A CHECK constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveCheck {
    /// Constraint name, where one was given.
    pub name: Option<String>,
    /// The condition as SQL text, without its brackets.
    pub text: String,
}
