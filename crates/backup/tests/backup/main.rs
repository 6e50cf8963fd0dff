//! Backups of a database that is written to through the engine: any moment comes back as it was,
//! a chain goes on after a restart, a gap is noticed, and any flipped bit is.

#![cfg(test)]

use backstay_backup::error::BackupError;
use backstay_backup::note::Note;
use backstay_backup::place;
use backstay_backup::prune::prune;
use backstay_backup::restore::{Restored, Wanted, restore, verify};
use backstay_backup::ship::{Settings, Shipper};
use backstay_backup::snapshot;
use backstay_backup::target::Target;
use backstay_base::clock::Clock;
use backstay_base::limit::Limits;
use backstay_engine::Engine as _;
use backstay_engine::migration::Batch;
use backstay_engine_sqlite::Sqlite;
use backstay_engine_sqlite::commit_log::CommitLog;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// 2026-01-01, in microseconds.
const START: i64 = 1_767_225_600_000_000;
const SECOND: i64 = 1_000_000;

/// A database, its target, and what it held after each commit.
struct World {
    folder: tempfile::TempDir,
    clock: Clock,
    engine: Option<Sqlite>,
    shipper: Option<Shipper>,
    settings: Settings,
    bound: u64,
    rows: BTreeMap<i64, i64>,
    history: Vec<(i64, BTreeMap<i64, i64>)>,
}

impl World {
    async fn new(bound: u64) -> Self {
        let settings = Settings {
            interval: Duration::from_secs(1),
            copy_every: 3_600 * SECOND,
            keep: 1_000_000 * SECOND,
        };
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Clock::fixed(START),
            engine: None,
            shipper: None,
            settings,
            bound,
            rows: BTreeMap::new(),
            history: Vec::new(),
        };
        world.open();
        world
            .run("CREATE TABLE kept (id INTEGER PRIMARY KEY, value INTEGER NOT NULL, filler BLOB) STRICT")
            .await;
        world
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("data.db")
    }

    fn target(&self) -> Target {
        Target::open("file:target", self.folder.path(), &[]).unwrap()
    }

    fn open(&mut self) {
        let log = Arc::new(CommitLog::new(self.bound, self.clock.clone()));
        self.engine =
            Some(Sqlite::open_shipped(&self.database(), &Limits::default(), Arc::clone(&log)).unwrap());
        let shipper =
            Shipper::new(self.target(), &self.database(), log, self.clock.clone(), self.settings.clone());
        self.shipper = Some(shipper);
    }

    async fn run(&mut self, statement: &str) {
        self.clock.advance(SECOND);
        let batch = Batch::plain(vec![statement.to_owned()]);
        self.engine.as_ref().unwrap().migrate(&batch).await.unwrap();
    }

    async fn put(&mut self, id: i64, value: i64, filler: usize) {
        self.run(&format!("INSERT OR REPLACE INTO kept VALUES ({id}, {value}, zeroblob({filler}))")).await;
        self.rows.insert(id, value);
        self.history.push((self.clock.now_micros(), self.rows.clone()));
    }

    async fn delete(&mut self, below: i64) {
        self.run(&format!("DELETE FROM kept WHERE id < {below}")).await;
        self.rows.retain(|id, _| *id >= below);
        self.history.push((self.clock.now_micros(), self.rows.clone()));
    }

    async fn tick(&mut self) -> Result<(), BackupError> {
        self.shipper.as_mut().unwrap().tick().await
    }

    async fn restored(
        &self,
        wanted: &Wanted,
        name: &str,
    ) -> Result<(Restored, BTreeMap<i64, i64>), BackupError> {
        let to = self.folder.path().join(name);
        let restored = restore(&self.target(), wanted, &to).await?;
        let rows = rows(&to);
        std::fs::remove_file(to).unwrap();
        Ok((restored, rows))
    }

    /// What the database held at a time.
    fn at(&self, time: i64) -> BTreeMap<i64, i64> {
        let before = self.history.iter().take_while(|(at, _)| *at <= time).last();
        before.map(|(_, rows)| rows.clone()).unwrap_or_default()
    }
}

