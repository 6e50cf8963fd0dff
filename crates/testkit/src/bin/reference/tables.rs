//! Pages of const tables: errors, diagnostics, directives, scalars, rules, routes.

use backstay_auth::endpoint::ENDPOINTS;
use backstay_base::code::{self, Code};
use backstay_base::fault::Fault;
use backstay_rest::wire_error::{Audience, status};
use backstay_schema::cel;
use backstay_schema::cel::vocabulary::{Group, VOCABULARY};
use backstay_schema::compile::directive::{ArgumentEntry, DIRECTIVES, DirectiveEntry, Kind, Place};
use backstay_schema::diagnostic::codes;
use backstay_schema::scalar::SCALARS;
use backstay_server::door::DOORS;
use backstay_sql::ddl::column::Stored;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::mysql::MARIADB;
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::dialect::sqlite::SQLITE;
use std::fmt::Write as _;

/// A row of a table; bars in cells are escaped.
pub fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table.
pub fn head(cells: &[&str]) -> String {
    row(cells) + &row(&vec!["---"; cells.len()])
}

pub fn errors() -> String {
    let mut out = String::from(
        "# Errors\n\nEvery error of the REST door is `{\"code\", \"message\", \"details\", \"hint\"}`, all four keys \
         always there.\nCodes are PostgreSQL's SQLSTATEs and PostgREST's own; none is ever reused for another \
         meaning.\nWhere two statuses stand, the first is for callers who are not signed in.\n\n",
    );
    out.push_str(&head(&["code", "status", "kind", "meaning"]));
    for code in code::ALL {
        let cells =
            [&format!("`{}`", code.text), &statuses(*code), &format!("{:?}", code.kind), code.meaning];
        out.push_str(&row(&cells));
    }
    out
}

fn statuses(code: Code) -> String {
    // the one code whose status hangs on what happened
    if code == code::CARDINALITY {
        let unfiltered = Fault::new(code, "UPDATE requires a WHERE clause");
        let twice = Fault::new(code, "");
        let of = |fault| status(fault, Audience::SignedIn);
        return format!("{} without a filter, else {}", of(&unfiltered), of(&twice));
    }
    let fault = Fault::new(code, "");
    let (anon, signed_in) = (status(&fault, Audience::Anon), status(&fault, Audience::SignedIn));
    if anon == signed_in { anon.to_string() } else { format!("{anon}, {signed_in}") }
}

pub fn diagnostics() -> String {
    let mut out = String::from(
        "# Diagnostics\n\nWhat `backstay check` says about a schema. E1 is the schema, E2 a rule, W3 a remark \
         that refuses nothing.\n",
    );
    for code in codes::ALL {
        let _ = write!(out, "\n## {}: {}\n\n{}\n", code.text, code.title, code.explanation);
    }
    out
}

pub fn directives() -> String {
    let mut out = String::from(
        "# Directives\n\nWhat stands in a schema besides types and fields. An argument with `!` must be given.\n\
         What is not available yet is refused with `E1003`; nothing is ignored.\n",
    );
    for entry in DIRECTIVES {
        let _ = write!(out, "\n## @{}\n\n{}{}\n\n", entry.name, entry.doc, soon(entry.available));
        let repeatable = if entry.repeatable { ", several times" } else { "" };
        let places: Vec<&str> = entry.places.iter().map(|place| place_name(*place)).collect();
        let _ = writeln!(out, "On: {}{repeatable}.", places.join(", "));
        arguments(entry, &mut out);
    }
    out
}

fn arguments(entry: &DirectiveEntry, out: &mut String) {
    if entry.arguments.is_empty() {
        return;
    }
    out.push('\n');
    out.push_str(&head(&["argument", "takes", ""]));
    for argument in entry.arguments {
        let bang = if argument.required { "!" } else { "" };
        let available = if argument.available { "" } else { "not available yet" };
        out.push_str(&row(&[&format!("`{}`{bang}", argument.name), &takes(argument), available]));
    }
}

