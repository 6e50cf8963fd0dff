//! Migrations whose program dies: whoever asks the database is gone at one await or another, and
//! another run goes on. The database ends as one where nobody died.

use crate::model::Model;
use crate::rows::{dump, fill, rows};
use crate::{compiled, diff_of, shapes};
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow, Pace};
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::change::Plan;
use backstay_migrate::diff::Scope;
use backstay_migrate::draft::draft;
use backstay_migrate::file::{self, MigrationFile};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::Owner;
use backstay_sql::ddl;
use backstay_testkit::database::{Database, server};
use backstay_testkit::seed::{cases, seeded};
use rand::Rng;
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Work that is dropped when it has waited a number of times.
pub(crate) struct Mortal<F> {
    pub(crate) work: Pin<Box<F>>,
    pub(crate) waits: usize,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.waits <= 1 => Poll::Ready(None),
            Poll::Pending => {
                self.waits -= 1;
                Poll::Pending
            }
        }
    }
}

fn batch(file: &MigrationFile, engine: &dyn Engine) -> Batch {
    let journal = JournalRow {
        number: file.number,
        name: file.name.clone(),
        checksum: file.checksum.clone(),
        applied_at: "2026-01-31T09:00:00+00:00".into(),
    };
    let statements = file.statements(engine.name());
    Batch { journal: Some(journal), pace: Pace::Parts, ..Batch::plain(statements) }
}

/// Whether the file is applied, or what it is refused with.
async fn straight(engine: &dyn Engine, file: &MigrationFile) -> Result<(), String> {
    engine
        .migrate(&batch(file, engine))
        .await
        .map_err(|fault| format!("{} {}", fault.code.text, fault.message))
}

/// The same by programs of which each lives a little longer than the one before; how many died.
pub(crate) async fn mortally(
    engine: &dyn Engine,
    file: &MigrationFile,
    lives: &mut impl FnMut() -> usize,
) -> Result<usize, String> {
    let work = batch(file, engine);
    for dead in 0.. {
        let applied = engine.journal().await.unwrap();
        if applied.iter().any(|row| row.number == file.number) {
            // whoever died had no time to tell the pool that tables are other ones now
            engine.migrate(&Batch::plain(Vec::new())).await.unwrap();
            return Ok(dead);
        }
        let run = Mortal { work: Box::pin(engine.migrate(&work)), waits: lives() };
        match run.await {
            None => {}
            Some(Ok(())) => return Ok(dead),
            // what was asked last was heard after all
            Some(Err(fault)) if fault.message.ends_with("was applied already") => {}
            Some(Err(fault)) => return Err(format!("{} {}", fault.code.text, fault.message)),
        }
    }
    unreachable!("somebody lives long enough")
}

pub(crate) async fn written(scratch: &Sqlite, folder: &Path, catalog: &Catalog) -> Option<MigrationFile> {
    let plan = draft(scratch, catalog, &file::read(folder).unwrap()).await.unwrap();
    (!plan.is_empty()).then(|| file::write(folder, "change", &plan).unwrap())
}

const BEFORE: &str = r#"
enum State { OPEN CLOSED }
type Club { id: ID! name: String! }
type Member {
  id: ID!
  name: String
  nick: String
  age: Int
  state: State
  club: Club
  rank: Int @index
}
"#;

const AFTER: &str = r#"
enum State { OPEN SHUT @was(name: "CLOSED") LOST }
type Club { id: ID! name: String! @unique town: String @index }
type Prize { id: ID! member: Member! }
type Member {
  id: ID!
  title: String @was(name: "name") @valid(maxLength: 80) @index
  nick: String @unique
  age: Int! @default(value: 30) @valid(min: -5)
  state: State
  home: Club @was(name: "club")
  prizes: [Prize!]
  rank: Decimal @unique(where: "this.age == 3")
}
"#;

