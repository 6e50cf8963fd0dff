//! The desired shape of a database: what the definitions of the catalog look like
//! once a scratch database has run them, so that both sides speak the same words;
//! and when two shapes are the same.

use crate::import::condition::read;
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::live::{Live, LiveCheck, LiveColumn, LiveIndex, LiveReference, LiveTable};
use backstay_engine::migration::ENGINE_TABLES;
use backstay_schema::catalog::{Catalog, Column, Origin, Table, Valid};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl;
use backstay_sql::dialect::Dialect;

/// Whose tables are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The project's: its migration files speak of these.
    Project,
    /// Backstay's own: migrated by the binary itself.
    System,
}

impl Scope {
    /// Whether a table of the catalog belongs here.
    #[must_use]
    pub fn holds(self, table: &Table) -> bool {
        let is_engines = ENGINE_TABLES.contains(&table.name.as_str());
        !is_engines && !table.is_view && (table.origin == Origin::System) == (self == Self::System)
    }

    /// Whether a table of a database belongs here.
    #[must_use]
    pub fn holds_name(self, name: &str) -> bool {
        name.starts_with("_backstay_") == (self == Self::System)
    }
}

/// What the tables of `scope` should look like.
pub(crate) async fn desired(
    engine: &dyn Engine,
    dialect: &'static Dialect,
    catalog: &Catalog,
    scope: Scope,
) -> Result<Live, Fault> {
    let tables: Vec<&Table> = catalog.tables.iter().filter(|table| scope.holds(table)).collect();
    engine.rehearse(&ddl::create_tables(catalog, dialect, &tables)).await
}

/// Whether two columns are stored alike; defaults are the server's business, not the database's.
pub(crate) fn same_column(
    dialect: &'static Dialect,
    (live, wanted): (&LiveColumn, &LiveColumn),
    (catalog, table): (&Catalog, &Table),
) -> bool {
    let Some(column) = table.columns.iter().find(|column| column.name == wanted.name) else { return false };
    live.name == wanted.name
        && live.nullable == wanted.nullable
        && same_source(live, wanted)
        && live.counted == wanted.counted
        && same_type(dialect, (&live.ty, &wanted.ty), (catalog, table, column))
}

/// Whether the values of two columns come from the same: from writers, or from one expression.
pub(crate) fn same_source(live: &LiveColumn, wanted: &LiveColumn) -> bool {
    let said = live.expression.as_ref().zip(wanted.expression.as_ref());
    live.generated == wanted.generated && said.is_none_or(|(a, b)| a == b)
}

/// What a live column holds; a native enum is text that the database holds to its members.
pub(crate) fn scalar_of(dialect: &'static Dialect, column: &LiveColumn) -> Option<ScalarType> {
    if column.members.is_empty() { (dialect.definition.scalar)(&column.ty) } else { Some(ScalarType::String) }
}

/// Whether a live type holds what the column needs, though its words may differ.
pub(crate) fn same_type(
    dialect: &'static Dialect,
    (live, wanted): (&str, &str),
    (catalog, table, column): (&Catalog, &Table, &Column),
) -> bool {
    if live == wanted {
        return true;
    }
    let scalar = dialect.definition.scalar;
    let (Some(a), Some(b)) = (scalar(live), scalar(wanted)) else { return false };
    match (a, b) {
        // a decimal that is no scaled integer, a boolean that is a word
        _ if a != b => false,
        (ScalarType::String | ScalarType::Bytes, _) => {
            holds_text(dialect, (live, wanted), (catalog, table, column))
        }
        _ => true,
    }
}

/// Whether a bounded text is long enough, and an unbounded one stands in no index that minds.
fn holds_text(
    dialect: &'static Dialect,
    (live, wanted): (&str, &str),
    (catalog, table, column): (&Catalog, &Table, &Column),
) -> bool {
    let most = column.valid.iter().find_map(|valid| match valid {
        Valid::MaxLength(most) => Some(*most),
        _ => None,
    });
    let member = match column.ty {
        ScalarType::Enum(id) => {
            catalog.enum_type(id).members.iter().map(|member| member.name.len() as u64).max()
        }
        _ => None,
    };
    let needed = match (table.indexed_characters(column), most) {
        _ if member.is_some() => member,
        (Some(indexed), Some(most)) => Some(most.min(u64::from(indexed))),
        (indexed, most) => most.or(indexed.map(u64::from)),
    };
    match (bound(live), bound(wanted)) {
        _ if dialect.definition.scaled_decimals => true,
        (Some(length), _) => !is_padded(live) && needed.is_some_and(|needed| length >= needed),
        (None, Some(_)) => false,
        (None, None) => true,
    }
}

/// The length of a bounded text.
pub(crate) fn bound(words: &str) -> Option<u64> {
    words.split_once('(')?.1.split(')').next()?.trim().parse().ok()
}

/// `character(n)` gives back spaces that nobody stored, `binary(n)` zeros.
fn is_padded(words: &str) -> bool {
    let lower = words.to_ascii_lowercase();
    ["char(", "character(", "binary("].iter().any(|word| lower.starts_with(word))
}

/// Names count where this very plan gives new ones; else a constraint that somebody named otherwise is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// They have to be ours.
    Count,
    /// They may be anybody's.
    Free,
}

impl Names {
    pub(crate) fn same(self, live: Option<&String>, wanted: Option<&String>) -> bool {
        self == Self::Free || live == wanted
    }
}

