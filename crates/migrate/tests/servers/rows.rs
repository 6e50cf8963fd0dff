//! Rows under migration: the same files over the same rows leave the same rows on the
//! engine of the run as on SQLite, and what SQLite refuses is refused there, too.

use crate::model::Model;
use crate::{compiled, node};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::draft::draft;
use backstay_migrate::{apply, file};
use backstay_policy::weave;
use backstay_query::plan::{
    Audit, ColumnRef, End, Expect, Insert, Order, Output, OutputValue, Pred, Query, Scalar, Script, Select,
    SourceId, Sources, Step,
};
use backstay_query::reply::{Cell, Reply};
use backstay_schema::catalog::{Catalog, Column, Table, TableId, Valid};
use backstay_schema::compile::Owner;
use backstay_schema::extras::Bounds;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value};
use backstay_sql::ddl;
use backstay_testkit::database::{Database, server};
use backstay_testkit::seed::{cases, seeded};
use rand::Rng;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const ROW: SourceId = SourceId(0);

pub(crate) async fn ask(engine: &dyn Engine, catalog: &Arc<Catalog>, query: Query) -> Reply {
    let mut sources = Sources::default();
    let _ = sources.next_id();
    let steps = vec![Step { query, expect: Expect::Any }];
    let script = Script { steps, end: End::Commit, sources, audit: Audit::Wanted, extras: Bounds::default() };
    let guarded = weave::system(script, 0, catalog, &Ids::seeded(Clock::fixed(0), 1)).unwrap();
    engine.run(&guarded).await.unwrap()
}

/// Three rows per table, references to rows of any table.
pub(crate) fn rows(catalog: &Catalog, random: &mut impl Rng) -> Vec<(TableId, Vec<Vec<Value>>)> {
    let id =
        |table: TableId, number: u128| Value::Uuid(Uuid::from_u128(u128::from(table.0) * 100 + number + 1));
    let mut all = Vec::new();
    for table in &catalog.tables {
        let mut rows = Vec::new();
        for number in 0..3_i64 {
            let cell = |column: &Column| match column.relation.map(|id| table.relation(id).target) {
                Some(target) => id(target, u128::from(number.unsigned_abs())),
                None if table.key == [column.id] => id(table.id, u128::from(number.unsigned_abs())),
                None => value(catalog, column, number),
            };
            let mut row: Vec<Value> = table.columns.iter().map(cell).collect();
            for (cell, column) in row.iter_mut().zip(&table.columns) {
                if column.nullable && random.random_range(0..4) == 0 {
                    *cell = Value::Null;
                }
            }
            rows.push(row);
        }
        all.push((table.id, rows));
    }
    all
}

fn value(catalog: &Catalog, column: &Column, number: i64) -> Value {
    let bounded = column.valid.iter().any(|valid| matches!(valid, Valid::Min(_)));
    let number = if bounded { number } else { number - 1 };
    match column.ty {
        ScalarType::Int | ScalarType::BigInt => Value::Int(number),
        ScalarType::Float => Value::Float(number as f64 + 0.25),
        ScalarType::Decimal { scale, .. } => {
            Value::Decimal(Decimal { units: i128::from(number) * 1_005, scale })
        }
        ScalarType::Boolean => Value::Bool(number > 0),
        ScalarType::Enum(id) => {
            let members = &catalog.enum_type(id).members;
            Value::Text(members[usize::try_from(number.unsigned_abs()).unwrap() % members.len()].name.clone())
        }
        ScalarType::Date => Value::Date(number as i32),
        ScalarType::Time => Value::Time((number + 5) * 1_500_000),
        ScalarType::Duration => Value::Duration(number * 90_061_000_001),
        ScalarType::Bytes => Value::Bytes(vec![0, 255, number as u8]),
        ScalarType::Json => Value::Json(format!("{{\"t\":{number}}}")),
        ScalarType::List(_) => {
            Value::List(vec![Value::Text(format!("l{number}")), Value::Text("a \"b\"".into())])
        }
        _ => Value::Text(format!("t{number}")),
    }
}