fn rows(file: &Path) -> BTreeMap<i64, i64> {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare("SELECT id, value FROM kept").unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "tests are told their sizes by the environment")]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn every_moment_comes_back_as_it_was() {
    let seed = number("BACKSTAY_SEED", 41);
    println!("every moment: BACKSTAY_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut world = World::new(1 << 30).await;
    world.tick().await.unwrap();
    let first = world.clock.now_micros();
    for step in 0..number("BACKSTAY_CASES", 160) {
        match chance.random_range(0..20) {
            // enough to have the log begun anew now and then
            0..4 => world.put(chance.random_range(0..30), i64::try_from(step).unwrap(), 1 << 20).await,
            4 => world.delete(chance.random_range(0..15)).await,
            5 => world.clock.advance(4_000 * SECOND),
            7 => world.settings.copy_every = chance.random_range(0..100) * SECOND,
            _ => world.put(chance.random_range(0..30), i64::try_from(step).unwrap(), 10).await,
        }
        if chance.random_bool(0.4) {
            world.tick().await.unwrap();
        }
    }
    world.tick().await.unwrap();
    let last = world.clock.now_micros();
    assert_eq!(world.restored(&Wanted::Newest, "newest.db").await.unwrap().1, world.at(last));
    for number in 0..20 {
        let time = chance.random_range(first..=last);
        let (_, rows) = world.restored(&Wanted::At(time), &format!("{number}.db")).await.unwrap();
        assert_eq!(rows, world.at(time), "seed {seed}, time {time}");
    }
    let before = world.restored(&Wanted::At(first - 1), "before.db").await.unwrap_err();
    assert_eq!(before.to_string(), "no backup at the target is as old as that");
}

#[tokio::test]
async fn a_chain_goes_on_after_a_restart_and_after_a_crash() {
    let mut world = World::new(1 << 30).await;
    for step in 0..5 {
        world.put(step, step, 10).await;
    }
    run_until_stopped(&mut world).await;
    let before = chains(&world.target()).await;
    // an end in good order, then one without: the log holds commits that were not sent
    for round in 1..3 {
        world.engine = None;
        world.open();
        for step in 0..5 {
            world.put(step, step + round * 10, 10).await;
        }
        if round == 1 {
            run_until_stopped(&mut world).await;
        }
    }
    world.engine = None;
    world.open();
    run_until_stopped(&mut world).await;
    assert_eq!(chains(&world.target()).await, before, "the same chain");
    let (restored, rows) = world.restored(&Wanted::Newest, "newest.db").await.unwrap();
    assert_eq!(rows, world.rows);
    // what an earlier run left in the log comes as one, what this run committed as it was
    assert_eq!(restored.commits, 6, "{restored:?}");
}

/// One round of the shipper as `serve` runs it.
async fn run_until_stopped(world: &mut World) {
    world.shipper.take().unwrap().run(std::future::ready(())).await;
}

async fn chains(target: &Target) -> Vec<String> {
    let names = target.list(place::CHAINS).await.unwrap();
    let mut chains: Vec<String> =
        names.iter().filter_map(|name| Some(name.split('/').nth(1)?.to_owned())).collect();
    chains.dedup();
    chains
}

#[tokio::test]
async fn a_target_that_is_away_bounds_the_log_and_a_new_chain_begins() {
    // the least bound there is: 4,000 frames
    let mut world = World::new(0).await;
    world.put(1, 1, 10).await;
    world.tick().await.unwrap();
    let target = world.folder.path().join("target");
    let away = world.folder.path().join("away");
    std::fs::rename(&target, &away).unwrap();
    std::fs::write(&target, "no folder").unwrap();
    let log = world.folder.path().join("data.db-wal");
    let mut longest = 0;
    for step in 0..60 {
        world.put(step, step, 1 << 20).await;
        assert!(world.tick().await.is_err());
        longest = longest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(longest < 24 << 20, "{longest} bytes of log for 60 MiB of commits");
    std::fs::remove_file(&target).unwrap();
    std::fs::rename(&away, &target).unwrap();
    world.put(100, 100, 10).await;
    world.tick().await.unwrap();
    world.put(101, 101, 10).await;
    world.tick().await.unwrap();
    assert_eq!(chains(&world.target()).await.len(), 2);
    assert_eq!(world.restored(&Wanted::Newest, "newest.db").await.unwrap().1, world.rows);
}

#[tokio::test]
async fn any_flipped_bit_and_any_missing_object_is_found() {
    let mut world = World::new(1 << 30).await;
    world.tick().await.unwrap();
    for step in 0..6 {
        world.put(step, step, 100).await;
        world.tick().await.unwrap();
    }
    world.shipper.as_mut().unwrap().note().await.unwrap();
    let target = world.target();
    let whole = verify(&target, &Wanted::Newest).await.unwrap();
    assert_eq!((whole.commits, whole.missing), (6, None));
    let seed = number("BACKSTAY_SEED", 7);
    println!("flipped bits: BACKSTAY_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut names = target.list("copies").await.unwrap();
    names.extend(target.list("chains").await.unwrap());
    names.extend(target.list("notes").await.unwrap());
    assert!(names.len() > 8, "{names:?}");
    // the first segment only says where the chain begins
    let spare = first_segment(&names);
    for name in names {
        let path = world.folder.path().join("target").join(&name);
        let bytes = std::fs::read(&path).unwrap();
        for _ in 0..8 {
            let mut flipped = bytes.clone();
            let bit = chance.random_range(0..bytes.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, flipped).unwrap();
            let found = verify(&target, &Wanted::Newest).await;
            assert!(matches!(found, Err(BackupError::Damaged { .. })), "bit {bit} of {name}: {found:?}");
        }
        std::fs::remove_file(&path).unwrap();
        let found = verify(&target, &Wanted::Newest).await;
        assert_eq!(found.is_err(), spare != name, "{name} is gone: {found:?}");
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(verify(&target, &Wanted::Newest).await.unwrap(), whole);
}

/// Whatever single object goes, and whatever tail of a chain: `verify` says so, or what comes back is the newest state.
/// A restore gives an earlier state as such, or refuses.
#[tokio::test]
async fn no_deletion_passes_for_an_earlier_end() {
    let mut world = World::new(1 << 30).await;
    world.settings.copy_every = 7 * SECOND;
    world.open_shipper();
    for step in 0..12 {
        world.put(step, step, 100).await;
        world.tick().await.unwrap();
    }
    // another chain after a gap, and a copy of its own between
    world.clock.advance(SECOND);
    snapshot::create(&world.target(), &world.database(), world.clock.now_micros()).await.unwrap();
    world.engine = None;
    Connection::open(world.database()).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    world.settings.copy_every = 3_600 * SECOND;
    world.open();
    for step in 12..20 {
        world.put(step, step, 100).await;
        world.tick().await.unwrap();
    }
    world.shipper.as_mut().unwrap().note().await.unwrap();
    let target = world.target();
    assert_eq!(chains(&target).await.len(), 2);
    let whole = verify(&target, &Wanted::Newest).await.unwrap();
    let last = world.clock.now_micros();
    let mut names = Vec::new();
    for prefix in ["copies", "chains", "notes"] {
        names.extend(target.list(prefix).await.unwrap());
    }
    let file = |name: &str| world.folder.path().join("target").join(name);
    let (mut told, mut needless) = (0, 0);
    for name in &names {
        let bytes = std::fs::read(file(name)).unwrap();
        std::fs::remove_file(file(name)).unwrap();
        match verify(&target, &Wanted::Newest).await {
            Ok(found) => {
                assert_eq!((found.at, &found.tables), (whole.at, &whole.tables), "{name}");
                needless += 1;
            }
            Err(error) => {
                assert!(
                    matches!(
                        error,
                        BackupError::Damaged { .. } | BackupError::Lost(_) | BackupError::Target(_)
                    ),
                    "{name}: {error}"
                );
                told += 1;
            }
        }
        if let Ok((restored, rows)) = world.restored(&Wanted::Newest, "restored.db").await {
            assert_eq!(rows, world.at(restored.at), "{name}");
            assert_eq!(restored.missing.is_some(), rows != world.at(last), "{name}: {restored:?}");
        }
        std::fs::write(file(name), bytes).unwrap();
    }
    assert!(told >= 8 && needless > 5, "{told} of {} told", names.len());

    // tails of every length
    let segments: Vec<&String> = names.iter().filter(|name| name.starts_with("chains/")).collect();
    let newest = segments.last().unwrap().split('/').nth(1).unwrap();
    let mut gone = Vec::new();
    for name in segments.iter().rev().filter(|name| name.contains(newest)) {
        gone.push((file(name), std::fs::read(file(name)).unwrap()));
        std::fs::remove_file(file(name)).unwrap();
        let found = verify(&target, &Wanted::Newest).await.unwrap_err();
        let (restored, rows) = world.restored(&Wanted::Newest, "restored.db").await.unwrap();
        assert_eq!((rows, restored.missing), (world.at(restored.at), Some(whole.at)));
        let words = format!("{} was written and is not at the target any more", segments.last().unwrap());
        assert_eq!(found.to_string(), words);
        // what does not need them is whole
        let (earlier, rows) = world.restored(&Wanted::At(restored.at - 1), "earlier.db").await.unwrap();
        assert_eq!((earlier.missing, rows), (None, world.at(restored.at - 1)));
    }
    assert!(gone.len() > 7, "{}", gone.len());
}

#[tokio::test]
async fn a_shipper_that_misses_what_it_wrote_begins_anew() {
    let mut world = World::new(1 << 30).await;
    world.tick().await.unwrap();
    let target = world.target();
    for (round, lost) in [(1, "last"), (2, "all"), (3, "middle")] {
        for step in 0..25 {
            world.put(round * 100 + step, step, 10).await;
            world.tick().await.unwrap();
        }
        world.shipper.as_mut().unwrap().note().await.unwrap();
        let own = chains(&target).await.pop().unwrap();
        let names = target.list(&format!("chains/{own}")).await.unwrap();
        let gone = match lost {
            "last" => names[names.len() - 1..].to_vec(),
            "all" => names.clone(),
            _ => names[7..8].to_vec(),
        };
        target.delete(&gone).await.unwrap();
        world.clock.advance(20 * SECOND);
        let found = if lost == "middle" {
            world.shipper.as_mut().unwrap().look_around().await.map(drop)
        } else {
            world.tick().await
        };
        assert!(matches!(found, Err(BackupError::Lost(_))), "{lost}: {found:?}");
        world.put(round * 100 + 50, 1, 10).await;
        world.tick().await.unwrap();
        assert_ne!(chains(&target).await.pop().unwrap(), own, "{lost}");
        let restored = verify(&target, &Wanted::Newest).await.unwrap();
        assert_eq!(restored.missing, None);
        assert_eq!(world.restored(&Wanted::Newest, "newest.db").await.unwrap().1, world.rows, "{lost}");
    }
}

/// A target that lost the tail while nothing ran, and the log still has it: it is sent again.
#[tokio::test]
async fn what_the_log_still_has_is_sent_again() {
    let mut world = World::new(1 << 30).await;
    for step in 0..6 {
        world.put(step, step, 10).await;
        world.tick().await.unwrap_or_default();
    }
    run_until_stopped(&mut world).await;
    let target = world.target();
    let segments = target.list("chains").await.unwrap();
    assert!(segments.len() > 4, "{segments:?}");
    target.delete(&segments[3..]).await.unwrap();
    assert!(verify(&target, &Wanted::Newest).await.is_err());
    world.engine = None;
    world.open();
    run_until_stopped(&mut world).await;
    let restored = verify(&target, &Wanted::Newest).await.unwrap();
    assert_eq!(world.restored(&Wanted::Newest, "newest.db").await.unwrap().1, world.rows);
    let notes = Note::all(&target).await.unwrap();
    assert_eq!(notes.last().unwrap().1.as_ref().unwrap().at, restored.at);
}

/// A chain of an earlier program has no note, and is as whole as it was.
#[tokio::test]
async fn chains_of_before_are_verified_without_a_note() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::fixed(START));
    let target = Target::open("file:target", folder.path(), &[]).unwrap();
    let database = folder.path().join("data.db");
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE kept (id INTEGER) STRICT").unwrap();
    snapshot::create(&target, &database, clock.now_micros()).await.unwrap();
    assert!(Note::all(&target).await.unwrap().is_empty());
    assert_eq!(verify(&target, &Wanted::Newest).await.unwrap().missing, None);
}

fn first_segment(names: &[String]) -> String {
    names.iter().find(|name| name.starts_with("chains/")).unwrap().clone()
}

#[tokio::test]
async fn a_copy_is_made_without_a_server_and_restored_to_a_new_place_alone() {
    let mut world = World::new(1 << 30).await;
    world.put(1, 5, 10).await;
    let target = world.target();
    let made = snapshot::create(&target, &world.database(), START).await.unwrap();
    assert_eq!((made.id.as_str(), made.tables.last().unwrap().rows), ("20260101T000000.000000Z", 1));
    let to = world.folder.path().join("restored.db");
    let wanted = Wanted::Copy(made.id.clone());
    let restored = restore(&target, &wanted, &to).await.unwrap();
    assert_eq!(restored.tables, made.tables);
    assert_eq!(rows(&to), world.rows);
    let again = restore(&target, &wanted, &to).await.unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("{} is there already: a restore goes to a new place", to.display())
    );
}

/// [a database that was deleted, but for its log: SQLite would write that into the restored file]
#[tokio::test]
async fn what_a_database_left_is_no_new_place() {
    let mut world = World::new(1 << 30).await;
    world.put(1, 5, 10).await;
    let target = world.target();
    snapshot::create(&target, &world.database(), START).await.unwrap();
    // more commits, which stand in the log alone; then the file is lost and the log is not
    world.put(1, 6, 10).await;
    world.engine = None;
    let to = world.folder.path().join("restored.db");
    for left in ["restored.db-wal", "restored.db-shm", "restored.db-journal", "restored.db.restoring"] {
        let left = world.folder.path().join(left);
        std::fs::write(&left, b"what was left").unwrap();
        let refused = restore(&target, &Wanted::Newest, &to).await.unwrap_err();
        let words = format!("{} is there already: a restore goes to a new place", left.display());
        assert_eq!(refused.to_string(), words);
        assert_eq!(std::fs::read(&left).unwrap(), b"what was left");
        std::fs::remove_file(&left).unwrap();
    }
    std::os::unix::fs::symlink("nowhere", &to).unwrap();
    assert!(restore(&target, &Wanted::Newest, &to).await.is_err());
    std::fs::remove_file(&to).unwrap();
    restore(&target, &Wanted::Newest, &to).await.unwrap();
    assert_eq!(rows(&to).get(&1), Some(&5));
}

#[tokio::test]
async fn two_databases_at_one_target_are_noticed() {
    let mut world = World::new(1 << 30).await;
    world.put(1, 1, 10).await;
    world.tick().await.unwrap();
    let shipper = world.shipper.as_mut().unwrap();
    // what was there before is nobody's who is at work
    assert_eq!(shipper.look_around().await.unwrap(), None);
    let folder = tempfile::tempdir().unwrap();
    let (clock, database) = (world.clock.clone(), folder.path().join("other.db"));
    clock.advance(SECOND);
    let log = Arc::new(CommitLog::new(1 << 30, clock.clone()));
    let engine = Sqlite::open_shipped(&database, &Limits::default(), Arc::clone(&log)).unwrap();
    let mut other = Shipper::new(world.target(), &database, log, clock.clone(), world.settings.clone());
    let write = |statement: &str| Batch::plain(vec![statement.to_owned()]);
    engine.migrate(&write("CREATE TABLE other (id INTEGER PRIMARY KEY) STRICT")).await.unwrap();
    other.tick().await.unwrap();
    assert_eq!(other.look_around().await.unwrap(), None, "it came second, and sees nobody at work yet");
    let theirs = chains(&world.target()).await.pop();
    let shipper = world.shipper.as_mut().unwrap();
    assert_eq!(shipper.look_around().await.unwrap(), theirs, "a chain that began meanwhile");
    assert_eq!(shipper.look_around().await.unwrap(), None, "it goes on no more");
    world.put(2, 2, 10).await;
    world.tick().await.unwrap();
    let ours = chains(&world.target()).await.into_iter().next();
    assert_eq!(other.look_around().await.unwrap(), ours, "a chain that was there goes on");
}

#[tokio::test]
async fn a_copy_of_its_own_does_not_hide_the_commits_after_it() {
    let mut world = World::new(1 << 30).await;
    world.tick().await.unwrap();
    world.put(1, 1, 10).await;
    world.tick().await.unwrap();
    let made = snapshot::create(&world.target(), &world.database(), world.clock.now_micros()).await.unwrap();
    let (restored, rows) = world.restored(&Wanted::Newest, "one.db").await.unwrap();
    assert_eq!((restored.commits, rows), (1, world.rows.clone()));
    world.put(2, 2, 10).await;
    world.tick().await.unwrap();
    assert_eq!(world.restored(&Wanted::Newest, "two.db").await.unwrap().1, world.rows);
    // the chain is gone: what is left is the copy
    world.put(3, 3, 10).await;
    world.clock.advance(SECOND);
    let later = snapshot::create(&world.target(), &world.database(), world.clock.now_micros()).await.unwrap();
    assert_ne!(made.id, later.id);
    let (restored, rows) = world.restored(&Wanted::Newest, "three.db").await.unwrap();
    assert_eq!((restored.copy, rows), (later.id, world.rows.clone()));
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_rest_is_restored_as_before() {
    let mut world = World::new(1 << 30).await;
    world.settings.copy_every = 10 * SECOND;
    world.open_shipper();
    for step in 0..40 {
        world.put(step, step, 10).await;
        world.tick().await.unwrap();
    }
    let target = world.target();
    let oldest = START + 25 * SECOND;
    assert!(prune(&target, oldest).await.unwrap() > 10);
    assert_eq!(prune(&target, oldest).await.unwrap(), 0);
    for time in (oldest..world.clock.now_micros()).step_by(3_000_000) {
        let (_, rows) = world.restored(&Wanted::At(time), &format!("{time}.db")).await.unwrap();
        assert_eq!(rows, world.at(time));
    }
    assert!(world.restored(&Wanted::At(START + SECOND), "old.db").await.is_err());
}

impl World {
    /// A shipper with the settings as they are now.
    fn open_shipper(&mut self) {
        self.engine = None;
        self.open();
    }
}

#[tokio::test]
async fn urls_that_name_no_target_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |url: &str| Target::open(url, folder.path(), &[]).unwrap_err().to_string();
    assert_eq!(refused("ftp://host/x"), "backups go to file: or s3:// URLs, not ftp:");
    assert_eq!(refused("backups"), "the URL of a backup target begins with file: or s3://");
}
