//! Files that are taken back: what stood before stands again, with its rows; what would be lost is named;
//! whoever dies on the way back is followed by somebody who goes on.

use crate::kills::{Mortal, written};
use crate::model::Model;
use crate::rows::{dump, fill, rows};
use crate::{compiled, node, shapes};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine::migration::{Batch, Way};
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::back::{Place, down, prepared};
use backstay_migrate::file::{self, MigrationFile};
use backstay_migrate::lease::Node;
use backstay_migrate::{apply, drift};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::Owner;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_testkit::database::{Database, server};
use backstay_testkit::seed::{cases, seeded};
use rand::Rng;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A database and the files that are applied to it.
struct Stage {
    database: Database,
    folder: TempDir,
    scratch: Sqlite,
}

const CLOCK: i64 = 1_700_000_000_000_000;

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
        Self { database: Database::fresh(&Limits::default()).await, folder, scratch }
    }

    fn files(&self) -> Vec<MigrationFile> {
        file::read(self.folder.path()).unwrap()
    }

    async fn write(&self, sdl: &str) -> Option<(Arc<Catalog>, MigrationFile)> {
        let catalog = Arc::new(compiled(&[(sdl, Owner::Project)]));
        let file = written(&self.scratch, self.folder.path(), &catalog).await?;
        Some((catalog, file))
    }

    fn write_text(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    async fn up(&self) -> Result<Vec<String>, String> {
        let engine = &*self.database.engine;
        apply::up(
            engine,
            &self.files(),
            &Clock::fixed(CLOCK),
            apply::Going::with_consent(true),
            &node("a", 60_000),
        )
        .await
        .map_err(|fault| fault.message)
    }

    async fn down(&self, steps: usize) -> (Vec<String>, Result<(), String>) {
        let (clock, node) = (Clock::fixed(CLOCK), node("a", 60_000));
        let ids = Ids::seeded(clock.clone(), 1);
        let place = self.place(&clock, &node, &ids);
        let mut done = Vec::new();
        let outcome = down(place, &self.files(), steps, &mut done).await;
        (done, outcome.map_err(|fault| fault.message))
    }

    fn place<'a>(&'a self, clock: &'a Clock, node: &'a Node, ids: &'a Ids) -> Place<'a> {
        let Database { engine, dialect, .. } = &self.database;
        Place { engine: &**engine, dialect, node, ids, clock }
    }

    async fn shapes(&self) -> Vec<String> {
        shapes(&self.database.engine.introspect().await.unwrap())
    }

    /// The same, taken back by programs that die; how many did.
    async fn down_mortally(&self, lives: &mut impl FnMut() -> usize) -> Result<usize, String> {
        let (clock, node) = (Clock::fixed(CLOCK), node("a", 60_000));
        let ids = Ids::seeded(clock.clone(), 1);
        let engine = &*self.database.engine;
        let last = engine.journal().await.unwrap().last().map(|row| row.number);
        for dead in 0.. {
            let now = engine.journal().await.unwrap().last().map(|row| row.number);
            if now != last {
                engine.migrate(&Batch::plain(Vec::new())).await.unwrap();
                return Ok(dead);
            }
            let step = prepared(self.place(&clock, &node, &ids), &self.files()).await;
            // whoever died may have been heard after all, and another file is the last one now
            let step = step
                .map_err(|fault| fault.message)?
                .filter(|step| step.batch.journal.as_ref().map(|row| row.number) == last);
            let Some(step) = step else { continue };
            let run = Mortal { work: Box::pin(engine.migrate(&step.batch)), waits: lives() };
            match run.await {
                None => {}
                Some(Ok(())) => return Ok(dead),
                Some(Err(fault)) if fault.message.ends_with("was taken back already") => {}
                Some(Err(fault)) => return Err(fault.message),
            }
        }
        unreachable!("somebody lives long enough")
    }
}

async fn drifted(stage: &Stage, applied: &[MigrationFile]) -> Vec<drift::Drift> {
    drift::drift(&*stage.database.engine, stage.database.dialect, applied).await.unwrap()
}

const BEFORE: &str = r#"
enum State { OPEN CLOSED }
type Club { id: ID! name: String! @unique }
type Note { id: ID! text: String }
type Member {
  id: ID!
  name: String!
  nick: String
  age: Int
  points: Int @valid(min: 0)
  state: State
  club: Club
  rank: Int @index
}
"#;

