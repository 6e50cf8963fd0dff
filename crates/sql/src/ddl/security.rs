//! Row-level security of PostgreSQL: a function per table and operation that says whether a
//! row may be touched, and policies that ask it. Enters: predicates that were woven for
//! each kind of caller. Binds become literals, and those that stand for the caller or the
//! time become functions over the claims of the connection.

use super::column::Stored;
use crate::dialect::postgres::POSTGRES;
use crate::lower::Lower;
use crate::statement::Bind;
use crate::writer::Writer;
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, SourceId};
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// The functions that all policies use. The claims are those that PostgREST puts into a connection.
pub const CALLER: &[&str] = &[
    "CREATE SCHEMA IF NOT EXISTS backstay_rls",
    "CREATE OR REPLACE FUNCTION backstay_rls.claims() RETURNS json LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('request.jwt.claims', TRUE), '')::json $$",
    "CREATE OR REPLACE FUNCTION backstay_rls.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT (backstay_rls.claims() ->> 'sub')::uuid $$",
    "CREATE OR REPLACE FUNCTION backstay_rls.role() RETURNS text LANGUAGE sql STABLE AS $$ SELECT coalesce(backstay_rls.claims() -> 'app_metadata' ->> 'role', 'authenticated') $$",
    "CREATE OR REPLACE FUNCTION backstay_rls.aal() RETURNS text LANGUAGE sql STABLE AS $$ SELECT coalesce(backstay_rls.claims() ->> 'aal', 'aal1') $$",
];

/// What an operation of a policy is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Rows that may be seen.
    Select,
    /// Rows that may be made.
    Insert,
    /// Rows that may be changed.
    UpdateStored,
    /// What they may become.
    UpdateNew,
    /// Rows that may go.
    Delete,
}

impl Command {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Select => "_select",
            Self::Insert => "_insert",
            Self::UpdateStored => "_update",
            Self::UpdateNew => "_updated",
            Self::Delete => "_delete",
        }
    }
}

/// Values that stand for something which is known only when a row is touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand {
    /// For the account's id.
    pub uid: Value,
    /// For the role of an account whose role no rule names.
    pub role: Value,
    /// For now, in microseconds; what is a little before or after it is told by the difference.
    pub now_micros: i64,
}

/// How far from now a moment may be that still stands for one: 50 years.
const NEAR_MICROS: i64 = 50 * 366 * 86_400 * 1_000_000;

/// A predicate over the row of `source` as text.
///
/// # Errors
/// Internal, when it binds what is no value.
pub fn condition(catalog: &Catalog, source: SourceId, pred: &Pred, stand: &Stand) -> Result<String, Fault> {
    let mut lower = Lower::new(catalog, &POSTGRES);
    lower.enter(source);
    lower.pred(pred)?;
    let statement = lower.finish().0;
    let mut text = String::with_capacity(statement.text.len());
    let mut quote: Option<char> = None;
    let mut chars = statement.text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '$') => {
                let mut number = 0_usize;
                while let Some(digit) = chars.next_if(char::is_ascii_digit).and_then(|c| c.to_digit(10)) {
                    number = number * 10 + digit as usize;
                }
                let bind = number.checked_sub(1).and_then(|index| statement.binds.get(index));
                text.push_str(&written(bind, stand)?);
                continue;
            }
            _ => {}
        }
        text.push(c);
    }
    Ok(text)
}

fn written(bind: Option<&Bind>, stand: &Stand) -> Result<String, Fault> {
    match bind {
        Some(Bind::Value(value, ty)) => Ok(literal(value, *ty, stand)),
        Some(Bind::List(values, ty)) => {
            let items: Vec<String> = values.iter().map(|value| literal(value, *ty, stand)).collect();
            Ok(format!("ARRAY[{}]::{}[]", items.join(", "), type_name(*ty)))
        }
        Some(Bind::Count(number)) => Ok(number.to_string()),
        Some(Bind::Rows(_) | Bind::Path(_) | Bind::Slot(..)) | None => {
            Err(Fault::internal("a policy binds what is no value"))
        }
    }
}

