//! Two versions on one database: between the two files of an expansion both write, and both read what the other
//! one wrote; afterwards the new one alone is there.

use crate::kills::{mortally, written};
use crate::rows::dump;
use crate::{compiled, consented, diff_of, node, shapes};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::back::{Place, down};
use backstay_migrate::change::Plan;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::expand::{self, contracted};
use backstay_migrate::file::{self, MigrationFile};
use backstay_migrate::{apply, drift};
use backstay_policy::weave;
use backstay_query::named::{Comparison, Field, Filter, Input, Insert, Operand, Query, Test, Update};
use backstay_query::plan::{End, Expect};
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::Owner;
use backstay_schema::value::{Decimal, Value};
use backstay_sql::ddl;
use backstay_testkit::database::{Database, server};
use backstay_testkit::seed::seeded;
use rand::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

const BEFORE: &str = r#"
type Club { id: ID! label: String! }
type Member {
  id: ID!
  name: String! @unique @valid(maxLength: 40)
  age: Int
  price: Int @index
  legacy: String!
  club: Club
}
type Old { id: ID! }
"#;

const AFTER: &str = r#"
type Club { id: ID! label: String! town: String }
type Member {
  id: ID!
  title: String! @was(name: "name") @unique @valid(maxLength: 40)
  age: Int! @default(value: 30)
  cost: Decimal @was(name: "price") @index
  stars: Int! @default(value: 3)
  home: Club @was(name: "club")
}
"#;

/// More than two batches.
const ROWS: u128 = 2_300;

struct Stage {
    database: Database,
    folder: TempDir,
    old: Arc<Catalog>,
    new: Arc<Catalog>,
    ids: Ids,
}

impl Stage {
    /// Rows of the version before, and the two files.
    async fn new(rows: u128) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
        let [old, new] = [BEFORE, AFTER].map(|sdl| Arc::new(compiled(&[(sdl, Owner::Project)])));
        let database = Database::fresh(&Limits::default()).await;
        let ids = Ids::seeded(Clock::fixed(0), 1);
        let stage = Self { database, folder, old, new, ids };
        written(&scratch, stage.folder.path(), &stage.old).await.unwrap();
        assert_eq!(stage.up().await, ["0001_change.sql"]);
        for first in (0..rows).step_by(500) {
            let rows = (first..rows.min(first + 500)).map(|number| old_row(number, None)).collect();
            stage.ask(&stage.old, insert(OLD, rows)).await;
        }
        let two = expand::draft(&scratch, &stage.new, &stage.files()).await.unwrap();
        file::write(stage.folder.path(), "two_expand", &two.expand).unwrap();
        file::write(stage.folder.path(), "two_contract", &two.contract).unwrap();
        stage
    }

    fn files(&self) -> Vec<MigrationFile> {
        file::read(self.folder.path()).unwrap()
    }

    async fn up(&self) -> Vec<String> {
        let files = self.files();
        consented(&self.database, &files, &node("a", 60_000)).await.unwrap()
    }

    async fn down(&self) -> Result<Vec<String>, String> {
        let (clock, node) = (Clock::fixed(0), node("a", 60_000));
        let Database { engine, dialect, .. } = &self.database;
        let place = Place { engine: &**engine, dialect, node: &node, ids: &self.ids, clock: &clock };
        let mut done = Vec::new();
        down(place, &self.files(), 1, &mut done).await.map(|()| done).map_err(|fault| fault.message)
    }

    async fn ask(&self, catalog: &Arc<Catalog>, query: Query) {
        let script =
            resolve(catalog, &[(query, Expect::Any)], End::Commit, Reach::System, &Limits::default())
                .unwrap();
        let guarded = weave::system(script, 0, catalog, &self.ids).unwrap();
        self.database.engine.run(&guarded).await.unwrap();
    }

    /// Rows by id, as a version reads them.
    async fn read(&self, catalog: &Arc<Catalog>) -> BTreeMap<String, BTreeMap<String, String>> {
        let lines = dump(&*self.database.engine, catalog).await;
        let rows = lines.iter().filter_map(|line| line.strip_prefix("member "));
        let row = |line: &str| -> BTreeMap<String, String> {
            line.split(' ')
                .filter_map(|cell| cell.split_once('='))
                .map(|(a, b)| (a.into(), b.into()))
                .collect()
        };
        rows.map(row).map(|row| (row["id"].clone(), row)).collect()
    }

    /// Both versions see the same.
    async fn agree(&self) {
        let (old, new) = (self.read(&self.old).await, self.read(&self.new).await);
        assert_eq!(old.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
        for (id, old) in &old {
            let new = &new[id];
            assert_eq!(old["name"], new["title"], "{id}");
            assert_eq!(old["club_id"], new["home_id"], "{id}");
            let price = old["price"].strip_prefix("Int(").and_then(|price| price.strip_suffix(')'));
            assert_eq!(price.map_or("Null".to_owned(), |price| format!("{price}.0000")), new["cost"], "{id}");
            assert!(new["age"] != "Null" && new["stars"] != "Null" && old["age"] == new["age"], "{new:?}");
        }
    }
}

