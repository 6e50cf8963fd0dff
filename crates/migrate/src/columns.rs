//! How the columns of a table came to be: which stay, under which name and in which form,
//! which are new and which go. Enters: a table of the catalog and one that stands.

use crate::shape::{same_source, same_type, scalar_of};
use backstay_engine::live::{LiveColumn, LiveTable};
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl::alter::{is_convertible, is_kept};
use backstay_sql::ddl::check::{column_check_name, decimal_check_prefix, scale_of_check};
use backstay_sql::ddl::copy::{Conversion, conversion};
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::conversion::told_apart;
use backstay_sql::dialect::definition::Alter;

/// How the columns of a table came to be.
pub(crate) struct Columns<'a> {
    /// (new name, old name), where they differ.
    pub(crate) renamed: Vec<(String, String)>,
    /// Columns that were not there.
    pub(crate) added: Vec<&'a Column>,
    /// Columns that go, with all values.
    pub(crate) dropped: Vec<String>,
    /// Those of them that the database computes, and computes again.
    pub(crate) recomputed: Vec<String>,
    /// Columns that are none of the schema's business: the language has no word for their type, or the
    /// database computes them.
    pub(crate) foreign: Vec<String>,
    /// New names of columns whose values change their stored form.
    pub(crate) converted: Vec<(String, How)>,
}

/// What happens to the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// They are written anew while the table is.
    Copied(Conversion),
    /// The column, of this type so far, takes another.
    Typed(ScalarType),
}

impl How {
    /// What is lost of a column that becomes `to`.
    pub(crate) fn loses(self, to: ScalarType) -> Option<&'static str> {
        use ScalarType as T;
        const DIGITS: &str = "the last digits of ";
        match self {
            Self::Copied(conversion) => conversion.loses().then_some(DIGITS),
            Self::Typed(T::Decimal { scale: from, .. }) => match to {
                T::Decimal { scale, .. } if scale >= from => None,
                T::Decimal { .. } => Some(DIGITS),
                T::Int | T::BigInt if from > 0 => Some(DIGITS),
                _ => None,
            },
            Self::Typed(T::Float) => matches!(to, T::Decimal { .. }).then_some(DIGITS),
            Self::Typed(T::Timestamp) => match to {
                T::Date => Some("the time of day of "),
                T::Time => Some("the day of "),
                _ => None,
            },
            Self::Typed(_) => None,
        }
    }
}

/// Compares the columns of a table with those that stand in the database; `was` is the
/// table's name when its constraints were named.
pub(crate) fn columns<'a>(
    dialect: &'static Dialect,
    (catalog, table): (&Catalog, &'a Table),
    (found, was): (&LiveTable, &str),
    wanted: &LiveTable,
) -> Columns<'a> {
    let stands = |name: &str| found.columns.iter().find(|column| column.name == name);
    let is_wanted = |name: &str| table.columns.iter().any(|column| column.name == name);
    let mut columns = Columns {
        renamed: Vec::new(),
        added: Vec::new(),
        dropped: Vec::new(),
        recomputed: Vec::new(),
        foreign: Vec::new(),
        converted: Vec::new(),
    };
    for column in &table.columns {
        let old = stands(&column.name).or_else(|| {
            let old = stands(column.was.as_deref()?)?;
            let free = !is_wanted(&old.name) && !columns.renamed.iter().any(|(_, taken)| *taken == old.name);
            free.then_some(old)
        });
        let named = wanted.columns.iter().find(|wanted| wanted.name == column.name);
        let old = old.filter(|old| named.is_none_or(|named| same_source(old, named)));
        let how = old
            .and_then(|old| Some((old, how(dialect, (found, was), old, (catalog, table, column, wanted))?)));
        let Some((old, how)) = how else {
            columns.added.push(column);
            continue;
        };
        if old.name != column.name {
            columns.renamed.push((column.name.clone(), old.name.clone()));
        }
        if let Some(how) = how.filter(|how| *how != How::Copied(Conversion::Plain)) {
            columns.converted.push((column.name.clone(), how));
        }
    }
    for column in &found.columns {
        let renamed = columns.renamed.iter().any(|(_, old)| *old == column.name);
        let added_again = columns.added.iter().any(|added| added.name == column.name);
        let sayable = scalar_of(dialect, column).is_some();
        // what the database computes is ours where a file says so
        let ours = !column.generated || column.expression.is_some();
        if added_again || (!is_wanted(&column.name) && !renamed && sayable && ours) {
            let again = wanted.columns.iter().any(|new| new.name == column.name && new.generated);
            if column.generated && added_again && again {
                columns.recomputed.push(column.name.clone());
            }
            columns.dropped.push(column.name.clone());
        } else if !is_wanted(&column.name) && !renamed {
            columns.foreign.push(column.name.clone());
        }
    }
    columns
}