fn literal(value: &Value, ty: ScalarType, stand: &Stand) -> String {
    if *value == stand.uid {
        return "backstay_rls.uid()".to_owned();
    }
    if *value == stand.role {
        return "backstay_rls.role()".to_owned();
    }
    if let Value::Timestamp(micros) = value
        && let Some(distance) = micros.checked_sub(stand.now_micros).filter(|d| d.abs() < NEAR_MICROS)
    {
        return format!("(now() + {distance} * interval '1 microsecond')");
    }
    let mut writer = Writer::new(&POSTGRES);
    writer.schema_literal(value, crate::dialect::digits_and_scale(ty).1);
    format!("{}::{}", writer.finish().text, type_name(ty))
}

fn type_name(ty: ScalarType) -> String {
    if matches!(ty, ScalarType::Decimal { .. }) {
        return "numeric".to_owned();
    }
    let words = Stored { ty, length: None, counted: false }.words(&POSTGRES);
    words.split(" COLLATE ").next().unwrap_or(&words).to_owned()
}

/// The function that judges a row, named `source` within its text. One that reads other rows reads
/// them as its owner, as rules do.
#[must_use]
pub fn judge(table: &Table, command: Command, source: SourceId, body: &str) -> String {
    let reads_others = body.contains("(SELECT ");
    // whoever asks must not choose which tables the names mean
    let definer = if reads_others { " SECURITY DEFINER SET search_path FROM CURRENT" } else { "" };
    let mut tag = "$judge$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, '_');
    }
    let mut writer = Writer::new(&POSTGRES);
    writer.push("CREATE OR REPLACE FUNCTION backstay_rls.").name(&judge_name(table, command)).push("(");
    writer.alias(source).push(" ").table(table).push(") RETURNS boolean LANGUAGE sql STABLE");
    let head = writer.finish().text;
    format!("{head}{definer} AS {tag} SELECT {body} {tag}")
}

fn judge_name(table: &Table, command: Command) -> String {
    backstay_schema::name::fitted([table.name.as_str(), command.suffix()].concat())
}

/// From here on a table shows and takes nothing but what policies allow.
#[must_use]
pub fn enable(table: &Table) -> String {
    let mut writer = Writer::new(&POSTGRES);
    writer.push("ALTER TABLE ").table(table).push(" ENABLE ROW LEVEL SECURITY");
    writer.finish().text
}

/// `CREATE POLICY` that asks the judges of these commands.
#[must_use]
pub fn policy(table: &Table, command: Command) -> String {
    let mut writer = Writer::new(&POSTGRES);
    let (name, kind) = match command {
        Command::Select => ("backstay_select", "SELECT"),
        Command::Insert => ("backstay_insert", "INSERT"),
        Command::UpdateStored | Command::UpdateNew => ("backstay_update", "UPDATE"),
        Command::Delete => ("backstay_delete", "DELETE"),
    };
    writer.push("CREATE POLICY ").name(name).push(" ON ").table(table).push(" FOR ").push(kind);
    let asks = |writer: &mut Writer, before: &'static str, command: Command| {
        writer.push(before).push("backstay_rls.").name(&judge_name(table, command));
        writer.push("(").table(table).push("))");
    };
    match command {
        Command::Select | Command::Delete => asks(&mut writer, " USING (", command),
        Command::Insert => asks(&mut writer, " WITH CHECK (", command),
        Command::UpdateStored | Command::UpdateNew => {
            asks(&mut writer, " USING (", Command::UpdateStored);
            asks(&mut writer, " WITH CHECK (", Command::UpdateNew);
        }
    }
    writer.finish().text
}

/// `GRANT` of what every policy uses.
#[must_use]
pub fn grant_caller(grantee: &str) -> String {
    let mut writer = Writer::new(&POSTGRES);
    writer.push("GRANT USAGE ON SCHEMA backstay_rls TO ").name(grantee);
    writer.finish().text
}

/// `GRANT` of columns, or of the table where there are none to name.
#[must_use]
pub fn grant(table: &Table, command: Command, columns: &[&Column], grantee: &str) -> String {
    let mut writer = Writer::new(&POSTGRES);
    writer.push(match command {
        Command::Select => "GRANT SELECT",
        Command::Insert => "GRANT INSERT",
        Command::UpdateStored | Command::UpdateNew => "GRANT UPDATE",
        Command::Delete => "GRANT DELETE",
    });
    for (index, column) in columns.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { " (" }).column(column);
    }
    writer.push(if columns.is_empty() { " ON " } else { ") ON " }).table(table).push(" TO ").name(grantee);
    writer.finish().text
}