const OLD: &[&str] = &["id", "name", "age", "price", "legacy"];
const NEW: &[&str] = &["id", "title", "age", "cost", "stars"];

fn old_row(number: u128, age: Option<i64>) -> Vec<Value> {
    let age = age.map_or(Value::Null, Value::Int);
    let price = i64::try_from(number % 1_000).unwrap();
    let (name, legacy) = (Value::Text(format!("old-{number}")), Value::Text("l".into()));
    vec![Value::Uuid(Uuid::from_u128(number + 1)), name, age, Value::Int(price), legacy]
}

fn new_row(number: u128) -> Vec<Value> {
    let units = i128::try_from(number % 1_000).unwrap() * 10_000;
    let (title, cost) = (Value::Text(format!("new-{number}")), Value::Decimal(Decimal { units, scale: 4 }));
    vec![Value::Uuid(Uuid::from_u128(number + 1)), title, Value::Int(1), cost, Value::Int(5)]
}

fn insert(columns: &[&str], rows: Vec<Vec<Value>>) -> Query {
    Query::Insert(Insert {
        table: "member".into(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows.into_iter().map(|row| row.into_iter().map(Input::Value).collect()).collect(),
        ..Insert::default()
    })
}

fn update(number: u128, column: &str, value: Value) -> Query {
    let id = Field { name: "id".into(), path: Vec::new() };
    let is = Test::Compare(Comparison::Eq, Operand::Value(Value::Uuid(Uuid::from_u128(number + 1))));
    Query::Update(Update {
        table: "member".into(),
        assign: vec![(column.to_owned(), Input::Value(value))],
        filters: vec![Filter::Field(id, is)],
        returning: None,
    })
}

/// What the version before goes on doing.
async fn old_writes(stage: &Stage, from: u128, count: u128) {
    for number in from..from + count {
        stage.ask(&stage.old, insert(OLD, vec![old_row(number, (number % 2 == 0).then_some(7))])).await;
        stage
            .ask(
                &stage.old,
                update(number, "name", Value::Text(format!("old again {number}").replace(' ', "-"))),
            )
            .await;
        stage
            .ask(
                &stage.old,
                update(number % 50, "price", Value::Int(5_000 + i64::try_from(number % 100).unwrap())),
            )
            .await;
        stage.ask(&stage.old, update(number % 50, "age", Value::Null)).await;
    }
}

/// What the new one does.
async fn new_writes(stage: &Stage, from: u128, count: u128) {
    for number in from..from + count {
        stage.ask(&stage.new, insert(NEW, vec![new_row(number)])).await;
        stage.ask(&stage.new, update(number, "title", Value::Text(format!("new-again-{number}")))).await;
        let cost = Value::Decimal(Decimal { units: 70_000, scale: 4 });
        stage.ask(&stage.new, update(50 + number % 50, "cost", cost)).await;
        stage.ask(&stage.new, update(50 + number % 50, "cost", Value::Null)).await;
    }
}

#[tokio::test]
async fn two_versions_write_and_read_between_the_files() {
    if server().is_none() {
        return one_process_needs_no_room().await;
    }
    let stage = Stage::new(ROWS).await;
    let engine = &*stage.database.engine;
    let (expanded, ()) = tokio::join!(stage.up(), old_writes(&stage, 10_000, 40));
    assert_eq!(expanded, ["0002_two_expand.sql"]);
    crate::lints_read(&stage.files());
    // the second file waits
    assert_eq!(stage.up().await, Vec::<String>::new());
    let files = stage.files();
    let status = apply::status(engine, &files).await.unwrap();
    assert_eq!((status.pending.len(), apply::due(engine, &status).len()), (1, 0));
    stage.agree().await;
    tokio::join!(old_writes(&stage, 20_000, 40), new_writes(&stage, 30_000, 40));
    stage.agree().await;
    assert_eq!(stage.read(&stage.new).await.len(), usize::try_from(ROWS).unwrap() + 120);

    // what the new version is compared with when it starts
    let live = contracted(&engine.introspect().await.unwrap(), &stage.new, &status.pending);
    let plan = diff(engine, stage.database.dialect, &stage.new, &live, Scope::Project).await.unwrap();
    assert_eq!(plan, Plan::default());
    // the version before may start again
    let before = apply::status(engine, &files[..1]).await.unwrap();
    assert!(before.problems.is_empty() && before.is_expanded(&files[..1]), "{before:?}");
    assert!(!status.is_expanded(&files));

    let known = stage.read(&stage.new).await;
    let done = apply::up(
        engine,
        &files,
        &Clock::fixed(0),
        apply::Going::with_consent(true).contracting(),
        &node("a", 60_000),
    )
    .await
    .unwrap();
    assert_eq!(done, ["0003_two_contract.sql"]);
    assert_eq!(stage.read(&stage.new).await, known);
    assert_eq!(diff_of(&stage.database, &stage.new, Scope::Project).await, Plan::default());
    let made = ddl::create_all(&stage.new, stage.database.dialect);
    let wanted = shapes(&engine.rehearse(&made).await.unwrap());
    assert_eq!(shapes(&engine.introspect().await.unwrap()), wanted);
    assert_eq!(drift::drift(engine, stage.database.dialect, &files).await.unwrap(), []);
    new_writes(&stage, 40_000, 3).await;
}

/// One process has a file of SQLite: no version before it runs, and both files are applied at once.
async fn one_process_needs_no_room() {
    let stage = Stage::new(20).await;
    assert_eq!(stage.up().await, ["0002_two_expand.sql", "0003_two_contract.sql"]);
    assert_eq!(diff_of(&stage.database, &stage.new, Scope::Project).await, Plan::default());
    assert_eq!(stage.read(&stage.new).await.len(), 20);
}

/// Statements by hand that end with a limit are asked again until all rows are done, on every engine.
#[tokio::test]
async fn batches_by_hand_reach_all_rows() {
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..2_500).map(|number| format!("({number})")).collect();
    let make = format!(
        "CREATE TABLE note (id INT NOT NULL PRIMARY KEY, n INT);\nINSERT INTO note (id) VALUES {};\n",
        rows.join(", ")
    );
    let fill = "-- @sqlite,postgres\n\
        UPDATE note SET n = 1 WHERE (id) IN (SELECT id FROM note WHERE n IS NULL LIMIT 1000);\n\
        -- @mysql\nUPDATE note SET n = 1 WHERE n IS NULL LIMIT 1000;\n";
    // refuses a row that was left
    let proof = "CREATE TABLE proof (n INT NOT NULL);\nINSERT INTO proof (n) SELECT n FROM note;\n";
    for (name, text) in [("0001_make.sql", make.as_str()), ("0002_fill.sql", fill), ("0003_proof.sql", proof)]
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let files = file::read(folder.path()).unwrap();
    let done = consented(&database, &files, &node("a", 60_000)).await.unwrap();
    assert_eq!(done.len(), 3);
}

