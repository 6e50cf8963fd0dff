//! Random pairs of small schemas: a database that is filled with rows goes from one to
//! the other, or is refused and stays as it was. Afterwards nothing is left to do, every
//! row is there, and kept columns hold their values.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail loudly"
)]

mod model;

use crate::model::{Model, SAME};
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine::live::Live;
use backstay_engine::migration::Batch;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::change::Plan;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::draft::Draft;
use backstay_migrate::file;
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::ddl;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_testkit::seed::{cases, seeded};
use rand::Rng;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Cells of a table by row id, then by column.
type Rows = BTreeMap<String, BTreeMap<String, Value>>;

#[tokio::test]
async fn a_database_goes_from_any_schema_to_any_other() {
    let mut random = seeded("pairs", 20_260_131);
    let (mut applied, mut refused) = (0, 0);
    for case in 0..cases(150) {
        let from = Model::random(&mut random);
        let to = if random.random_range(0..5) == 0 {
            Model::random(&mut random)
        } else {
            from.edited(&mut random)
        };
        let filled = random.random_range(0..4) > 0;
        let pair = format!("case {case}\n--- from\n{}\n--- to\n{}", from.sdl(), to.sdl());
        if one(&from, &to, filled, &pair, &mut random).await {
            applied += 1;
        } else {
            refused += 1;
        }
    }
    println!("pairs: {applied} applied, {refused} refused");
    assert!(applied > refused, "{applied} applied, {refused} refused: too few pairs say anything");
}

/// Whether the migration was applied; when not, nothing has changed.
async fn one(from: &Model, to: &Model, filled: bool, pair: &str, random: &mut impl Rng) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pair.db");
    let engine = Sqlite::open(&path, &Limits::default()).unwrap();
    let old = compiled(from);
    let statements = ddl::create_all(&old, &SQLITE);
    engine.migrate(&Batch::plain(statements)).await.unwrap();
    assert!(diff_of(&engine, &old).await.is_empty(), "a new database differs from its schema\n{pair}");
    if filled {
        fill(&path, from, random);
    }
    let before = contents(&path, &engine.introspect().await.unwrap());

    let new = compiled(to);
    let plan = diff_of(&engine, &new).await;
    let written = file::write(&folder.path().join("migrations"), "pair", &draft(&plan)).unwrap();
    assert_eq!(written.statements("sqlite"), plan.statements(), "the file says something else\n{pair}");
    let lossy = !written.losses("sqlite").is_empty();
    assert_eq!(lossy, plan.is_destructive(), "losses are told wrongly\n{}\n{pair}", written.text);

    let live = engine.introspect().await.unwrap();
    let done = random.random_range(0..=plan.statements().len());
    let killed = Killed::at(&path, &plan.statements(), done);
    assert_eq!(killed.engine.introspect().await.unwrap(), live, "killed after {done} statements\n{pair}");
    assert_eq!(contents(&killed.path, &live), before, "killed after {done} statements\n{pair}");
    let again = killed.engine.migrate(&Batch::plain(plan.statements())).await;
    let outcome = engine.migrate(&Batch::plain(plan.statements())).await;
    assert_eq!(again.is_ok(), outcome.is_ok(), "{again:?} {outcome:?}\n{pair}");
    let live_again = killed.engine.introspect().await.unwrap();
    assert_eq!(live_again, engine.introspect().await.unwrap(), "killed after {done} statements\n{pair}");
    let after_again = contents(&killed.path, &live_again);
    assert_eq!(after_again, contents(&path, &live_again), "killed after {done} statements\n{pair}");
    if let Err(fault) = outcome {
        assert!(filled, "an empty database was refused: {fault:?}\n{}\n{pair}", written.text);
        assert_eq!(engine.introspect().await.unwrap(), live, "{pair}");
        assert_eq!(contents(&path, &live), before, "{pair}");
        return false;
    }
    let rest = diff_of(&engine, &new).await;
    assert!(rest.is_empty(), "something is left to do: {rest:#?}\nafter {}\n{pair}", written.text);
    let after = contents(&path, &engine.introspect().await.unwrap());
    compare(from, to, (&before, &after), &format!("{}\n{pair}", written.text));
    true
}