#[tokio::test]
async fn a_migration_that_dies_anywhere_ends_as_if_it_had_not() {
    if server().is_none() {
        eprintln!("skipped: what dies with the program on SQLite is in the test of pairs");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
    let [old, new] = [BEFORE, AFTER].map(|sdl| Arc::new(compiled(&[(sdl, Owner::Project)])));
    let first = written(&scratch, folder.path(), &old).await.unwrap();
    let second = written(&scratch, folder.path(), &new).await.unwrap();
    let content = rows(&old, &mut seeded("kills", 20_260_301));
    let filled = async || {
        let database = Database::fresh(&Limits::default()).await;
        straight(&*database.engine, &first).await.unwrap();
        fill(&*database.engine, &old, &content).await;
        database
    };
    let whole = filled().await;
    straight(&*whole.engine, &second).await.unwrap();
    assert_eq!(diff_of(&whole, &new, Scope::Project).await, Plan::default(), "{}", second.text);
    let wanted = shapes(&whole.engine.introspect().await.unwrap());
    let kept = dump(&*whole.engine, &new).await;
    // a long run dies everywhere
    let (mut waits, stride) = (1, if cases(1) > 1 { 1 } else { 9 });
    loop {
        let database = filled().await;
        let mut left = Some(waits);
        let dead = mortally(&*database.engine, &second, &mut || left.take().unwrap_or(usize::MAX)).await;
        assert_eq!(shapes(&database.engine.introspect().await.unwrap()), wanted, "after {waits} waits");
        assert_eq!(diff_of(&database, &new, Scope::Project).await, Plan::default(), "after {waits} waits");
        assert_eq!(dump(&*database.engine, &new).await, kept, "after {waits} waits");
        if dead.unwrap() == 0 {
            break;
        }
        waits += stride;
    }
    let statements = second.statements(whole.engine.name()).len();
    println!("kills: {statements} statements, {waits} waits, died at each of {stride}");
    assert!(waits > 10, "{waits}");
}

/// Without comments: a column of MariaDB that keeps another type than ours keeps its own.
fn silent(mut live: Live) -> Live {
    live.tables.iter_mut().flat_map(|table| &mut table.columns).for_each(|column| column.comment = None);
    live
}

/// Is told when the test panics wherever it is.
struct Shown(String);

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = std::io::stderr().write_all(self.0.as_bytes());
        }
    }
}

#[tokio::test]
async fn random_pairs_end_as_if_nobody_had_died() {
    if server().is_none() {
        eprintln!("skipped: what dies with the program on SQLite is in the test of pairs");
        return;
    }
    let mut random = seeded("kills", 20_260_302);
    let (mut applied, mut refused, mut died) = (0_u64, 0_u64, 0_usize);
    while applied + refused < cases(10) {
        let mut model = Model::random(&mut random);
        let folder = tempfile::tempdir().unwrap();
        let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
        let mut old = Arc::new(compiled(&[(&model.sdl(), Owner::Project)]));
        let first = written(&scratch, folder.path(), &old).await.unwrap();
        let [whole, mortal] =
            [Database::fresh(&Limits::default()).await, Database::fresh(&Limits::default()).await];
        // an empty database refuses little
        let content = if random.random_range(0..3) > 0 { rows(&old, &mut random) } else { Vec::new() };
        for database in [&whole, &mortal] {
            straight(&*database.engine, &first).await.unwrap();
            fill(&*database.engine, &old, &content).await;
        }
        for _ in 0..5 {
            let before = model.sdl();
            model = if random.random_range(0..6) == 0 {
                Model::random(&mut random)
            } else {
                model.edited(&mut random)
            };
            let new = Arc::new(compiled(&[(&model.sdl(), Owner::Project)]));
            let Some(file) = written(&scratch, folder.path(), &new).await else { continue };
            let pair = applied + refused;
            let told = || format!("pair {pair}\n{before}\n{}\n{}", model.sdl(), file.text);
            let _shown = Shown(told());
            let result = straight(&*whole.engine, &file).await;
            let mut life = 0;
            let mut lives = || {
                life += 1 + random.random_range(0..9);
                life
            };
            let other = mortally(&*mortal.engine, &file, &mut lives).await;
            match (&result, &other) {
                (Ok(()), Ok(dead)) => {
                    applied += 1;
                    died += dead;
                }
                (Err(one), Err(another)) => {
                    // words name the database
                    assert_eq!(one.get(..5), another.get(..5), "{one} {another} {}", told());
                    refused += 1;
                    break;
                }
                _ => panic!("{result:?} {other:?}\n{}", told()),
            }
            let made = ddl::create_all(&new, whole.dialect);
            let wanted = shapes(&silent(whole.engine.rehearse(&made).await.unwrap()));
            for database in [&whole, &mortal] {
                let live = silent(database.engine.introspect().await.unwrap());
                assert_eq!(shapes(&live), wanted, "{}", told());
                assert_eq!(diff_of(database, &new, Scope::Project).await, Plan::default(), "{}", told());
            }
            let kept = dump(&*whole.engine, &new).await;
            assert_eq!(dump(&*mortal.engine, &new).await, kept, "{}", told());
            old = new;
        }
    }
    println!("kills: {applied} pairs applied over {died} deaths, {refused} refused");
    assert!(applied > refused && died > 0, "{applied} applied, {refused} refused, {died} died");
}