/// What happens to the values of a column; none at all where nothing sensible is to be done, and none
/// within where they stay as they are.
#[expect(clippy::option_option, reason = "no way, nothing to do, and what to do are three answers")]
fn how(
    dialect: &'static Dialect,
    (found, was): (&LiveTable, &str),
    old: &LiveColumn,
    (catalog, table, column, wanted): (&Catalog, &Table, &Column, &LiveTable),
) -> Option<Option<How>> {
    let words = wanted.columns.iter().find(|wanted| wanted.name == column.name);
    let told = words.and_then(|words| Some((told_apart(old.kind?), told_apart(words.kind?))));
    match dialect.definition.alter {
        Alter::Rebuild => {
            if let Some((from, to)) = told
                && !((is_scaled(from) || is_scaled(to)) && is_convertible(from, to) && !is_text(from, to))
            {
                return kept_or_typed(dialect, from, column.ty);
            }
            let checks = found.checks.iter().filter_map(|check| check.name.as_deref());
            let scale = checks.filter_map(|check| scale_of_check(check, was, &old.name)).next();
            Some(Some(How::Copied(conversion(dialect, (&old.ty, scale), column.ty)?)))
        }
        Alter::InPlace(_) => {
            let same = same_type(dialect, (&old.ty, &words?.ty), (catalog, table, column));
            match told.filter(|(from, to)| from != to) {
                Some((from, _)) if !same => is_convertible(from, column.ty).then_some(Some(How::Typed(from))),
                Some((from, _)) => kept_or_typed(dialect, from, column.ty),
                None if same => Some(None),
                None => {
                    let from = scalar_of(dialect, old)?;
                    is_convertible(from, column.ty).then_some(Some(How::Typed(from)))
                }
            }
        }
    }
}

/// Between two types that the database itself does not tell apart.
#[expect(clippy::option_option, reason = "as above")]
fn kept_or_typed(dialect: &'static Dialect, from: ScalarType, to: ScalarType) -> Option<Option<How>> {
    let same = told_apart(to) == from;
    let typed = (!same && !is_kept(dialect, from, to)).then_some(How::Typed(from));
    (same || is_convertible(from, to)).then_some(typed)
}

/// Digits of decimals stand in a check, which says more than the type.
const fn is_scaled(ty: ScalarType) -> bool {
    matches!(ty, ScalarType::Decimal { .. })
}

/// A decimal that becomes a text, or the other way round.
const fn is_text(from: ScalarType, to: ScalarType) -> bool {
    matches!(from, ScalarType::String) || matches!(to, ScalarType::String)
}

/// `found` with the new names of renamed columns everywhere.
pub(crate) fn with_names(found: &LiveTable, renamed: &[(String, String)]) -> LiveTable {
    let mut table = found.clone();
    let rename = |name: &mut String| {
        if let Some((new, _)) = renamed.iter().find(|(_, old)| old == name) {
            new.clone_into(name);
        }
    };
    table.columns.iter_mut().for_each(|column| rename(&mut column.name));
    for key in table.key.iter_mut().chain(&mut table.uniques) {
        key.columns.iter_mut().for_each(rename);
    }
    for reference in &mut table.references {
        reference.columns.iter_mut().for_each(rename);
    }
    for index in &mut table.indexes {
        index.columns.iter_mut().flatten().for_each(rename);
    }
    table
}

/// `wanted` as it would be without the columns that are simply added.
pub(crate) fn without_added(of: &Table, wanted: &LiveTable, added: &[&Column]) -> LiveTable {
    let is_added = |name: &String| added.iter().any(|column| column.name == *name);
    let mut table = wanted.clone();
    table.columns.retain(|column| !is_added(&column.name));
    table.references.retain(|reference| !reference.columns.iter().any(is_added));
    let own = |name: &str| {
        added.iter().any(|column| {
            name == column_check_name(of, column)
                || name.starts_with(&decimal_check_prefix(&of.name, &column.name))
        })
    };
    table.checks.retain(|check| !check.name.as_deref().is_some_and(own));
    table
}

/// What people read of a table's columns: `~old → new +new -old`, and what is lost.
pub(crate) fn told(table: &Table, columns: &Columns<'_>) -> (Vec<String>, Vec<String>) {
    let mut parts: Vec<String> = columns.renamed.iter().map(|(new, old)| format!("~{old} → {new}")).collect();
    parts.extend(columns.added.iter().map(|column| format!("+{}", column.name)));
    parts.extend(columns.dropped.iter().map(|column| format!("-{column}")));
    let mut lost: Vec<String> = Vec::new();
    let gone: Vec<&String> =
        columns.dropped.iter().filter(|column| !columns.recomputed.contains(column)).collect();
    if !gone.is_empty() {
        let names: Vec<String> = gone.iter().map(|column| format!("{}.{column}", table.name)).collect();
        lost.push(format!("the values of {}", names.join(", ")));
    }
    for (name, how) in &columns.converted {
        let to = table.columns.iter().find(|column| column.name == *name).map(|column| column.ty);
        if let Some(what) = to.and_then(|to| how.loses(to)) {
            lost.push(format!("{what}{}.{name}", table.name));
        }
    }
    (parts, lost)
}
