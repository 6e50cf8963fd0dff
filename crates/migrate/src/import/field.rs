//! Columns as fields: types, keys, references, defaults.

use super::condition::{Operand, literal};
use super::name::{Names, field};
use super::sdl::text;
use super::{Enum, Field, Source, Stored, Type, check, constraint, target};
use crate::shape::bound;
use backstay_engine::live::{LiveColumn, LiveReference, LiveTable};
use backstay_schema::comment;
use backstay_schema::extras;
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl::check::digits_of_check;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::definition::Comments;

/// Most digits of a decimal.
const MAX_DIGITS: u8 = 18;

/// The type of a table.
pub(super) fn of_table(
    dialect: &'static Dialect,
    known: &[Source<'_>],
    source: &Source<'_>,
    (enums, names): (&mut Vec<Enum>, &mut Names),
) -> Type {
    let table = source.table;
    let mut ty = Type {
        name: source.type_name.clone(),
        table: table.name.clone(),
        doc: documented(table.comment.as_ref(), &mut Vec::new()),
        directives: Vec::new(),
        fields: Vec::new(),
        remarks: Vec::new(),
    };
    let given = match source.stored {
        Stored::View => Some(format!("view: {}", text(&table.name))),
        Stored::Table => (backstay_schema::name::snake_case(&ty.name) != table.name)
            .then(|| format!("name: {}", text(&table.name))),
    };
    let extras = table.columns.iter().find(|column| keeps_extras(dialect, source, column));
    for column in table.columns.iter().filter(|column| Some(*column) != extras) {
        let reference = reference_of(known, table, column);
        match reference {
            Some((reference, _)) if reference.columns.first() != Some(&column.name) => {}
            Some((reference, to)) => {
                let field = referring(&ty, table, (reference, to));
                ty.fields.push(field);
            }
            None => plain(dialect, table, column, (&mut ty, enums, names)),
        }
    }
    let unsaid = matches!(dialect.definition.comments, Comments::Nowhere);
    if unsaid && table.columns.iter().any(|column| may_keep_extras(source, column)) {
        let may = "extras may be what @table(strict: false) kept; if so, say that in the place of the field";
        ty.remarks.push(may.to_owned());
    }
    let key = key(&mut ty, table);
    let audit = source.audited.then(|| "audit: true".to_owned());
    let strict = extras.map(|_| "strict: false".to_owned());
    let arguments: Vec<String> = given.into_iter().chain(key).chain(audit).chain(strict).collect();
    if !arguments.is_empty() {
        ty.directives.push(format!("@table({})", arguments.join(", ")));
    }
    for reference in &table.references {
        if ty.field_of(&reference.columns).is_some_and(|field| field.target.is_some()) {
            continue;
        }
        let columns = reference.columns.join(", ");
        ty.remarks.push(format!("not said: ({columns}) refers to {}", reference.target));
    }
    constraint::uniques(&mut ty, table);
    constraint::indexes(&mut ty, table);
    constraint::full_texts(&mut ty, table);
    check::of_table(&mut ty, table);
    ty
}

/// Whether this column keeps what has no field: its comment says so.
fn keeps_extras(dialect: &'static Dialect, source: &Source<'_>, column: &LiveColumn) -> bool {
    let said = column.comment.as_ref().and_then(|text| comment::read(text).0);
    may_keep_extras(source, column)
        && said == Some(extras::DOC)
        && scalar_of(dialect, source.table, column) == Some(ScalarType::Json)
}

fn may_keep_extras(source: &Source<'_>, column: &LiveColumn) -> bool {
    matches!(source.stored, Stored::Table) && column.name == extras::COLUMN && column.nullable
}

/// The reference that a column belongs to, where a field can stand for it.
fn reference_of<'k, 'l>(
    known: &'k [Source<'l>],
    table: &'l LiveTable,
    column: &LiveColumn,
) -> Option<(&'l LiveReference, &'k Source<'l>)> {
    let own = table.references.iter().filter(|reference| reference.columns.contains(&column.name));
    own.filter_map(|reference| Some((reference, target(known, reference)?))).find(|(reference, to)| {
        let first = table.references.iter().find(|other| other.columns.contains(&column.name));
        first == Some(*reference) && prefix(reference, to).is_some()
    })
}

/// What the columns of a reference begin with: `seller` of `seller_id`. A single column may be anything.
fn prefix(reference: &LiveReference, to: &Source<'_>) -> Option<String> {
    let key = &to.table.key.as_ref()?.columns;
    let mut pairs = reference.columns.iter().zip(key);
    let conventional = pairs.clone().next().and_then(|(column, key)| {
        let found = column.strip_suffix(key.as_str())?.strip_suffix('_')?;
        (!found.is_empty()).then(|| found.to_owned())
    });
    if let Some(found) = conventional
        && pairs.all(|(column, key)| *column == format!("{found}_{key}"))
    {
        return Some(found);
    }
    (key.len() == 1).then(|| reference.columns.first().cloned().unwrap_or_default())
}