fn takes(argument: &ArgumentEntry) -> String {
    match argument.kind {
        Kind::Cel => "a CEL expression".to_owned(),
        Kind::Text => "a text".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Count => "a whole number".to_owned(),
        Kind::Literal => "a literal of the field's type".to_owned(),
        Kind::Names => "a list of names".to_owned(),
        Kind::Members => "a list of enum members".to_owned(),
        Kind::Word(_, words, available) => {
            let (now, later) = words.split_at(available.min(words.len()));
            let later = if later.is_empty() { String::new() } else { format!("; not yet {}", quoted(later)) };
            format!("{}{later}", quoted(now))
        }
        Kind::Words(_, words) => format!("a list of {}", quoted(words)),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

const fn soon(available: bool) -> &'static str {
    if available { "" } else { " **Not available yet.**" }
}

/// One dialect per engine.
const ENGINES: [&Dialect; 3] = [&SQLITE, &POSTGRES, &MARIADB];

const fn place_name(place: Place) -> &'static str {
    match place {
        Place::Schema => "`extend schema`",
        Place::Object => "a type",
        Place::Field => "a field",
        Place::Enum => "an enum",
        Place::EnumValue => "a member of an enum",
    }
}

pub fn scalars() -> String {
    let mut out = String::from(
        "# Scalars\n\nTypes of fields, what casts name them in requests, and how each engine stores them.\n\n",
    );
    let mut titles = vec!["scalar", "holds", "casts (`::name`)"];
    titles.extend(ENGINES.iter().map(|dialect| dialect.name));
    out.push_str(&head(&titles));
    for scalar in SCALARS {
        let casts = quoted(scalar.casts);
        let mut cells = vec![format!("`{}`", scalar.name), scalar.doc.to_owned(), casts];
        for dialect in ENGINES {
            cells.push(scalar.ty.map_or("not available yet".to_owned(), |ty| {
                format!("`{}`", Stored { ty, length: None, counted: false }.words(dialect))
            }));
        }
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        out.push_str(&row(&cells));
    }
    out.push_str("\nAn enum is text with a check of its members. A `Decimal` is exact; SQLite stores it as an integer scaled by its column's scale. On MySQL and MariaDB, a `String` in an index is `VARCHAR(650)` or shorter.\n");
    out
}

pub fn rules() -> String {
    let mut out = String::from(
        "# Rules\n\nRules are CEL, the Common Expression Language, checked against the schema when it is loaded.\n\n\
         Operators: `||`, `&&`, `!`, `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `+`, `-`, `*`, `/`, `%`, `c ? a : b`. \
         Fields are members of rows, relations are followed by paths. A comparison with an absent value is \
         unknown: it neither allows nor, negated, allows.\n",
    );
    let groups = [
        (Group::Root, "What a rule begins with"),
        (Group::Auth, "The caller"),
        (Group::Request, "The request"),
        (Group::Function, "Functions"),
        (Group::Method, "Functions on a value"),
        (Group::Macro, "Over rows and lists"),
        (Group::Aggregate, "At the end of a chain over rows"),
    ];
    for (group, title) in groups {
        let _ = write!(out, "\n## {title}\n\n");
        out.push_str(&head(&["", "gives", ""]));
        for entry in VOCABULARY.iter().filter(|entry| entry.group == group) {
            out.push_str(&row(&[&format!("`{}`", entry.form), entry.result, entry.doc]));
        }
    }
    out.push_str("\n## Bounds\n\n");
    out.push_str(&head(&["of one rule", "most"]));
    let bounds = [
        ("bytes", cel::MAX_RULE_BYTES),
        ("parts, as written", cel::MAX_RULE_NODES),
        ("nesting, as written", cel::MAX_RULE_DEPTH),
        ("parts, with named rules put in place", cel::MAX_EXPANDED_NODES),
        ("nesting, with named rules put in place", cel::MAX_EXPANDED_DEPTH),
        ("relations that a path follows", cel::MAX_RELATION_HOPS),
    ];
    for (what, most) in bounds {
        out.push_str(&row(&[what, &most.to_string()]));
    }
    out
}

pub fn routes() -> String {
    let mut out = String::from(
        "# Routes\n\nWhat answers. Every request carries its key as `apikey`, and a person's token as \
         `Authorization: Bearer …`.\n\n## /rest/v1\n\n",
    );
    out.push_str(&head(&["method", "path"]));
    for route in DOORS {
        out.push_str(&row(&[route.method, &format!("`{}`", route.path)]));
    }
    out.push_str("\n## /auth/v1\n\n");
    out.push_str(&head(&["method", "path"]));
    for endpoint in ENDPOINTS {
        out.push_str(&row(&[endpoint.method, &format!("`/auth/v1{}`", endpoint.path)]));
    }
    out
}