/// What goes by a key looks at no row for each batch again: rows that are looked at are counted.
#[tokio::test]
async fn batches_by_key_look_at_each_row_a_few_times() {
    const ROWS: u64 = 2_500;
    let Some(_) = server() else {
        eprintln!("skipped: SQLite does all in one transaction");
        return;
    };
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..ROWS).map(|number| format!("({}, 'b{number}')", number % 7)).collect();
    let make = format!(
        "-- @postgres\nCREATE SEQUENCE seen;\n-- @mysql\nCREATE SEQUENCE seen NOCACHE;\n-- @all\n\
         CREATE TABLE note (a INT NOT NULL, b VARCHAR(20) NOT NULL, n INT, PRIMARY KEY (a, b));\n\
         INSERT INTO note (a, b) VALUES {};\n",
        rows.join(", ")
    );
    let (seen, last) = match database.dialect.name {
        "postgres" => ("CASE WHEN nextval('seen') > 0 THEN n IS NULL END", "SELECT last_value FROM seen"),
        _ => ("CASE WHEN nextval(seen) > 0 THEN n IS NULL END", "SELECT next_not_cached_value FROM seen"),
    };
    let fill = format!(
        "-- @postgres\nUPDATE note SET n = 1 WHERE (a, b) IN (SELECT a, b FROM note WHERE {seen} ORDER BY a, b LIMIT 100);\n\
         -- @mysql\nUPDATE note SET n = 1 WHERE {seen} ORDER BY a, b LIMIT 100;\n"
    );
    let proof = "CREATE TABLE proof (n INT NOT NULL);\nINSERT INTO proof (n) SELECT n FROM note;\n";
    for (name, text) in
        [("0001_make.sql", make.as_str()), ("0002_fill.sql", fill.as_str()), ("0003_proof.sql", proof)]
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let files = file::read(folder.path()).unwrap();
    let done = consented(&database, &files, &node("a", 60_000)).await.unwrap();
    assert_eq!(done.len(), 3);
    let looked: u64 = database.texts(last).await[0].parse().unwrap();
    println!("batches: {looked} looks at {ROWS} rows");
    // each batch from the beginning would be 25 looks at half of them; here a pass, and another that finds nothing
    assert!(looked > ROWS && looked < 6 * ROWS, "{looked}");
}

