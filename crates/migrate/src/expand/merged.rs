//! What a table is while two versions use it: the columns of both, none of which anybody has to write.

use crate::columns::columns;
use crate::file::contract::{Contract, Contracted};
use crate::shape::bound;
use backstay_engine::live::{Live, LiveTable};
use backstay_schema::catalog::{Catalog, Column, Fill};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl;
use backstay_sql::ddl::column::{Stored, is_filled};
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::conversion::told_apart;

/// A column that comes beside what the version before writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beside {
    pub(super) column: String,
    /// What it comes from, and its type; none where the version before knows none, or writes NULL.
    pub(super) old: Option<(String, ScalarType)>,
}

/// A table in two shapes.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) beside: Vec<Beside>,
    /// Columns of the version before that nobody wants.
    pub(super) left: Vec<String>,
    /// Columns of the version before that the new one does not write, though they require a value.
    pub(super) relaxed: Vec<(String, Stored)>,
    /// Nobody wants the table.
    pub(super) gone: bool,
}

impl Table {
    pub(super) fn is_plain(&self) -> bool {
        self.beside.is_empty() && self.left.is_empty() && !self.gone
    }

    /// The columns that only the version before has.
    fn old(&self) -> impl Iterator<Item = &String> {
        self.beside.iter().filter_map(|beside| beside.old.as_ref().map(|(name, _)| name)).chain(&self.left)
    }

    fn is_old(&self, name: &str) -> bool {
        self.old().any(|old| old == name)
    }

    /// What the second file says of itself.
    pub(super) fn remark(&self) -> String {
        let mut columns: Vec<Contracted> = Vec::new();
        for Beside { column, old } in &self.beside {
            columns.push(Contracted::Comes {
                column: column.clone(),
                from: old.as_ref().map(|(name, _)| name.clone()),
            });
        }
        columns.extend(self.left.iter().cloned().map(Contracted::Goes));
        Contract { table: self.name.clone(), columns }.remark()
    }
}

/// All tables that the version before may use.
pub(super) fn tables(
    dialect: &'static Dialect,
    catalog: &Catalog,
    (base, wanted): (&Live, &Live),
) -> Result<Vec<Table>, String> {
    let find = |live: &'_ Live, name: &str| live.tables.iter().find(|table| table.name == name).cloned();
    let mut all = Vec::new();
    for wanted in &wanted.tables {
        let Some(table) = catalog.tables.iter().find(|table| table.name == wanted.name) else { continue };
        if let Some(was) =
            table.was.as_ref().filter(|was| find(base, was).is_some() && find(base, &table.name).is_none())
        {
            return Err(format!("{was} is called {0}; keep its name: @table(name: \"{was}\")", table.name));
        }
        let Some(found) = find(base, &wanted.name) else { continue };
        all.push(one(dialect, (catalog, table), (&found, wanted))?);
    }
    for table in base.tables.iter().filter(|table| !table.name.starts_with("_backstay_")) {
        if find(wanted, &table.name).is_none() {
            all.push(Table { name: table.name.clone(), gone: true, ..Table::default() });
        }
    }
    Ok(all)
}

fn one(
    dialect: &'static Dialect,
    (catalog, table): (&Catalog, &backstay_schema::catalog::Table),
    (found, wanted): (&LiveTable, &LiveTable),
) -> Result<Table, String> {
    let name = &table.name;
    let columns = columns(dialect, (catalog, table), (found, name), wanted);
    let mut merged = Table { name: name.clone(), left: columns.dropped.clone(), ..Table::default() };
    let live = |name: &str| found.columns.iter().find(|column| column.name == name);
    if found.key.as_ref().map(|key| &key.columns) != wanted.key.as_ref().map(|key| &key.columns) {
        return Err(format!("the key of {name} is another"));
    }
    for column in &table.columns {
        let renamed = columns.renamed.iter().find(|(new, _)| *new == column.name);
        let check = ddl::check::column_check_name(table, column);
        let text = |table: &LiveTable| {
            table
                .checks
                .iter()
                .find(|known| known.name.as_deref() == Some(&check))
                .map(|known| known.text.clone())
        };
        let stands = text(found).is_some() && text(found) != text(wanted);
        if stands && ddl::alter::rename_members(catalog, dialect, table, column).is_some() {
            return Err(format!("members of {name}.{} take other names", column.name));
        }
        if let Some((_, old)) = renamed {
            let Some(live) = live(old) else { continue };
            let told = live.kind.map(told_apart).or_else(|| (dialect.definition.scalar)(&live.ty));
            let ty = told.ok_or_else(|| format!("{name}.{old} is {}", live.ty))?;
            let ty = if told_apart(column.ty) == ty { column.ty } else { ty };
            if let Some((_, how)) = columns.converted.iter().find(|(new, _)| *new == column.name)
                && let Some(lost) = how.loses(column.ty)
            {
                return Err(format!("{lost}{name}.{old} are lost"));
            }
            merged.beside.push(Beside { column: column.name.clone(), old: Some((old.clone(), ty)) });
            merged.relaxed.extend(relaxed(dialect, live));
            continue;
        }
        if columns.converted.iter().any(|(new, _)| *new == column.name) {
            return Err(format!(
                "{name}.{0} takes another type; give it another column: @column(name: \"{0}_2\") @was(name: \"{0}\")",
                column.name
            ));
        }
        let added = columns.added.iter().any(|added| added.name == column.name);
        let was_nullable = live(&column.name).is_some_and(|live| live.nullable);
        let computed = ddl::stored::expression(table, column).is_some();
        if !column.nullable && !computed && (added || was_nullable) {
            if !is_filled(column) {
                return Err(format!(
                    "{name}.{} requires a value that the version before does not give; it needs a @default",
                    column.name
                ));
            }
            merged.beside.push(Beside { column: column.name.clone(), old: None });
        }
    }
    for left in &columns.dropped {
        merged
            .relaxed
            .extend(live(left).filter(|live| !live.generated).and_then(|live| relaxed(dialect, live)));
    }
    Ok(merged)
}