pub(crate) async fn fill(engine: &dyn Engine, catalog: &Arc<Catalog>, rows: &[(TableId, Vec<Vec<Value>>)]) {
    let tables: Vec<&Table> = catalog.tables.iter().collect();
    // a circle of required references cannot be filled row by row: it stays empty
    for table in ddl::in_order(catalog, &tables) {
        let Some((_, rows)) = rows.iter().find(|(id, _)| *id == table.id) else { continue };
        let insert =
            Insert::of(table.id, ROW, table.columns.iter().map(|column| column.id).collect(), rows.clone());
        let steps = vec![Step { query: Query::Insert(insert), expect: Expect::Any }];
        let mut sources = Sources::default();
        let _ = sources.next_id();
        let script =
            Script { steps, end: End::Commit, sources, audit: Audit::Wanted, extras: Bounds::default() };
        let guarded = weave::system(script, 0, catalog, &Ids::seeded(Clock::fixed(0), 1)).unwrap();
        let _ = engine.run(&guarded).await;
    }
}

pub(crate) async fn dump(engine: &dyn Engine, catalog: &Arc<Catalog>) -> Vec<String> {
    let mut lines = Vec::new();
    for table in &catalog.tables {
        let kept: Vec<&Column> = table.columns.iter().collect();
        let read =
            |column: &Column| Scalar::Column(ColumnRef { source: ROW, table: table.id, column: column.id });
        let outputs = kept.iter().map(|column| Output {
            name: column.name.clone(),
            starred: false,
            spilled: false,
            value: OutputValue::Scalar(read(column), column.ty),
        });
        let key = table.key.iter().map(|id| table.column(*id));
        let select = Query::Select(Select {
            source: ROW,
            table: table.id,
            outputs: outputs.collect(),
            filter: Pred::TRUE,
            order: key
                .map(|column| Order { by: read(column), descending: false, nulls_first: false })
                .collect(),
            limit: None,
            offset: 0,
            count: false,
            group: None,
        });
        let reply = ask(engine, catalog, select).await;
        let rows = &reply.parts[0].rows;
        for cells in rows.cells.chunks(kept.len()) {
            let cells = cells.iter().zip(&kept).map(|(cell, column)| match cell {
                Cell::Text { start, len } | Cell::Raw { start, len } => {
                    format!("{}={}", column.name, rows.slice(*start, *len))
                }
                other => format!("{}={other:?}", column.name),
            });
            lines.push(format!("{} {}", table.name, cells.collect::<Vec<_>>().join(" ")));
        }
    }
    lines
}

async fn up(engine: &dyn Engine, folder: &Path) -> bool {
    let files = file::read(folder).unwrap();
    apply::up(engine, &files, &Clock::fixed(0), apply::Going::with_consent(true), &node("a", 60_000))
        .await
        .is_ok()
}

#[tokio::test]
async fn rows_come_out_as_on_sqlite() {
    if server().is_none() {
        eprintln!("skipped: there is no server to hold against SQLite");
        return;
    }
    let mut random = seeded("rows", 20_260_214);
    let (mut applied, mut refused, mut kept) = (0, 0, 0);
    for case in 0..cases(12) {
        let from = Model::random(&mut random);
        let to = from.edited(&mut random);
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits::default();
        let scratch = Sqlite::open(&folder.path().join("scratch.db"), &limits).unwrap();
        let sqlite = Sqlite::open(&folder.path().join("rows.db"), &limits).unwrap();
        let database = Database::fresh(&limits).await;
        let [old, new] = [&from, &to].map(|model| Arc::new(compiled(&[(&model.sdl(), Owner::Project)])));
        let plan = draft(&scratch, &old, &[]).await.unwrap();
        file::write(folder.path(), "from", &plan).unwrap();
        assert!(up(&sqlite, folder.path()).await && up(&*database.engine, folder.path()).await);
        let rows = rows(&old, &mut random);
        fill(&sqlite, &old, &rows).await;
        fill(&*database.engine, &old, &rows).await;
        assert_eq!(dump(&sqlite, &old).await, dump(&*database.engine, &old).await);
        let plan = draft(&scratch, &new, &file::read(folder.path()).unwrap()).await.unwrap();
        if plan.is_empty() {
            continue;
        }
        let text = file::write(folder.path(), "to", &plan).unwrap().text;
        let told = || format!("case {case}\n{}\n{}\n{text}", from.sdl(), to.sdl());
        let (here, there) = (up(&sqlite, folder.path()).await, up(&*database.engine, folder.path()).await);
        if here && there {
            let (before, after) = (dump(&sqlite, &new).await, dump(&*database.engine, &new).await);
            assert_eq!(before, after, "{}", told());
            kept += after.len();
            applied += 1;
        } else {
            assert_eq!(here, there, "SQLite and {} disagree\n{}", database.dialect.name, told());
            refused += 1;
        }
    }
    println!("rows: {applied} applied with {kept} rows, {refused} refused");
    assert!(kept > 0);
}