/// Whether two tables have the same keys, references and checks, in any order.
pub(crate) fn same_constraints(live: &LiveTable, wanted: &LiveTable, names: Names) -> bool {
    let key = match (&live.key, &wanted.key) {
        (Some(a), Some(b)) => a.columns == b.columns && names.same(a.name.as_ref(), b.name.as_ref()),
        (a, b) => a.is_none() && b.is_none(),
    };
    key && missing_uniques(live, wanted, names).is_empty()
        && unwanted_uniques(live, wanted, names).is_empty()
        && same_set(&live.references, &wanted.references, |a, b| same_reference(a, b, names))
        && unwanted_checks(live, wanted, names).is_empty()
        && wanted.checks.iter().all(|check| live.checks.iter().any(|other| same_check(other, check, names)))
}

fn same_set<T>(live: &[T], wanted: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    live.len() == wanted.len() && live.iter().all(|a| wanted.iter().any(|b| same(a, b)))
}

/// Positions in `wanted.uniques` that nothing live provides: neither a constraint nor a unique index.
pub(crate) fn missing_uniques(live: &LiveTable, wanted: &LiveTable, names: Names) -> Vec<usize> {
    let provided = |unique: &backstay_engine::live::LiveKey| {
        live.uniques.iter().any(|other| {
            other.columns == unique.columns && names.same(other.name.as_ref(), unique.name.as_ref())
        }) || live.indexes.iter().any(|index| provides(index, &unique.columns))
    };
    let uniques = wanted.uniques.iter().enumerate();
    uniques.filter(|(_, unique)| !provided(unique)).map(|(index, _)| index).collect()
}

/// Positions in `live.uniques` that nobody wants.
pub(crate) fn unwanted_uniques(live: &LiveTable, wanted: &LiveTable, names: Names) -> Vec<usize> {
    let is_wanted = |unique: &backstay_engine::live::LiveKey| {
        wanted.uniques.iter().any(|other| {
            other.columns == unique.columns && names.same(unique.name.as_ref(), other.name.as_ref())
        })
    };
    let uniques = live.uniques.iter().enumerate();
    uniques.filter(|(_, unique)| !is_wanted(unique)).map(|(index, _)| index).collect()
}

/// Whether a unique index does what a unique constraint would.
pub(crate) fn provides(index: &LiveIndex, columns: &[String]) -> bool {
    index.unique
        && !index.partial
        && index.columns.iter().flatten().eq(columns)
        && index.columns.len() == columns.len()
}

/// Whether two references are the same; columns there that are not named are the key.
pub(crate) fn same_reference(live: &LiveReference, wanted: &LiveReference, names: Names) -> bool {
    let action = |reference: &LiveReference| match reference.on_delete.as_str() {
        "NO ACTION" | "" => "RESTRICT".to_owned(),
        other => other.to_owned(),
    };
    names.same(live.name.as_ref(), wanted.name.as_ref())
        && live.columns == wanted.columns
        && live.target == wanted.target
        && (live.target_columns == wanted.target_columns || live.target_columns.is_empty())
        && action(live) == action(wanted)
}

/// A check by its name and text, or by what it says where names may be anybody's. The scale of a decimal
/// is in the name alone, so that such a name always counts.
pub(crate) fn same_check(live: &LiveCheck, wanted: &LiveCheck, names: Names) -> bool {
    if live == wanted {
        return true;
    }
    let digits = |check: &LiveCheck| check.name.as_deref().is_some_and(|name| name.contains("_decimal_"));
    names == Names::Free
        && !digits(live)
        && !digits(wanted)
        && read(&live.text).is_some_and(|said| read(&wanted.text) == Some(said))
}

/// Whether a check that stands is none of the schema's business: somebody named it, and it says what the
/// language does not.
fn is_foreign_check(check: &LiveCheck, table: &str) -> bool {
    let named =
        |name: &String| name.starts_with(table) && (name.ends_with("_check") || name.contains("_decimal_"));
    !check.name.as_ref().is_some_and(named) && read(&check.text).is_none()
}

/// Positions in `live.checks` of those that nobody wants.
pub(crate) fn unwanted_checks(live: &LiveTable, wanted: &LiveTable, names: Names) -> Vec<usize> {
    let checks = live.checks.iter().enumerate();
    let is_wanted = |check: &LiveCheck| {
        is_foreign_check(check, &live.name)
            || wanted.checks.iter().any(|other| same_check(check, other, names))
    };
    checks.filter(|(_, check)| !is_wanted(check)).map(|(index, _)| index).collect()
}

/// Whether an index is none of the schema's business: it covers a part of the rows, or an expression.
pub(crate) fn is_foreign(index: &LiveIndex) -> bool {
    index.partial || index.columns.iter().any(Option::is_none)
}

/// Whether a comment is what the schema says. Where the schema says nothing, somebody else's words stay.
pub(crate) fn same_comment(live: Option<&String>, wanted: Option<&String>) -> bool {
    wanted.is_none_or(|wanted| live.map_or("", String::as_str) == wanted)
}

/// Whether two indexes are the same.
pub(crate) fn same_index(live: &LiveIndex, wanted: &LiveIndex, names: Names) -> bool {
    live.columns == wanted.columns
        && live.unique == wanted.unique
        && live.partial == wanted.partial
        && (names == Names::Free || live.name == wanted.name)
}