fn relaxed(dialect: &'static Dialect, live: &backstay_engine::live::LiveColumn) -> Option<(String, Stored)> {
    let ty = (dialect.definition.scalar)(&live.ty).filter(|_| !live.nullable)?;
    let long = matches!(ty, ScalarType::String | ScalarType::Bytes);
    let length = bound(&live.ty).and_then(|length| u32::try_from(length).ok()).filter(|_| long);
    Some((live.name.clone(), Stored { ty, length, counted: false }))
}

/// The catalog as it is between the two files: nobody has to write what the version before does not know.
pub(super) fn catalog(catalog: &Catalog, tables: &[Table]) -> Catalog {
    let mut both = catalog.clone();
    for (merged, table) in pairs(tables, &mut both) {
        for beside in &merged.beside {
            let find = |column: &&mut Column| column.name == beside.column;
            let Some(column) = table.columns.iter_mut().find(find) else { continue };
            column.nullable = true;
            column.default = None;
            column.fill = Fill::None;
            column.was = None;
        }
    }
    both
}

fn pairs<'t>(
    tables: &'t [Table],
    both: &'t mut Catalog,
) -> impl Iterator<Item = (&'t Table, &'t mut backstay_schema::catalog::Table)> {
    both.tables
        .iter_mut()
        .filter_map(|table| Some((tables.iter().find(|merged| merged.name == table.name)?, table)))
}

/// What the first file leads from and to: what only the version before has is left out on both sides.
pub(super) fn first(base: &Live, wanted: &Live, tables: &[Table]) -> (Live, Live) {
    let (mut base, mut wanted) = (base.clone(), wanted.clone());
    for merged in tables {
        if let Some(table) = base.tables.iter_mut().find(|table| table.name == merged.name) {
            table.columns.retain(|column| !merged.is_old(&column.name));
            table.uniques.retain(|unique| !unique.columns.iter().any(|name| merged.is_old(name)));
            table.indexes.retain(|index| !index.columns.iter().flatten().any(|name| merged.is_old(name)));
            table.full_texts.retain(|index| !index.columns.iter().any(|name| merged.is_old(name)));
            table.references.retain(|reference| !reference.columns.iter().any(|name| merged.is_old(name)));
            table.checks.retain(|check| !mentions(&check.text, merged));
        }
        if let Some(table) = wanted.tables.iter_mut().find(|table| table.name == merged.name) {
            let comes = |name: &String| merged.beside.iter().any(|beside| beside.column == *name);
            table
                .columns
                .iter_mut()
                .filter(|column| comes(&column.name))
                .for_each(|column| column.nullable = true);
        }
    }
    base.tables.retain(|table| !tables.iter().any(|merged| merged.gone && merged.name == table.name));
    (base, wanted)
}

/// What stands before the second file: what the first one leads to, and what only the version before has.
pub(super) fn second(base: &Live, reached: &Live, tables: &[Table]) -> Live {
    let mut stands = reached.clone();
    for merged in tables {
        let Some(old) = base.tables.iter().find(|table| table.name == merged.name) else { continue };
        if merged.gone {
            stands.tables.push(old.clone());
            continue;
        }
        let Some(table) = stands.tables.iter_mut().find(|table| table.name == merged.name) else { continue };
        let columns = old.columns.iter().filter(|column| merged.is_old(&column.name)).cloned();
        table.columns.extend(columns.map(|column| {
            let nullable = column.nullable || merged.relaxed.iter().any(|(name, _)| *name == column.name);
            backstay_engine::live::LiveColumn { nullable, ..column }
        }));
        let is_old = |name: &String| merged.is_old(name);
        table.uniques.extend(old.uniques.iter().filter(|known| known.columns.iter().any(is_old)).cloned());
        table
            .indexes
            .extend(old.indexes.iter().filter(|known| known.columns.iter().flatten().any(is_old)).cloned());
        table
            .full_texts
            .extend(old.full_texts.iter().filter(|known| known.columns.iter().any(is_old)).cloned());
        table
            .references
            .extend(old.references.iter().filter(|known| known.columns.iter().any(is_old)).cloned());
        table.checks.extend(old.checks.iter().filter(|check| mentions(&check.text, merged)).cloned());
    }
    stands
}

fn mentions(text: &str, merged: &Table) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| merged.is_old(word))
}
