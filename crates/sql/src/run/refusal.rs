//! Faults of refused writes, in PostgreSQL's words on every database.

use super::reference::foreign_keys;
use super::{Runner, text_of};
use crate::ddl::key_name;
use crate::lower::delete;
use crate::session::{Named, Session};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::plan::Refusal;
use backstay_schema::catalog::{ColumnId, OnDelete, Table};
use backstay_schema::value::Value;

/// A key or unique constraint of a table.
#[derive(Debug, Clone)]
pub(super) struct UniqueOf {
    pub(super) name: String,
    pub(super) columns: Vec<ColumnId>,
}

/// The constraint that a database named.
pub(super) fn unique_of(table: &Table, named: &Named) -> UniqueOf {
    let key = UniqueOf { name: key_name(table), columns: table.key.clone() };
    let uniques = table.uniques.iter();
    let uniques =
        uniques.map(|unique| UniqueOf { name: unique.name.clone(), columns: unique.columns.clone() });
    let mut all = std::iter::once(key).chain(uniques);
    match named {
        Named::Name(name) => all
            .chain(
                table
                    .partials
                    .iter()
                    .map(|partial| UniqueOf { name: partial.name.clone(), columns: partial.columns.clone() }),
            )
            .find(|unique| unique.name == *name)
            .unwrap_or_else(|| UniqueOf { name: name.clone(), columns: Vec::new() }),
        Named::Columns(names) => {
            let same = |unique: &UniqueOf| {
                unique.columns.len() == names.len()
                    && unique.columns.iter().all(|id| names.contains(&table.column(*id).name))
            };
            all.find(same).unwrap_or_else(|| UniqueOf { name: names.join("_"), columns: Vec::new() })
        }
    }
}

/// The constraint that a conflict target means.
pub(super) fn unique_of_target(table: &Table, target: &[ColumnId]) -> UniqueOf {
    let names = target.iter().map(|id| table.column(*id).name.clone()).collect();
    unique_of(table, &Named::Columns(names))
}

/// 23505; the values only where they are the caller's own.
pub(super) fn unique(table: &Table, unique: &UniqueOf, values: Option<&[Value]>) -> Fault {
    let fault = Fault::new(
        code::UNIQUE_VIOLATION,
        format!("duplicate key value violates unique constraint \"{}\"", unique.name),
    );
    match values {
        // nobody gave what the database computes
        Some(values) if !unique.columns.is_empty() && !table.has_stored(&unique.columns) => {
            fault.with_details(format!("{} already exists.", key_text(table, &unique.columns, values)))
        }
        _ => fault,
    }
}

/// 23503 for a reference to a row that is not there, or not for this caller.
pub(super) fn reference(
    table: &Table,
    constraint: &str,
    (columns, values): (&[ColumnId], Option<&[Value]>),
    target: &Table,
) -> Fault {
    let fault = Fault::new(
        code::FOREIGN_KEY_VIOLATION,
        format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{constraint}\"",
            table.name
        ),
    );
    match values {
        Some(values) => fault.with_details(format!(
            "{} is not present in table \"{}\".",
            key_text(table, columns, values),
            target.name
        )),
        None => fault,
    }
}

/// 23502.
pub(super) fn not_null(table: &Table, column: &str) -> Fault {
    Fault::new(
        code::NOT_NULL_VIOLATION,
        format!(
            "null value in column \"{column}\" of relation \"{}\" violates not-null constraint",
            table.name
        ),
    )
}

/// 23514.
pub(super) fn check(table: &Table, constraint: &str, message: Option<&str>) -> Fault {
    let standard =
        format!("new row for relation \"{}\" violates check constraint \"{constraint}\"", table.name);
    match message {
        Some(message) => Fault::new(code::CHECK_VIOLATION, message).with_details(standard),
        None => Fault::new(code::CHECK_VIOLATION, standard),
    }
}

/// 23514 for an enum that may not change so.
pub(super) fn transition(table: &Table, column: ColumnId, from: Option<&str>, to: &str) -> Fault {
    let (relation, column) = (&table.name, &table.column(column).name);
    let message = match from {
        Some(from) => format!("\"{column}\" of relation \"{relation}\" may not go from {from} → {to}"),
        None => format!("\"{column}\" of relation \"{relation}\" may not start in {to}"),
    };
    Fault::new(code::CHECK_VIOLATION, message)
}

/// A refusal that was known before the write.
pub(super) fn known(table: &Table, refusal: &Refusal) -> Fault {
    match refusal {
        Refusal::NotNull(column) => not_null(table, &table.column(*column).name),
        Refusal::Check { constraint, message } => check(table, constraint, message.as_deref()),
        Refusal::Transition { column, from, to } => transition(table, *column, from.as_deref(), to),
    }
}

/// `Key (a, b)=(1, 2)`.
fn key_text(table: &Table, columns: &[ColumnId], values: &[Value]) -> String {
    let names: Vec<&str> = columns.iter().map(|id| table.column(*id).name.as_str()).collect();
    format!("Key ({})=({})", names.join(", "), text_of(values).join(", "))
}

impl<S: Session> Runner<'_, S> {
    /// 23503 for a row that cannot be deleted because others still refer to it; names the first that does.
    pub(super) async fn still_referenced(&mut self, table: &Table, key: &[Value]) -> Result<Fault, Fault> {
        if let Some(fault) = self.referring(table, key, |action| action == OnDelete::Restrict).await? {
            return Ok(fault);
        }
        Ok(Fault::new(
            code::FOREIGN_KEY_VIOLATION,
            format!(
                "update or delete on table \"{}\" violates a foreign key constraint of a row that goes with it",
                table.name
            ),
        ))
    }

    /// 23503 for a row whose key cannot change because others refer to it.
    pub(super) async fn key_referenced(&mut self, table: &Table, key: &[Value]) -> Result<Fault, Fault> {
        let found = self.referring(table, key, |_| true).await?;
        Ok(found.unwrap_or_else(|| {
            let message = format!("update on table \"{}\" violates a foreign key constraint", table.name);
            Fault::new(code::FOREIGN_KEY_VIOLATION, message)
        }))
    }

    async fn referring(
        &mut self,
        table: &Table,
        key: &[Value],
        wanted: impl Fn(OnDelete) -> bool,
    ) -> Result<Option<Fault>, Fault> {
        let catalog = self.catalog;
        for other in &catalog.tables {
            for foreign in foreign_keys(catalog, other).filter(|foreign| foreign.target.id == table.id) {
                if !wanted(foreign.on_delete) {
                    continue;
                }
                let source = self.new_source();
                let statement = delete::referring(catalog, self.dialect, other, foreign.columns, source);
                if self.ask(&statement, key).await? {
                    let details = format!(
                        "{} is still referenced from table \"{}\".",
                        key_text(table, &table.key, key),
                        other.name
                    );
                    return Ok(Some(
                        referenced(table, foreign.constraint, &other.name).with_details(details),
                    ));
                }
            }
        }
        Ok(None)
    }
}

fn referenced(table: &Table, constraint: &str, other: &str) -> Fault {
    Fault::new(
        code::FOREIGN_KEY_VIOLATION,
        format!(
            "update or delete on table \"{}\" violates foreign key constraint \"{constraint}\" on table \"{other}\"",
            table.name
        ),
    )
}