/// A new database has no version before.
#[tokio::test]
async fn a_new_database_waits_for_nobody() {
    let stage = Stage::new(0).await;
    let fresh = Database::fresh(&Limits::default()).await;
    let files = stage.files();
    let done = consented(&fresh, &files, &node("a", 60_000)).await.unwrap();
    assert_eq!(done.len(), 3);
    assert_eq!(diff_of(&fresh, &stage.new, Scope::Project).await, Plan::default());
}

#[tokio::test]
async fn an_expansion_that_dies_goes_on_with_its_batches() {
    if server().is_none() {
        eprintln!("skipped: the first file is empty on SQLite");
        return;
    }
    let mut random = seeded("expansions", 20_261_010);
    let stage = Stage::new(ROWS).await;
    let file = stage.files().remove(1);
    let mut life = 0;
    let mut lives = || {
        life += random.random_range(1..12);
        life
    };
    let dead = mortally(&*stage.database.engine, &file, &mut lives).await.unwrap();
    assert!(dead > 2, "{dead}");
    stage.agree().await;
    println!("expansions: {dead} deaths");
}

#[tokio::test]
async fn what_cannot_be_done_in_two_files_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
    let before = "enum State { ONE TWO } type Note { id: ID! text: String n: Decimal state: State }";
    let old = compiled(&[(before, Owner::Project)]);
    written(&scratch, folder.path(), &old).await.unwrap();
    let files = file::read(folder.path()).unwrap();
    for (after, words) in [
        (
            "enum State { ONE TWO } type Remark @was(name: \"Note\") { id: ID! text: String n: Decimal state: State }",
            "note is called remark; keep its name: @table(name: \"note\")",
        ),
        (
            "enum State { ONE TWO } type Note { id: ID! text: Int n: Decimal state: State }",
            "note.text takes another type; give it another column: @column(name: \"text_2\") @was(name: \"text\")",
        ),
        (
            "enum State { ONE TWO } type Note { id: ID! text: String m: Int @was(name: \"n\") state: State }",
            "the last digits of note.n are lost",
        ),
        (
            "enum State { ONE TWO } type Note { id: ID! text: String! n: Decimal state: State }",
            "note.text requires a value that the version before does not give; it needs a @default",
        ),
        (
            "enum State { ONE OTHER @was(name: \"TWO\") } type Note { id: ID! text: String n: Decimal state: State }",
            "members of note.state take other names",
        ),
    ] {
        let new = compiled(&[(after, Owner::Project)]);
        let refused = expand::draft(&scratch, &new, &files).await.unwrap_err();
        assert_eq!(refused.message, format!("this cannot be done in two files: {words}"));
    }
    // what lives on is not lost
    let moved = "enum State { ONE TWO } type Note { id: ID! words: String @was(name: \"text\") n: Decimal state: State }";
    let two = expand::draft(&scratch, &compiled(&[(moved, Owner::Project)]), &files).await.unwrap();
    assert!(!two.contract.is_empty() && !two.contract.is_destructive() && !two.expand.is_destructive());
    // what the version before does not mind is one file
    let more = "enum State { ONE TWO } type Note { id: ID! text: String n: Decimal state: State more: Int }";
    let two = expand::draft(&scratch, &compiled(&[(more, Owner::Project)]), &files).await.unwrap();
    assert!(two.contract.is_empty() && !two.expand.is_empty());
}

