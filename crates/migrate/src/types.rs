//! [`Types`]: what the columns of a database are in the words of the schema language. The
//! files say it in a remark per table (`-- types product: id Uuid, name String(650) #5f2c01ab`, with
//! a mark that stands for an expression, ` = 5f2c01ab`, and one that stands for the comment of a column or table),
//! because the scratch database that rehearses them knows fewer types than others do.

use crate::file::MigrationFile;
use crate::shape::Scope;
use backstay_engine::live::{Live, LiveCheck, LiveColumn, LiveTable};
use backstay_schema::catalog::{Catalog, EnumId, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::{Element, ListType};
use backstay_sql::ddl::check::scale_of_check;
use backstay_sql::ddl::column::Stored;
use backstay_sql::ddl::{comment, stored};
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::definition::Comments;
use backstay_sql::dialect::sqlite::SQLITE;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a remark of types begins with.
const REMARK: &str = "-- types ";

/// Types of columns by table and column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Types(BTreeMap<String, BTreeMap<String, String>>);

impl Types {
    /// What the files say; later ones prevail.
    pub(crate) fn of_files(files: &[MigrationFile]) -> Self {
        let mut types = Self::default();
        for line in files.iter().flat_map(|file| file.text.lines()) {
            if let Some((table, columns)) = line.strip_prefix(REMARK).and_then(|rest| rest.split_once(": ")) {
                let columns = columns.split(", ").filter_map(|column| column.split_once(' '));
                let columns = columns.map(|(name, words)| (name.to_owned(), words.to_owned()));
                let (table, comment) = table.split_once(" #").unwrap_or((table, ""));
                let own = Some(comment).filter(|comment| !comment.is_empty());
                let own = own.map(|comment| (String::new(), ["#", comment].concat()));
                types.0.insert(table.to_owned(), columns.chain(own).collect());
            }
        }
        types
    }

    /// What the catalog says.
    pub(crate) fn of_catalog(catalog: &Catalog, scope: Scope) -> Self {
        let tables = catalog.tables.iter().filter(|table| scope.holds(table));
        Self(tables.map(|table| (table.name.clone(), columns(table))).collect())
    }

    /// The remarks on tables of which `before` says something else.
    pub(crate) fn remarks(&self, before: &Self) -> Vec<String> {
        let news = self.0.iter().filter(|(table, columns)| before.0.get(*table) != Some(columns));
        news.map(|(table, columns)| {
            let own = columns.get("").map(|comment| [" ", comment].concat()).unwrap_or_default();
            let named = columns.iter().filter(|(name, _)| !name.is_empty());
            let columns: Vec<String> = named.map(|(name, words)| format!("{name} {words}")).collect();
            format!("{REMARK}{table}{own}: {}", columns.join(", "))
        })
        .collect()
    }

    fn get(&self, table: &str, column: &str) -> Option<Stored> {
        read(self.0.get(table)?.get(column)?)
    }

    /// Whether a file says what the column is: it was generated.
    fn is_said(&self, table: &LiveTable, column: &LiveColumn) -> bool {
        self.get(&table.name, &column.name).is_some()
    }

    /// What stands for the comment of a column, or of the table itself where none is named; nothing for none.
    fn comment(&self, table: &str, column: &str) -> String {
        let words = self.0.get(table).and_then(|columns| columns.get(column));
        let mark = words.and_then(|words| words.rsplit_once('#'));
        mark.map(|(_, mark)| mark.to_owned()).unwrap_or_default()
    }

    /// What stands for the expression of a column that the database computes.
    fn expression(&self, table: &str, column: &str) -> Option<String> {
        let words = self.0.get(table)?.get(column)?.split(" #").next()?;
        words.split_once(" = ").map(|(_, mark)| mark.to_owned())
    }

    /// The database that SQLite describes, with what stands for its expressions, and with what its columns are.
    pub(crate) fn told(&self, live: &Live, dialect: &'static Dialect) -> Live {
        let mut live = self.with_kinds(live, dialect);
        for table in &mut live.tables {
            for column in &mut table.columns {
                column.expression = self.expression(&table.name, &column.name);
            }
        }
        live
    }

    /// A database with what its columns are, where the files say that.
    pub(crate) fn with_kinds(&self, live: &Live, dialect: &'static Dialect) -> Live {
        let mut live = live.clone();
        for table in &mut live.tables {
            for column in &mut table.columns {
                column.kind = self.kind(&table.name, column, dialect);
            }
        }
        live
    }

    /// What a column is, unless it has become something else beside what the files say.
    fn kind(&self, table: &str, column: &LiveColumn, dialect: &'static Dialect) -> Option<ScalarType> {
        let said = self.get(table, &column.name)?;
        let scalar = dialect.definition.scalar;
        let stands = scalar(&said.words(dialect)).is_some_and(|said| scalar(&column.ty) == Some(said));
        stands.then_some(said.ty)
    }

    /// A database that SQLite describes, as another one would: the same names, keys and references,
    /// types in its words, and the checks that it has.
    pub(crate) fn translated(&self, live: &Live, catalog: &Catalog, dialect: &'static Dialect) -> Live {
        let tables = live.tables.iter().map(|table| self.table(table, catalog, dialect));
        Live { tables: tables.collect(), views: Vec::new() }
    }

    fn table(&self, table: &LiveTable, catalog: &Catalog, dialect: &'static Dialect) -> LiveTable {
        let definition = dialect.definition;
        let mut translated = table.clone();
        translated.comment = Some(self.comment(&table.name, ""));
        translated.checks.retain(|check| {
            !is_said_otherwise(dialect, table, check, |column| self.stored(table, column, catalog).ty)
        });
        for column in &mut translated.columns {
            let stored = self.stored(table, column, catalog);
            column.expression = self.expression(&table.name, &column.name);
            column.comment = Some(self.comment(&table.name, &column.name));
            column.ty = stored.words(dialect);
            column.counted = stored.counted;
            column.kind = self.kind(&table.name, column, dialect);
            // what rows that were there got does not stay a default, but on SQLite
            let clauses = matches!(definition.comments, Comments::Clauses { .. });
            column.default = column.default.take().filter(|_| !(clauses && self.is_said(table, column)));
            if let (ScalarType::Json | ScalarType::List(_), Some(text)) = (stored.ty, definition.json_check) {
                let name = backstay_schema::name::fitted(format!("{}_{}_check", table.name, column.name));
                let text = text.replace("$1", &column.name);
                translated.checks.push(LiveCheck { name: Some(name), text });
            }
        }
        translated
    }

    /// What is kept of a column: as the files say, else as the catalog says where the column can be that,
    /// else as the scratch database says.
    fn stored(&self, table: &LiveTable, column: &LiveColumn, catalog: &Catalog) -> Stored {
        self.get(&table.name, &column.name)
            .or_else(|| of_namesake(table, column, catalog))
            .unwrap_or_else(|| guessed(table, column))
    }
}

fn columns(table: &Table) -> BTreeMap<String, String> {
    let named = table.columns.iter().map(|column| {
        let mut words = words(Stored::of(table, column));
        if let Some(said) = stored::said(table, column) {
            words.push_str(" = ");
            words.push_str(mark(&format!("{said} {:?}", column.ty)).trim_start_matches('#'));
        }
        if let Some(comment) = comment::of_column(table, column) {
            words.push(' ');
            words.push_str(&mark(&comment));
        }
        (column.name.clone(), words)
    });
    let own = comment::of_table(table).map(|comment| (String::new(), mark(&comment)));
    named.chain(own).collect()
}

fn of_namesake(table: &LiveTable, column: &LiveColumn, catalog: &Catalog) -> Option<Stored> {
    let is = |name: &str, was: Option<&str>, wanted: &str| name == wanted || was == Some(wanted);
    let found = catalog.tables.iter().find(|t| is(&t.name, t.was.as_deref(), &table.name))?;
    let known = found.columns.iter().find(|c| is(&c.name, c.was.as_deref(), &column.name))?;
    let stored = Stored::of(found, known);
    let scale = match stored.ty {
        ScalarType::Decimal { scale, .. } => Some(scale),
        _ => None,
    };
    (stored.words(&SQLITE) == column.ty && scale == scale_of(table, column)).then_some(stored)
}

fn scale_of(table: &LiveTable, column: &LiveColumn) -> Option<u8> {
    let names = table.checks.iter().filter_map(|check| check.name.as_deref());
    names.filter_map(|name| scale_of_check(name, &table.name, &column.name)).next()
}

fn guessed(table: &LiveTable, column: &LiveColumn) -> Stored {
    let ty = match scale_of(table, column) {
        Some(scale) => ScalarType::Decimal { digits: 18, scale },
        None => (SQLITE.definition.scalar)(&column.ty).unwrap_or(ScalarType::String),
    };
    Stored { ty, length: None, counted: column.counted }
}

/// Whether a check of SQLite is a type elsewhere: the digits of a decimal, the two values of a boolean.
fn is_said_otherwise(
    dialect: &'static Dialect,
    table: &LiveTable,
    check: &LiveCheck,
    ty: impl Fn(&LiveColumn) -> ScalarType,
) -> bool {
    let Some(name) = check.name.as_deref() else { return false };
    table.columns.iter().any(|column| {
        let digits = scale_of_check(name, &table.name, &column.name).is_some();
        let own = name == backstay_schema::name::fitted(format!("{}_{}_check", table.name, column.name));
        (digits && !dialect.definition.scaled_decimals)
            || (own && ty(column) == ScalarType::Boolean && !dialect.definition.counted_booleans)
    })
}

/// `Decimal(18,4)`, `String(650)`, `Int counted`, `[String!]`.
fn words(stored: Stored) -> String {
    let counted = if stored.counted { " counted" } else { "" };
    let word = match stored.ty {
        ScalarType::Int => "Int",
        ScalarType::BigInt => "BigInt",
        ScalarType::Float => "Float",
        ScalarType::Decimal { digits, scale } => return format!("Decimal({digits},{scale})"),
        ScalarType::Boolean => "Boolean",
        ScalarType::String => {
            return stored.length.map_or_else(|| "String".to_owned(), |length| format!("String({length})"));
        }
        ScalarType::Bytes => {
            return stored.length.map_or_else(|| "Bytes".to_owned(), |length| format!("Bytes({length})"));
        }
        ScalarType::Uuid => "Uuid",
        ScalarType::Timestamp => "Timestamp",
        ScalarType::Date => "Date",
        ScalarType::Time => "Time",
        ScalarType::Duration => "Duration",
        ScalarType::Json => "Json",
        ScalarType::Enum(_) => "Enum",
        ScalarType::List(list) => {
            let element = words(Stored { ty: list.element.scalar(), length: None, counted: false });
            return format!("[{element}{}]", if list.nulls { "" } else { "!" });
        }
    };
    [word, counted].concat()
}

/// What stands for a comment: `#5f2c01ab`.
fn mark(comment: &str) -> String {
    let digest = Sha256::digest(comment.as_bytes());
    digest.iter().take(4).fold("#".to_owned(), |mark, byte| format!("{mark}{byte:02x}"))
}

fn read(words: &str) -> Option<Stored> {
    let words = words.split_once(" #").map_or(words, |(words, _)| words);
    let words = words.split_once(" = ").map_or(words, |(words, _)| words);
    if let Some(element) = words.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (element, nulls) = element.strip_suffix('!').map_or((element, true), |element| (element, false));
        let element = Element::of(read(element)?.ty)?;
        return Some(Stored {
            ty: ScalarType::List(ListType { element, nulls }),
            length: None,
            counted: false,
        });
    }
    let (word, counted) = words.strip_suffix(" counted").map_or((words, false), |word| (word, true));
    let (word, numbers) = word.split_once('(').unwrap_or((word, ""));
    let numbers: Vec<u32> =
        numbers.trim_end_matches(')').split(',').filter_map(|number| number.parse().ok()).collect();
    let ty = match (word, numbers.as_slice()) {
        ("Int", _) => ScalarType::Int,
        ("BigInt", _) => ScalarType::BigInt,
        ("Float", _) => ScalarType::Float,
        ("Decimal", [digits, scale]) => {
            ScalarType::Decimal { digits: u8::try_from(*digits).ok()?, scale: u8::try_from(*scale).ok()? }
        }
        ("Boolean", _) => ScalarType::Boolean,
        ("String", _) => ScalarType::String,
        ("Uuid", _) => ScalarType::Uuid,
        ("Timestamp", _) => ScalarType::Timestamp,
        ("Date", _) => ScalarType::Date,
        ("Time", _) => ScalarType::Time,
        ("Duration", _) => ScalarType::Duration,
        ("Bytes", _) => ScalarType::Bytes,
        ("Json", _) => ScalarType::Json,
        ("Enum", _) => ScalarType::Enum(EnumId(0)),
        _ => return None,
    };
    let is_long = matches!(ty, ScalarType::String | ScalarType::Bytes);
    let length = if is_long { numbers.first().copied() } else { None };
    Some(Stored { ty, length, counted })
}