/// A database as it is found where a program died that had run some statements of a migration.
struct Killed {
    engine: Sqlite,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Killed {
    fn at(path: &Path, statements: &[String], done: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("killed.db");
        let connection = Connection::open(path).unwrap();
        // what is not committed goes to the log as early as it can
        let setting =
            "PRAGMA foreign_keys = OFF; PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE";
        connection.execute_batch(setting).unwrap();
        for statement in statements.iter().take(done) {
            if connection.execute_batch(statement).is_err() {
                break;
            }
        }
        for end in ["", "-wal"] {
            let [from, to] = [path, &to].map(|path| [path.to_str().unwrap(), end].concat());
            if Path::new(&from).exists() {
                std::fs::copy(from, to).unwrap();
            }
        }
        drop(connection);
        Self { engine: Sqlite::open(&to, &Limits::default()).unwrap(), path: to, _folder: folder }
    }
}

fn compiled(model: &Model) -> Catalog {
    let text = model.sdl();
    let file = SourceFile { name: "schema.graphql".into(), text: text.clone(), owner: Owner::Project };
    match compile(&[file], &Settings::default()) {
        Ok(compiled) => compiled.catalog,
        Err(mistakes) => panic!("{mistakes:#?}\n{text}"),
    }
}

fn draft(plan: &Plan) -> Draft {
    Draft { plans: vec![("sqlite", plan.clone())], types: Vec::new() }
}

async fn diff_of(engine: &Sqlite, catalog: &Catalog) -> Plan {
    let live = engine.introspect().await.unwrap();
    diff(engine, &SQLITE, catalog, &live, Scope::Project).await.unwrap()
}

/// Rows that satisfy the schema; references may go anywhere.
fn fill(path: &Path, model: &Model, random: &mut impl Rng) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    for table in &model.types {
        for number in 0..3 {
            let mut columns = vec!["\"id\"".to_owned()];
            let mut values = vec![Value::Text(format!("{}-{number}", table.label))];
            for field in &table.fields {
                columns.push(format!("\"{}\"", field.column()));
                values.push(model.value(field, number, random));
            }
            let marks = vec!["?"; columns.len()].join(", ");
            let (name, columns) = (table.table(), columns.join(", "));
            let text = format!("INSERT INTO \"{name}\" ({columns}) VALUES ({marks})");
            connection.execute(&text, rusqlite::params_from_iter(values)).unwrap();
        }
    }
}

fn contents(path: &Path, live: &Live) -> BTreeMap<String, Rows> {
    let connection = Connection::open(path).unwrap();
    let mut all = BTreeMap::new();
    for table in &live.tables {
        let text = format!("SELECT * FROM \"{}\"", table.name);
        let mut statement = connection.prepare(&text).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let rows = statement.query_map([], |row| {
            let cells = names.iter().enumerate().map(|(index, name)| Ok((name.clone(), row.get(index)?)));
            let cells = cells.collect::<rusqlite::Result<BTreeMap<String, Value>>>()?;
            Ok((row.get::<_, String>("id")?, cells))
        });
        all.insert(table.name.clone(), rows.unwrap().collect::<rusqlite::Result<Rows>>().unwrap());
    }
    all
}

fn compare(
    from: &Model,
    to: &Model,
    (before, after): (&BTreeMap<String, Rows>, &BTreeMap<String, Rows>),
    pair: &str,
) {
    for table in &to.types {
        let Some(old) = from.types.iter().find(|old| old.name == table.source()) else {
            assert_eq!(after[&table.table()], Rows::new(), "rows from nowhere\n{pair}");
            continue;
        };
        let (before, after) = (&before[&old.table()], &after[&table.table()]);
        let ids = |rows: &Rows| rows.keys().cloned().collect::<Vec<_>>();
        assert_eq!(ids(before), ids(after), "rows of {}\n{pair}", table.name);
        for field in &table.fields {
            let old = old.fields.iter().find(|old| old.column() == field.source());
            for (id, row) in after {
                let now = &row[&field.column()];
                let Some(old) = old else {
                    assert_eq!(now, &field.filled(), "{}.{} of {id}\n{pair}", table.name, field.name);
                    continue;
                };
                let stored = &before[id][&old.column()];
                let wanted = to.carried(old, field, stored);
                if wanted != SAME {
                    assert_eq!(Some(now), wanted.as_ref(), "{}.{} of {id}\n{pair}", table.name, field.name);
                }
            }
        }
    }
}
