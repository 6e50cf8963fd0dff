//! Random requests that mention everything everywhere, hidden or not.

use crate::world::World;
use rand::Rng;
use rand::rngs::StdRng;
use std::fmt::Write as _;

/// A request as the REST door gets it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// (table, plain columns, embeds: (name, target index, to-one))
type Table = (&'static str, &'static [&'static str], &'static [(&'static str, usize, bool)]);

const TABLES: &[Table] = &[
    (
        "doc",
        &[
            "id",
            "owner_id",
            "public",
            "title",
            "score",
            "secret",
            "salary",
            "marks",
            "folder_id",
            "stars",
            "noted",
            "raised",
            "meta->a",
            "meta->b->>c",
            "meta",
            "colour",
            "nobody->a",
        ],
        &[
            ("owner", 4, true),
            ("folder", 1, true),
            ("tags", 3, false),
            ("notes", 2, false),
            ("tag", 3, false),
        ],
    ),
    (
        "folder",
        &["id", "name", "team"],
        &[("docs", 0, false), ("doc", 0, false), ("shelf", 8, false), ("mirror", 9, false)],
    ),
    ("note", &["id", "doc_id", "stars", "text"], &[("doc", 0, true)]),
    ("tag", &["id", "label", "hidden"], &[("docs", 0, false)]),
    ("user", &["id", "name"], &[("docs", 0, false)]),
    ("doc_tag", &["doc_id", "tag_id"], &[("doc", 0, true), ("tag", 3, true)]),
    ("doc_audit", &["id", "row_id", "operation", "account", "fields", "before->title", "after->a"], &[]),
    ("note_audit", &["id", "row_id", "operation", "at", "before->>text"], &[]),
    ("shelf", &["id", "folder_id", "docs"], &[("folder", 1, true)]),
    (
        "mirror",
        &["id", "owner_id", "public", "title", "salary", "folder_id"],
        &[("owner", 4, true), ("folder", 1, true)],
    ),
];

/// A read three times in four, else a write that is undone.
pub fn random(world: &World, rng: &mut StdRng) -> Request {
    let table = rng.random_range(0..TABLES.len());
    if rng.random_bool(0.01) {
        let (headers, body) = (Vec::new(), String::new());
        return Request { method: "GET", path: String::new(), query: String::new(), headers, body };
    }
    if rng.random_bool(0.75) { read(table, world, rng) } else { write(table, world, rng) }
}

fn read(table: usize, world: &World, rng: &mut StdRng) -> Request {
    let mut query = format!("select={}", items(table, 2, rng));
    conditions(table, world, rng, &mut query);
    let mut headers = Vec::new();
    if rng.random_bool(0.3) {
        headers.push(("Prefer", "count=exact".to_owned()));
    }
    if rng.random_bool(0.1) {
        headers.push(("Accept", "text/csv".to_owned()));
    } else if rng.random_bool(0.1) {
        headers.push(("Accept", "application/vnd.pgrst.object+json".to_owned()));
    }
    if rng.random_bool(0.3) {
        let _ = write!(query, "&limit={}&offset={}", rng.random_range(0..6), rng.random_range(0..3));
    }
    let method = if rng.random_bool(0.1) { "HEAD" } else { "GET" };
    Request { method, path: TABLES[table].0.to_owned(), query, headers, body: String::new() }
}

fn conditions(table: usize, world: &World, rng: &mut StdRng, query: &mut String) {
    for _ in 0..rng.random_range(0..3) {
        match rng.random_range(0..8) {
            0 => {
                let _ = write!(query, "&or=({},{})", logic(table, world, rng), logic(table, world, rng));
            }
            1 => {
                let _ = write!(query, "&not.and=({},{})", logic(table, world, rng), logic(table, world, rng));
            }
            _ => {
                let column = column(table, rng);
                let _ = write!(query, "&{column}={}", test(column, world, rng));
            }
        }
    }
    if rng.random_bool(0.4) {
        let direction = ["", ".desc", ".asc.nullsfirst"][rng.random_range(0..3)];
        let to_one: Vec<&(&str, usize, bool)> = TABLES[table].2.iter().filter(|embed| embed.2).collect();
        if !to_one.is_empty() && query.contains('(') && rng.random_bool(0.3) {
            let embed = to_one[rng.random_range(0..to_one.len())];
            let _ = write!(query, "&order={}({}){direction}", embed.0, column(embed.1, rng));
        } else {
            let _ = write!(query, "&order={}{direction}", column(table, rng));
        }
    }
}

fn column(table: usize, rng: &mut StdRng) -> &'static str {
    let columns = TABLES[table].1;
    // fields that are refused outright are asked for less often, or little else would be tried
    let column = columns[rng.random_range(0..columns.len())];
    if column == "secret" && rng.random_bool(0.8) { "title" } else { column }
}

/// Values to group by, of the row and of to-one relations, and aggregates.
fn groups(table: usize, depth: u32, rng: &mut StdRng) -> String {
    let mut parts = Vec::new();
    for n in 0..rng.random_range(0..3) {
        parts.push(format!("g{n}:{}", column(table, rng)));
    }
    for n in 0..rng.random_range(1..3) {
        let column = column(table, rng);
        let text = matches!(column, "title" | "secret" | "name" | "team" | "text" | "label" | "meta->b->>c");
        let number = matches!(column, "id" | "score" | "salary" | "stars" | "raised");
        let function = match rng.random_range(0..5) {
            0 if number => "sum",
            1 if number => "avg",
            2 if number || text => "min",
            3 if number || text => "max",
            _ => "count",
        };
        parts.push(format!("a{n}:{column}.{function}()"));
    }
    if rng.random_bool(0.5) {
        parts.push("count()".to_owned());
    }
    let to_one: Vec<&(&str, usize, bool)> = TABLES[table].2.iter().filter(|embed| embed.2).collect();
    if depth > 0 && !to_one.is_empty() && rng.random_bool(0.5) {
        let embed = to_one[rng.random_range(0..to_one.len())];
        let inner = if rng.random_bool(0.25) { "!inner" } else { "" };
        let below = match rng.random_range(0..3) {
            0 => groups(embed.1, 0, rng),
            _ => format!("s:{}", column(embed.1, rng)),
        };
        parts.push(format!("...{}{inner}({below})", embed.0));
    }
    parts.join(",")
}

fn items(table: usize, depth: u32, rng: &mut StdRng) -> String {
    if rng.random_bool(0.15) {
        return groups(table, depth, rng);
    }
    let mut parts = Vec::new();
    if rng.random_bool(0.4) {
        parts.push("*".to_owned());
    }
    for n in 0..rng.random_range(0..3) {
        parts.push(format!("x{n}:{}", column(table, rng)));
    }
    if depth > 0 && !TABLES[table].2.is_empty() {
        for n in 0..rng.random_range(0..3) {
            let (name, target, _) = TABLES[table].2[rng.random_range(0..TABLES[table].2.len())];
            let inner = if rng.random_bool(0.25) { "!inner" } else { "" };
            if rng.random_bool(0.2) {
                parts.push(format!("e{n}:{name}{inner}(count)"));
            } else if rng.random_bool(0.2) {
                parts.push(format!("...{name}{inner}({})", items(target, depth - 1, rng)));
            } else {
                parts.push(format!("e{n}:{name}{inner}({})", items(target, depth - 1, rng)));
            }
        }
    }
    if parts.is_empty() { "*".to_owned() } else { parts.join(",") }
}

fn logic(table: usize, world: &World, rng: &mut StdRng) -> String {
    let column = column(table, rng);
    let not = if rng.random_bool(0.2) { "not." } else { "" };
    format!("{column}.{not}{}", test(column, world, rng))
}

/// A test that fits the type of the column.
fn test(column: &str, world: &World, rng: &mut StdRng) -> String {
    let not = if rng.random_bool(0.15) { "not." } else { "" };
    if rng.random_bool(0.15) {
        return format!("{not}is.null");
    }
    let op = ["eq", "neq", "gt", "gte", "lt", "lte"][rng.random_range(0..6)];
    match column {
        "owner_id" => format!("{not}eq.{}", world.users[rng.random_range(0..3)].id),
        "marks" => {
            let op = ["cs", "cd", "ov", "eq", "neq"][rng.random_range(0..5)];
            let marks =
                ["{}", "{alpha}", "{alpha,Beta}", "{Beta,d_elta,gam%25ma,\"\"}"][rng.random_range(0..4)];
            format!("{not}{op}.{marks}")
        }
        "meta" => {
            let op = ["cs", "cd"][rng.random_range(0..2)];
            let documents = [r#"{"a":1}"#, r#"{"b":{"c":"alpha"}}"#, "{}", r#"{"a":2,"b":{"c":"Beta"}}"#];
            format!("{not}{op}.{}", documents[rng.random_range(0..4)])
        }
        "id" if rng.random_bool(0.2) => format!("{not}in.(1,2,3,100,101)"),
        "public" | "hidden" => format!("{not}is.{}", rng.random_bool(0.5)),
        "title" | "secret" | "name" | "team" | "text" | "label" | "meta->b->>c" | "colour" => {
            match rng.random_range(0..6) {
                0 => format!("{not}like.*a*"),
                3 => format!("{not}plfts.Alpha"),
                4 => format!("{not}fts.al:*|!Beta"),
                2 => format!("{not}imatch(any).{{^a,[b-d]$}}"),
                1 => format!("{not}ilike.*B*"),
                _ => format!("{not}{op}.alpha"),
            }
        }
        _ => format!("{not}{op}.{}", rng.random_range(0..6)),
    }
}

fn write(table: usize, world: &World, rng: &mut StdRng) -> Request {
    let prefer =
        if rng.random_bool(0.7) { "tx=rollback,return=representation" } else { "tx=rollback,return=minimal" };
    let headers = vec![("Prefer", prefer.to_owned())];
    let path = TABLES[table].0.to_owned();
    let select = format!("select={}", items(table, 1, rng));
    let n = rng.random_range(1..15);
    let owner = world.users[rng.random_range(0..3)].id;
    let value = rng.random_range(0..6);
    let method = ["POST", "PATCH", "DELETE"][rng.random_range(0..3)];
    let body = match (TABLES[table].0, rng.random_range(0..3)) {
        ("doc", 0) if rng.random_bool(0.2) => r#"{"score":1,"colour":null}"#.to_owned(),
        ("doc", 0) => format!(r#"{{"title":"t{value}","score":{value}}}"#),
        ("doc", 1) if rng.random_bool(0.3) => format!(r#"{{"colour":"alpha","size":{value}}}"#),
        ("doc", 1) if rng.random_bool(0.3) => format!(r#"{{"marks":["alpha","m{value}"]}}"#),
        ("doc", 1) => format!(r#"{{"salary":{value},"folder_id":{}}}"#, rng.random_range(1..7)),
        // making a document public shows its notes, and rightly so: not asked of stored ones
        ("doc", _) if method == "PATCH" => format!(r#"{{"owner_id":"{owner}","title":"new"}}"#),
        ("doc", _) => format!(r#"{{"owner_id":"{owner}","public":{},"title":"new"}}"#, rng.random_bool(0.5)),
        ("folder", _) => r#"{"name":"mine","team":"red"}"#.to_owned(),
        ("note", _) => format!(r#"{{"doc_id":{n},"stars":{value}}}"#),
        ("tag", _) => r#"{"label":"l","hidden":false}"#.to_owned(),
        ("user", _) => r#"{"name":"renamed"}"#.to_owned(),
        _ => format!(r#"{{"doc_id":{n},"tag_id":{}}}"#, rng.random_range(1..6)),
    };
    let mut query = select;
    if method != "POST" {
        let column = column(table, rng);
        let _ = write!(query, "&{column}={}", test(column, world, rng));
    }
    let body = if method == "DELETE" { String::new() } else { body };
    Request { method, path, query, headers, body }
}