const AFTER: &str = r#"
enum State { OPEN SHUT @was(name: "CLOSED") LOST }
type Club { id: ID! name: String! town: String @index }
type Remark @was(name: "Note") { id: ID! text: String }
type Prize { id: ID! member: Member! }
"What it is about."
type Member {
  id: ID!
  title: String! @was(name: "name")
  nick: String @unique
  age: Int! @default(value: 30)
  points: Int @valid(min: 0, max: 1000)
  state: State
  home: Club @was(name: "club")
  prizes: [Prize!]
  weight: Int! @default(value: 7)
  rank: BigInt
}
"#;

#[tokio::test]
async fn what_stood_before_stands_again_with_its_rows() {
    let stage = Stage::new().await;
    let (old, _) = stage.write(BEFORE).await.unwrap();
    stage.up().await.unwrap();
    let engine = &*stage.database.engine;
    fill(engine, &old, &rows(&old, &mut seeded("back", 20_261_001))).await;
    // who requires an age gives one to those without
    let before = (stage.shapes().await, dump(engine, &old).await);
    let journal = engine.journal().await.unwrap();
    stage.write(AFTER).await.unwrap();
    let files = stage.files();
    for _ in 0..2 {
        assert_eq!(stage.up().await, Ok(vec!["0002_change.sql".to_owned()]));
        let there = stage.shapes().await;
        assert_ne!(there, before.0);
        assert_eq!(stage.down(1).await, (vec!["0002_change.sql".to_owned()], Ok(())));
        assert_eq!(stage.shapes().await, before.0);
        assert_eq!(engine.journal().await.unwrap(), journal);
        assert_eq!(drifted(&stage, files.get(..1).unwrap()).await, []);
        let kept = |lines: &[String]| -> Vec<String> {
            // ages that were given stay
            lines.iter().map(|line| line.replace("age=Null", "age=Int(30)")).collect()
        };
        assert_eq!(kept(&dump(engine, &old).await), kept(&before.1));
        let status = apply::status(engine, &files).await.unwrap();
        assert_eq!((status.applied.len(), status.pending.len(), status.problems), (1, 1, Vec::new()));
    }
}

#[tokio::test]
async fn what_would_be_lost_is_named() {
    let stage = Stage::new().await;
    stage.write("type Note { id: ID! text: String old: Int }").await.unwrap();
    stage.up().await.unwrap();
    let refused = async |name: &str, text: &str, words: &str| {
        stage.write_text(name, text);
        stage.up().await.unwrap();
        let before = (stage.shapes().await, stage.database.engine.journal().await.unwrap());
        let (done, outcome) = stage.down(1).await;
        assert_eq!((done, outcome), (Vec::new(), Err(words.to_owned())));
        assert_eq!((stage.shapes().await, stage.database.engine.journal().await.unwrap()), before);
        std::fs::remove_file(stage.folder.path().join(name)).unwrap();
        let row = stage.database.engine.journal().await.unwrap().pop().unwrap();
        let forget = Batch { journal: Some(row), way: Way::Back, ..Batch::plain(Vec::new()) };
        stage.database.engine.migrate(&forget).await.unwrap();
    };
    refused(
        "0002_rows.sql",
        "UPDATE note SET text = 'x';\n",
        "0002_rows.sql cannot be taken back: line 1: UPDATE note SET text = 'x'",
    )
    .await;
    refused(
        "0002_view.sql",
        "CREATE VIEW notes AS SELECT 1 AS a;\n",
        "0002_view.sql cannot be taken back: line 1: CREATE VIEW notes AS SELECT 1 AS a",
    )
    .await;
    let away = Batch::plain(vec!["DROP VIEW notes".to_owned()]);
    stage.database.engine.migrate(&away).await.unwrap();
    let gone = "ALTER TABLE note DROP COLUMN old";
    refused("0002_gone.sql", &format!("{gone};\n"), &format!("0002_gone.sql cannot be taken back: {gone}"))
        .await;
}

#[tokio::test]
async fn rows_and_values_that_came_since_are_not_dropped() {
    let stage = Stage::new().await;
    stage.write("type Note { id: ID! text: String }").await.unwrap();
    stage.up().await.unwrap();
    let (new, _) =
        stage.write("type Note { id: ID! text: String weight: Int } type Tag { id: ID! }").await.unwrap();
    stage.up().await.unwrap();
    let engine = &*stage.database.engine;
    fill(engine, &new, &rows(&new, &mut seeded("back values", 20_261_002))).await;
    let before = (stage.shapes().await, dump(engine, &new).await);
    let (done, outcome) = stage.down(2).await;
    let words = outcome.unwrap_err();
    assert!(words.starts_with("0002_change.sql cannot be taken back: it made "), "{words}");
    assert!(words.ends_with(" by now"), "{words}");
    assert_eq!(done, Vec::<String>::new());
    assert_eq!((stage.shapes().await, dump(engine, &new).await), before);
}

