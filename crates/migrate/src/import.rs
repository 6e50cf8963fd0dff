//! A live database as a schema: tables, keys, relations, uniques, indexes, checks, enums,
//! defaults and comments. What the schema language does not say stands as a remark beside
//! the place. No access rules are invented: everything is denied until somebody writes them.

mod audit;
mod check;
pub(crate) mod condition;
mod constraint;
mod field;
mod name;
mod relation;
mod sdl;

use self::name::Names;
use backstay_engine::live::{Live, LiveKey, LiveReference, LiveTable};
use backstay_sql::dialect::Dialect;

/// The schema of a database.
#[must_use]
pub fn import(dialect: &'static Dialect, live: &Live) -> String {
    let tables: Vec<&LiveTable> =
        live.tables.iter().filter(|table| !table.name.starts_with("_backstay_")).collect();
    let mut names = Names::default();
    let views: Vec<LiveTable> = live.views.iter().map(keyed).collect();
    let mut import = Import { types: Vec::new(), enums: Vec::new(), remarks: Vec::new() };
    let mut known: Vec<Source<'_>> = Vec::new();
    for table in tables {
        if table.key.is_none() {
            import.remarks.push(format!("table {} has no primary key and is left out", table.name));
            continue;
        }
        known.push(Source::of(table, &mut names, Stored::Table));
    }
    for view in &views {
        if view.key.is_none() {
            let name = &view.name;
            import.remarks.push(format!(
                "view {name} has no column id and is left out: name its key, @table(view: {}, key: [\"…\"])",
                sdl::text(name)
            ));
            continue;
        }
        known.push(Source::of(view, &mut names, Stored::View));
    }
    audit::find(&mut known);
    for index in 0..known.len() {
        let hidden = relation::is_hidden(&known, index);
        if let Some(source) = known.get_mut(index) {
            source.hidden |= hidden;
        }
    }
    for source in known.iter().filter(|source| !source.hidden) {
        let ty = field::of_table(dialect, &known, source, (&mut import.enums, &mut names));
        import.types.push(ty);
    }
    relation::lists(&known, &mut import.types);
    sdl::write(&import)
}

/// A table that becomes a type.
struct Source<'l> {
    table: &'l LiveTable,
    type_name: String,
    /// It only links two others, by the convention: lists on both say it all. Or it is an audit.
    hidden: bool,
    /// Another table is its audit.
    audited: bool,
    /// What it is.
    stored: Stored,
}

/// What a type reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    Table,
    View,
}

impl<'l> Source<'l> {
    fn of(table: &'l LiveTable, names: &mut Names, stored: Stored) -> Self {
        Self { table, type_name: names.of_type(&table.name), hidden: false, audited: false, stored }
    }
}

/// A view whose rows its column `id` tells apart, where it has one.
fn keyed(view: &LiveTable) -> LiveTable {
    let mut view = view.clone();
    // MariaDB tells one of every column that cannot be null
    view.columns.iter_mut().for_each(|column| column.default = None);
    if let Some(id) = view.columns.iter_mut().find(|column| column.name == "id") {
        id.nullable = false;
        view.key = Some(LiveKey { name: None, columns: vec![id.name.clone()] });
    }
    view
}

/// What is written.
struct Import {
    types: Vec<Type>,
    enums: Vec<Enum>,
    remarks: Vec<String>,
}

/// An enum that a check or the database's own type makes.
struct Enum {
    name: String,
    members: Vec<String>,
}

/// A type in the making.
struct Type {
    name: String,
    table: String,
    doc: Option<String>,
    directives: Vec<String>,
    fields: Vec<Field>,
    remarks: Vec<String>,
}

/// A field in the making.
struct Field {
    name: String,
    ty: String,
    directives: Vec<String>,
    doc: Option<String>,
    remarks: Vec<String>,
    /// The columns that it stands for; none for lists.
    columns: Vec<String>,
    /// Table that a reference leads to.
    target: Option<String>,
}

impl Type {
    /// The field that stands for exactly these columns.
    fn field_of(&mut self, columns: &[String]) -> Option<&mut Field> {
        self.fields.iter_mut().find(|field| field.columns == columns)
    }

    /// Names of the fields that together stand for these columns, in order.
    fn fields_of(&self, columns: &[String]) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let mut rest = columns;
        while !rest.is_empty() {
            let field = self
                .fields
                .iter()
                .find(|field| !field.columns.is_empty() && rest.starts_with(&field.columns))?;
            names.push(field.name.as_str());
            rest = rest.get(field.columns.len()..)?;
        }
        Some(names)
    }
}

/// The table that a reference leads to, where it leads to the whole primary key.
fn target<'k, 'l>(known: &'k [Source<'l>], reference: &LiveReference) -> Option<&'k Source<'l>> {
    let source = known.iter().find(|source| source.table.name == reference.target)?;
    let key = &source.table.key.as_ref()?.columns;
    let whole = reference.target_columns.is_empty() || reference.target_columns == *key;
    (whole && key.len() == reference.columns.len()).then_some(source)
}
