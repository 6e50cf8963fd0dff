//! [`Answer`]: what `render` must know of the request to write its response.

use crate::media::Media;
use crate::prefer::Representation;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{Field, Item, Query, Select};
use backstay_schema::catalog::Catalog;

/// How a request wants to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(crate) action: Action,
    pub(crate) media: Media,
    /// HEAD: headers without a body.
    pub(crate) head: bool,
    /// Rows skipped: by the engine for a read, by `render` for a write.
    pub(crate) offset: u64,
    /// Most rows of a written representation.
    pub(crate) limit: Option<u64>,
    pub(crate) counted: bool,
    pub(crate) applied: Option<String>,
    /// Whether the request named its schema; then the answer does too.
    pub(crate) profiled: bool,
    pub(crate) table: String,
    /// Names of the key columns, for `Location`.
    pub(crate) key: Vec<String>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Read,
    Insert { merge: bool, representation: Representation },
    Put { filtered: Vec<String>, representation: Representation },
    Update { representation: Representation },
    Delete { representation: Representation },
}

impl Answer {
    /// The table that was asked.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Takes from the catalog what the response needs, and asks the query for it; to be called before that is resolved.
    ///
    /// # Errors
    /// PGRST105 when a PUT does not filter by exactly the primary key.
    pub fn bind(&mut self, catalog: &Catalog, query: &mut Query) -> Result<(), Fault> {
        let named = match &self.action {
            Action::Insert { representation, .. } => *representation == Representation::HeadersOnly,
            Action::Put { .. } => true,
            Action::Read | Action::Update { .. } | Action::Delete { .. } => false,
        };
        let Some(table) = named.then(|| catalog.public_table(&self.table)).flatten() else { return Ok(()) };
        self.key = table.key.iter().map(|id| table.column(*id).name.clone()).collect();
        // the place of a row is told to those alone who may read the key there
        if let (Some(Representation::HeadersOnly), Query::Insert(insert)) = (self.representation(), query) {
            let field = |name: &String| Field { name: name.clone(), path: Vec::new() };
            let item = |name| Item::Field { field: field(name), alias: None, cast: None, aggregate: None };
            let items = self.key.iter().map(item).collect();
            insert.returning = Some(Select { table: self.table.clone(), items, ..Select::default() });
        }
        let Action::Put { filtered, .. } = &self.action else { return Ok(()) };
        let whole_key =
            filtered.len() == self.key.len() && self.key.iter().all(|name| filtered.contains(name));
        if whole_key { Ok(()) } else { Err(put_filters()) }
    }
}

impl Answer {
    const fn representation(&self) -> Option<Representation> {
        match &self.action {
            Action::Insert { representation, .. }
            | Action::Put { representation, .. }
            | Action::Update { representation }
            | Action::Delete { representation } => Some(*representation),
            Action::Read => None,
        }
    }
}

/// PGRST105.
pub(crate) fn put_filters() -> Fault {
    Fault::new(code::PUT_FILTERS, "Filters must include all and only primary key columns with 'eq' operators")
}