#[tokio::test]
async fn all_files_go_back_one_after_the_other_to_nothing() {
    let stage = Stage::new().await;
    for sdl in [BEFORE, AFTER] {
        stage.write(sdl).await.unwrap();
        stage.up().await.unwrap();
    }
    let names = vec!["0002_change.sql".to_owned(), "0001_change.sql".to_owned()];
    assert_eq!(stage.down(5).await, (names, Ok(())));
    assert_eq!(stage.shapes().await, Vec::<String>::new());
    assert_eq!(stage.up().await.unwrap().len(), 2);
}

/// Whatever was drifted is not built upon on the way back either.
#[tokio::test]
async fn a_database_that_somebody_changed_is_left_alone() {
    let stage = Stage::new().await;
    for sdl in ["type Note { id: ID! }", "type Note { id: ID! text: String }"] {
        stage.write(sdl).await.unwrap();
        stage.up().await.unwrap();
    }
    let by_hand = vec!["ALTER TABLE note ADD COLUMN mine INT".to_owned()];
    stage.database.engine.migrate(&Batch::plain(by_hand)).await.unwrap();
    let (_, outcome) = stage.down(1).await;
    let words =
        "the database is not as the migration files left it: note.mine is a column that no file makes";
    assert_eq!(outcome, Err(words.to_owned()));
}

#[tokio::test]
async fn a_way_back_that_dies_anywhere_ends_as_if_it_had_not() {
    if server().is_none() {
        for done in 0.. {
            if !killed_on_sqlite(done).await {
                assert!(done > 5, "{done}");
                return;
            }
        }
    }
    let (mut waits, stride) = (1, if cases(1) > 1 { 1 } else { 29 });
    loop {
        let stage = Stage::new().await;
        let (old, _) = stage.write(BEFORE).await.unwrap();
        stage.up().await.unwrap();
        let engine = &*stage.database.engine;
        fill(engine, &old, &rows(&old, &mut seeded("back kills", 20_261_003))).await;
        let before = stage.shapes().await;
        stage.write(AFTER).await.unwrap();
        stage.up().await.unwrap();
        let mut left = Some(waits);
        let dead = stage.down_mortally(&mut || left.take().unwrap_or(usize::MAX)).await.unwrap();
        assert_eq!(stage.shapes().await, before, "after {waits} waits");
        assert_eq!(drifted(&stage, stage.files().get(..1).unwrap()).await, [], "after {waits} waits");
        assert_eq!(engine.journal().await.unwrap().len(), 1);
        assert_eq!(engine.unfinished().await.unwrap(), [], "after {waits} waits");
        assert_eq!(stage.up().await.unwrap().len(), 1);
        if dead == 0 {
            break;
        }
        waits += stride;
    }
    println!("back kills: {waits} waits, died at each of {stride}");
}

fn place<'a>(engine: &'a Sqlite, node: &'a Node, ids: &'a Ids, clock: &'a Clock) -> Place<'a> {
    Place { engine, dialect: &SQLITE, node, ids, clock }
}

