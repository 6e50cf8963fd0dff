//! [`Change`]: one step from a database to the catalog, with its SQL.

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// For people: `+ product.weight`.
    pub summary: String,
    /// What it may lose; none for a step that keeps everything.
    pub loses: Option<String>,
    /// Whether it changes nothing but comments.
    pub words: bool,
    /// SQL statements, in order.
    pub statements: Vec<String>,
}

impl Change {
    pub(crate) fn keeping(summary: impl Into<String>, statements: Vec<String>) -> Self {
        Self { summary: summary.into(), loses: None, words: false, statements }
    }

    /// Comments alone.
    pub(crate) fn saying(summary: impl Into<String>, statements: Vec<String>) -> Self {
        Self { words: true, ..Self::keeping(summary, statements) }
    }

    pub(crate) fn losing(
        summary: impl Into<String>,
        loses: impl Into<String>,
        statements: Vec<String>,
    ) -> Self {
        Self { summary: summary.into(), loses: Some(loses.into()), words: false, statements }
    }
}

/// Steps in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The steps without which a database does not serve the schema: all but comments.
    pub fn needed(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| !change.words)
    }

    /// Whether a step may lose data.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        self.changes.iter().any(|change| change.loses.is_some())
    }

    /// All statements, in order.
    #[must_use]
    pub fn statements(&self) -> Vec<String> {
        self.changes.iter().flat_map(|change| change.statements.iter().cloned()).collect()
    }
}