fn referring(ty: &Type, table: &LiveTable, (reference, to): (&LiveReference, &Source<'_>)) -> Field {
    let prefix = prefix(reference, to).unwrap_or_default();
    let mut name = field(&prefix);
    if let Some(short) = name.strip_suffix("_id").filter(|short| !short.is_empty()) {
        name = short.to_owned();
    }
    name = free_field(ty, table, &name, &reference.columns);
    let key = to.table.key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default();
    let convention: Vec<String> = key.iter().map(|part| format!("{name}_{part}")).collect();
    let nullable = reference
        .columns
        .iter()
        .all(|column| table.columns.iter().any(|live| live.name == *column && live.nullable));
    let mut directives = Vec::new();
    if convention != reference.columns {
        directives.push(format!("@column(name: {})", text(&prefix)));
    }
    let on_delete = match reference.on_delete.as_str() {
        "CASCADE" => Some("CASCADE"),
        "SET NULL" if nullable => None,
        _ if nullable => Some("RESTRICT"),
        _ => None,
    };
    directives.extend(on_delete.map(|action| format!("@relation(onDelete: {action})")));
    let first = table.columns.iter().find(|column| reference.columns.first() == Some(&column.name));
    let doc = documented(first.and_then(|column| column.comment.as_ref()), &mut directives);
    Field {
        name,
        ty: format!("{}{}", to.type_name, if nullable { "" } else { "!" }),
        directives,
        doc,
        remarks: Vec::new(),
        columns: reference.columns.clone(),
        target: Some(reference.target.clone()),
    }
}

/// The documentation that a comment says; a deprecation becomes a directive.
fn documented(said: Option<&String>, directives: &mut Vec<String>) -> Option<String> {
    let (doc, deprecated) = comment::read(said?);
    directives.extend(deprecated.map(|reason| format!("@deprecated(reason: {})", text(reason))));
    doc.map(str::to_owned)
}

/// A name that no field has, and no column but these.
fn free_field(ty: &Type, table: &LiveTable, wanted: &str, columns: &[String]) -> String {
    let taken = |name: &str| {
        ty.fields.iter().any(|field| field.name == name)
            || table.columns.iter().any(|live| live.name == name && !columns.contains(&live.name))
    };
    let numbered = (2_u32..).map(|number| format!("{wanted}_{number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

fn plain(
    dialect: &'static Dialect,
    table: &LiveTable,
    column: &LiveColumn,
    (ty, enums, names): (&mut Type, &mut Vec<Enum>, &mut Names),
) {
    let mut directives = Vec::new();
    let mut remarks = Vec::new();
    let members = check::members(table, column);
    let word = if column.generated {
        ty.remarks.push(format!("not said: {} is computed by the database", column.name));
        return;
    } else if let Some(members) = members {
        enum_of(ty, column, members, (enums, names))
    } else {
        let Some(scalar) = scalar_of(dialect, table, column) else {
            ty.remarks.push(format!("not said: column {} of type {}", column.name, column.ty));
            return;
        };
        let exact = match scalar {
            ScalarType::List(list) => list.element.scalar(),
            other => other,
        };
        if let ScalarType::Decimal { digits, scale } = exact
            && (digits, scale) != (18, 4)
        {
            directives.push(format!("@column(digits: {digits}, scale: {scale})"));
        }
        word(scalar)
    };
    let key = table.key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default();
    let alone = key == [column.name.clone()];
    let mut name = field(&column.name);
    let has_id = table.columns.iter().any(|other| field(&other.name) == "id");
    if alone && column.counted && !has_id {
        name = "id".to_owned();
    }
    let stamp = matches!(name.as_str(), "created_at" | "updated_at");
    if stamp && (word != "Timestamp" || column.nullable) {
        name = format!("{name}_value");
    }
    name = free_field(ty, table, &name, std::slice::from_ref(&column.name));
    let word = if name == "id" && alone && word == "UUID" { "ID".to_owned() } else { word };
    if name != column.name {
        let named = format!("name: {}", text(&column.name));
        match directives.first_mut() {
            Some(first) => *first = first.replace("@column(", &format!("@column({named}, ")),
            None => directives.push(format!("@column({named})")),
        }
    }
    if word == "String"
        && !dialect.definition.scaled_decimals
        && let Some(most) = bound(&column.ty)
    {
        directives.push(format!("@valid(maxLength: {most})"));
    }
    if !alone && !stamp {
        default(column, &word, (&mut directives, &mut remarks));
    }
    let doc = documented(column.comment.as_ref(), &mut directives);
    let required = if column.nullable { "" } else { "!" };
    ty.fields.push(Field {
        name,
        ty: format!("{word}{required}"),
        directives,
        doc,
        remarks,
        columns: vec![column.name.clone()],
        target: None,
    });
}

fn enum_of(
    ty: &Type,
    column: &LiveColumn,
    members: Vec<String>,
    (enums, names): (&mut Vec<Enum>, &mut Names),
) -> String {
    let own = backstay_schema::name::pascal_case(&field(&column.name));
    let same = enums.iter().find(|known| known.members == members && known.name.ends_with(&own));
    if let Some(known) = same {
        return known.name.clone();
    }
    let name = names.free(&format!("{}{own}", ty.name));
    enums.push(Enum { name: name.clone(), members });
    name
}

/// The type of a column; SQLite says what its integers are in checks alone.
fn scalar_of(dialect: &'static Dialect, table: &LiveTable, column: &LiveColumn) -> Option<ScalarType> {
    if dialect.definition.scaled_decimals {
        let names = table.checks.iter().filter_map(|check| check.name.as_deref());
        if let Some((digits, scale)) =
            names.filter_map(|name| digits_of_check(name, &table.name, &column.name)).next()
        {
            return Some(ScalarType::Decimal { digits, scale });
        }
        let declared = column.ty.to_ascii_uppercase().starts_with("BOOL");
        if declared || check::is_boolean(table, column) {
            return Some(ScalarType::Boolean);
        }
    }
    let json = check::is_json(table, column);
    let stamp = matches!(column.name.as_str(), "created_at" | "updated_at") && !column.nullable;
    match (dialect.definition.scalar)(&column.ty)? {
        ScalarType::Decimal { digits, .. } if digits > MAX_DIGITS => None,
        ScalarType::String if json => Some(ScalarType::Json),
        ScalarType::String if stamp && dialect.definition.scaled_decimals => Some(ScalarType::Timestamp),
        other => Some(other),
    }
}

fn word(scalar: ScalarType) -> String {
    let word = match scalar {
        ScalarType::List(list) => return format!("[{}]", word(list.element.scalar())),
        ScalarType::Int => "Int",
        ScalarType::BigInt => "BigInt",
        ScalarType::Float => "Float",
        ScalarType::Decimal { .. } => "Decimal",
        ScalarType::Boolean => "Boolean",
        ScalarType::String | ScalarType::Enum(_) => "String",
        ScalarType::Uuid => "UUID",
        ScalarType::Timestamp => "Timestamp",
        ScalarType::Date => "Date",
        ScalarType::Time => "Time",
        ScalarType::Duration => "Duration",
        ScalarType::Bytes => "Bytes",
        ScalarType::Json => "JSON",
    };
    word.to_owned()
}

fn default(column: &LiveColumn, word: &str, (directives, remarks): (&mut Vec<String>, &mut Vec<String>)) {
    let Some(said) = column.default.as_deref().filter(|said| !column.counted && *said != "NULL") else {
        return;
    };
    let now = said.to_ascii_lowercase();
    let is_now = ["now()", "current_timestamp", "utc_timestamp"].iter().any(|word| now.starts_with(word));
    let value = match (literal(said), word) {
        _ if word == "Timestamp" && is_now => Some("expr: \"now\"".to_owned()),
        (Some(Operand::Number(number)), "Int" | "BigInt" | "Float" | "Decimal") => {
            Some(format!("value: {number}"))
        }
        (Some(Operand::Number(number)), "Boolean") => Some(format!("value: {}", number != "0")),
        (Some(Operand::Bool(truth)), "Boolean") => Some(format!("value: {truth}")),
        (Some(Operand::Text(said)), "String") => Some(format!("value: {}", text(&said))),
        (
            Some(Operand::Text(_)),
            "Int" | "BigInt" | "Float" | "Decimal" | "Boolean" | "UUID" | "Timestamp" | "Date" | "Time"
            | "Bytes" | "JSON",
        ) => None,
        (Some(Operand::Text(member)), _) => Some(format!("value: {member}")),
        _ => None,
    };
    match value {
        Some(value) => directives.push(format!("@default({value})")),
        None => remarks.push(format!("default: {said}")),
    }
}

/// The argument of `@table` that names the key; none where the field `id` is it.
fn key(ty: &mut Type, table: &LiveTable) -> Option<String> {
    let columns = &table.key.as_ref()?.columns;
    let names: Vec<String> = ty.fields_of(columns)?.into_iter().map(str::to_owned).collect();
    let id = ty.field_of(columns).filter(|field| field.name == "id");
    let counted = table.columns.iter().any(|column| column.counted && columns.contains(&column.name));
    let by_convention = id.is_some_and(|field| match field.ty.as_str() {
        "ID!" | "String!" => true,
        "Int!" | "BigInt!" => counted,
        _ => false,
    });
    (!by_convention).then(|| format!("key: [{}]", listed(&names)))
}

pub(super) fn listed(names: &[String]) -> String {
    names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ")
}