/// A file of SQLite as it is found where a program died that had run some statements of the way back;
/// whether there were so many.
async fn killed_on_sqlite(done: usize) -> bool {
    let stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let [path, found] = ["whole.db", "found.db"].map(|name| folder.path().join(name));
    let (clock, node) = (Clock::fixed(CLOCK), node("a", 60_000));
    let ids = Ids::seeded(clock.clone(), 1);
    let (mut before, mut after, mut batch) = (Vec::new(), Vec::new(), None);
    {
        let engine = Sqlite::open(&path, &Limits::default()).unwrap();
        for sdl in [BEFORE, AFTER] {
            before = std::mem::take(&mut after);
            stage.write(sdl).await.unwrap();
            apply::up(&engine, &stage.files(), &clock, apply::Going::with_consent(true), &node)
                .await
                .unwrap();
            after = shapes(&engine.introspect().await.unwrap());
        }
        batch.replace(
            prepared(place(&engine, &node, &ids, &clock), &stage.files()).await.unwrap().unwrap().batch,
        );
    }
    let statements = batch.unwrap().statements;
    let connection = rusqlite::Connection::open(&path).unwrap();
    let setting = "PRAGMA foreign_keys = OFF; PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE";
    connection.execute_batch(setting).unwrap();
    for statement in statements.iter().take(done) {
        connection.execute_batch(statement).unwrap();
    }
    for end in ["", "-wal"] {
        let [from, to] = [&path, &found].map(|path| [path.to_str().unwrap(), end].concat());
        if Path::new(&from).exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
    let engine = Sqlite::open(&found, &Limits::default()).unwrap();
    assert_eq!(shapes(&engine.introspect().await.unwrap()), after, "after {done} statements");
    assert_eq!(engine.journal().await.unwrap().len(), 2);
    down(place(&engine, &node, &ids, &clock), &stage.files(), 1, &mut Vec::new()).await.unwrap();
    assert_eq!(shapes(&engine.introspect().await.unwrap()), before, "after {done} statements");
    assert_eq!(engine.journal().await.unwrap().len(), 1);
    done < statements.len()
}

#[tokio::test]
async fn random_files_go_back_or_say_why_not() {
    let mut random = seeded("back pairs", 20_261_004);
    let (mut back, mut refused, mut died) = (0_u64, 0_u64, 0_usize);
    for case in 0..cases(12) {
        let from = Model::random(&mut random);
        let to = from.edited(&mut random);
        let stage = Stage::new().await;
        let (old, _) = stage.write(&from.sdl()).await.unwrap();
        stage.up().await.unwrap();
        let engine = &*stage.database.engine;
        let content = if random.random_range(0..2) > 0 { rows(&old, &mut random) } else { Vec::new() };
        fill(engine, &old, &content).await;
        let before = (stage.shapes().await, dump(engine, &old).await);
        let Some((_, file)) = stage.write(&to.sdl()).await else { continue };
        if stage.up().await.is_err() {
            continue;
        }
        let there = stage.shapes().await;
        let told = format!("case {case}\n{}\n{}\n{}", from.sdl(), to.sdl(), file.text);
        // who drops work on SQLite does not end it
        let mut life = Some(random.random_range(1..20)).filter(|_| server().is_some());
        match stage.down_mortally(&mut || life.take().unwrap_or(usize::MAX)).await {
            Ok(dead) => {
                died += dead;
                back += 1;
                assert_eq!(stage.shapes().await, before.0, "{told}");
                assert_eq!(drifted(&stage, stage.files().get(..1).unwrap()).await, [], "{told}");
                let after = dump(engine, &old).await;
                assert_eq!(after.len(), before.1.len(), "{told}");
                if !has_fills(&file) {
                    assert_eq!(after, before.1, "{told}");
                }
            }
            Err(words) => {
                refused += 1;
                println!("{words}");
                if words.contains("cannot be taken back") {
                    assert_eq!(stage.shapes().await, there, "{words}\n{told}");
                }
            }
        }
    }
    println!("back: {back} files taken back over {died} deaths, {refused} refused");
    assert!(back > 0);
}

/// Rows that were given a value keep it.
fn has_fills(file: &MigrationFile) -> bool {
    file.text.contains("IS NULL;") || file.text.contains("coalesce(")
}

/// What SQLite itself does not tell apart is taken back as the files say it: a text that is no date stops the way back.
#[tokio::test]
async fn a_text_that_was_a_date_is_read_again_on_the_way_back() {
    let stage = Stage::new().await;
    for ty in ["Date", "String"] {
        stage.write(&format!("type Note {{ id: Int! at: {ty} }}")).await.unwrap();
    }
    stage.up().await.unwrap();
    let run = async |text: &str| {
        stage.database.engine.migrate(&Batch::plain(vec![text.to_owned()])).await.unwrap();
    };
    run("INSERT INTO note (id, at) VALUES (1, '2024-01-05')").await;
    let (done, outcome) = stage.down(1).await;
    assert_eq!((done.len(), outcome), (1, Ok(())));
    stage.up().await.unwrap();
    run("INSERT INTO note (id, at) VALUES (2, '5 January')").await;
    let (shapes, files) = (stage.shapes().await, stage.files());
    let (done, outcome) = stage.down(1).await;
    assert_eq!(done, Vec::<String>::new());
    assert!(outcome.is_err());
    if stage.database.dialect.name != "mysql" {
        assert_eq!(stage.shapes().await, shapes);
    }
    run("DELETE FROM note WHERE id = 2").await;
    let (done, outcome) = stage.down(1).await;
    assert_eq!((done, outcome), (vec![files[1].name.clone()], Ok(())));
}