/// The first file alone is taken back: what the version before has is what it wrote, and what the new one wrote to it.
#[tokio::test]
async fn the_first_file_is_taken_back_while_the_second_waits() {
    if server().is_none() {
        eprintln!("skipped: the first file is empty on SQLite");
        return;
    }
    let stage = Stage::new(ROWS).await;
    let engine = &*stage.database.engine;
    let before = shapes(&engine.introspect().await.unwrap());
    let known = stage.read(&stage.old).await;
    assert_eq!(stage.up().await, ["0002_two_expand.sql"]);
    assert_eq!(stage.down().await, Ok(vec!["0002_two_expand.sql".to_owned()]));
    assert_eq!(shapes(&engine.introspect().await.unwrap()), before);
    let mut now = stage.read(&stage.old).await;
    // rows that had no value keep the one that they got
    now.values_mut().for_each(|row| drop(row.insert("age".into(), "Null".into())));
    assert_eq!(now, known);

    // once more, with rows of both versions
    assert_eq!(stage.up().await, ["0002_two_expand.sql"]);
    stage.agree().await;
    old_writes(&stage, 10_000, 20).await;
    let with_old = stage.read(&stage.old).await;
    assert_eq!(stage.down().await, Ok(vec!["0002_two_expand.sql".to_owned()]));
    assert_eq!(stage.read(&stage.old).await, with_old);
    old_writes(&stage, 11_000, 3).await;

    assert_eq!(stage.up().await, ["0002_two_expand.sql"]);
    new_writes(&stage, 20_000, 20).await;
    let refused = stage.down().await.unwrap_err();
    assert!(refused.starts_with("0002_two_expand.sql cannot be taken back: "), "{refused}");
    // and it changed nothing
    assert_eq!(stage.up().await, Vec::<String>::new());
    stage.agree().await;
}
