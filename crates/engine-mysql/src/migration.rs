//! Migrations and their journal. A definition is its own transaction here, so that a
//! migration that dies half-way has done some of its statements: which, stands in a table
//! of steps, and the next run goes on there.
//!
//! A definition is announced before and ticked off after it. Where only the announcement
//! is found, the server was asked and nobody heard the answer: it is asked again, and "is
//! there already", "is gone already" then mean that it was done. Changes of rows tick
//! themselves off in their own transaction.

mod batches;

use self::batches::by_batches;
use crate::connection::{Connection, Refusal, Transaction};
use crate::introspect;
use crate::lease;
use crate::pool::{Pool, Purpose};
use crate::refused::{is_done_already, refused};
use crate::retry::random;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow, Unfinished, Way, is_batched};
use mysql_async::from_row_opt;

const MAKE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS `_backstay_migration` (
  `number` BIGINT NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `checksum` VARCHAR(255) NOT NULL,
  `applied_at` VARCHAR(40) NOT NULL,
  PRIMARY KEY (`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";

const MAKE_STEPS: &str = "CREATE TABLE IF NOT EXISTS `_backstay_migration_step` (
  `number` BIGINT NOT NULL,
  `done` BIGINT NOT NULL,
  `checksum` VARCHAR(64) CHARACTER SET ascii NOT NULL,
  `announced` VARCHAR(64) CHARACTER SET ascii NOT NULL,
  PRIMARY KEY (`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";

const BEGIN_STEPS: &str = "INSERT IGNORE INTO `_backstay_migration_step` (`number`, `done`, `checksum`, `announced`) VALUES (?, 0, '', '')";

// an earlier run may still be at it: its row waits until that has ended
const READ_STEPS: &str =
    "SELECT `done`, `checksum`, `announced` FROM `_backstay_migration_step` WHERE `number` = ? FOR UPDATE";

/// Checksum of what was done, the statement `?` with it.
const CHAIN: &str = "SELECT SHA2(CONCAT(CAST(? AS BINARY), CAST(? AS BINARY)), 256)";

const ANNOUNCE: &str = "UPDATE `_backstay_migration_step` SET `announced` = SHA2(CONCAT(CAST(`checksum` AS BINARY), CAST(? AS BINARY)), 256) WHERE `number` = ? AND `done` = ?";

const TAKE_BACK: &str = "UPDATE `_backstay_migration_step` SET `announced` = '' WHERE `number` = ?";

const TICK_OFF: &str = "UPDATE `_backstay_migration_step` SET `done` = ?, `checksum` = SHA2(CONCAT(CAST(`checksum` AS BINARY), CAST(? AS BINARY)), 256), `announced` = '' WHERE `number` = ? AND `done` = ?";

const LOCK_STEP: &str = "SELECT `done` FROM `_backstay_migration_step` WHERE `number` = ? FOR UPDATE";

const END_STEPS: &str = "DELETE FROM `_backstay_migration_step` WHERE `number` = ?";

const HAS_JOURNAL: &str = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '_backstay_migration'";

const ADD_JOURNAL_ROW: &str =
    "INSERT INTO `_backstay_migration` (`number`, `name`, `checksum`, `applied_at`) VALUES (?, ?, ?, ?)";

const FORGET_JOURNAL_ROW: &str = "DELETE FROM `_backstay_migration` WHERE `number` = ?";

const IS_APPLIED: &str = "SELECT 1 FROM `_backstay_migration` WHERE `number` = ?";

const HAS_STEPS: &str = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '_backstay_migration_step'";

// the number of one that is taken back is negative here
const READ_UNFINISHED: &str =
    "SELECT `number` FROM `_backstay_migration_step` WHERE `done` > 0 OR `announced` <> '' ORDER BY `number`";

const READ_JOURNAL: &str =
    "SELECT `number`, `name`, `checksum`, `applied_at` FROM `_backstay_migration` ORDER BY `number`";

const NOW: &str = "SELECT LPAD(HEX(UNIX_TIMESTAMP()), 8, '0')";

const FORGOTTEN: &str = "SELECT schema_name FROM information_schema.schemata WHERE schema_name REGEXP '^_backstay_rehearsal_[0-9A-Fa-f]{8}_' AND CAST(CONV(SUBSTRING(schema_name, 21, 8), 16, 10) AS UNSIGNED) < UNIX_TIMESTAMP() - 3600";

/// Definitions wait for those who use a table, but not for ever.
const PATIENCE: &str = "SET SESSION lock_wait_timeout = 60";

/// One run is at the definitions of a database at a time. The lock ends with the connection, and that of a program that died
/// lasts until the server is done with what it was asked last, which nobody hears any more.
const ALONE: &str = "SELECT GET_LOCK(CONCAT('backstay.migration.', LEFT(SHA2(DATABASE(), 256), 40)), 1)";

/// How many seconds a run waits for one that died.
const PATIENCE_SECONDS: usize = 60;

/// `ER_NOT_SUPPORTED_YET`.
const NOT_SUPPORTED: u16 = 1235;

/// Runs a migration, from where an earlier run of it stopped, and writes its journal row.
///
/// # Errors
/// Whatever a statement is refused with, named by its number; 55P03 when the lease was taken over.
pub async fn apply(pool: &Pool, batch: &Batch) -> Result<(), Fault> {
    let mut connection = pool.connector().connect().await?;
    let unlimited = connection.flavour().unlimited;
    for setting in [unlimited, PATIENCE] {
        connection.control(setting).await.map_err(Refusal::into_fault)?;
    }
    alone(&mut connection).await?;
    let result = match &batch.journal {
        Some(row) => recorded(&mut connection, batch, row).await,
        None => plain(&mut connection, batch).await,
    };
    connection.close().await;
    pool.renew();
    result
}

/// Waits until nothing is under way that a run before this one asked for: asked twice at once, a definition may be
/// refused, or come after those that follow it.
async fn alone(connection: &mut Connection) -> Result<(), Fault> {
    for _ in 0..PATIENCE_SECONDS {
        let mut taken = None;
        let mut keep = |found| {
            (taken,) = row::<(Option<i64>,)>(found)?;
            Ok(())
        };
        match connection.execute(ALONE, Vec::new(), &mut keep).await {
            Ok(_) if taken == Some(1) => return Ok(()),
            Ok(_) => {}
            // a cluster has no such locks: its definitions come one after the other by themselves
            Err(refusal) if refusal.number() == Some(NOT_SUPPORTED) => return Ok(()),
            Err(refusal) => return Err(refusal.into_fault()),
        }
    }
    let message = "an earlier run of a migration is still at a statement";
    Err(Fault::new(code::LEASE_LOST, message)
        .with_hint("SHOW PROCESSLIST tells which; wait for it, or KILL it"))
}

/// What an empty database looks like after these statements. It is made beside the real
/// one and dropped again.
///
/// # Errors
/// Whatever a statement is refused with; 42501 with the right that is missing.
pub async fn rehearse(pool: &Pool, statements: &[String]) -> Result<Live, Fault> {
    let mut outside = pool.take(Purpose::Write).await?;
    let name = clear_stage(&mut outside).await?;
    let make = (outside.flavour().make_database)(&name);
    outside.control(&make).await.map_err(|refusal| match refusal.number() {
        Some(1044 | 1227) => missing_right(refusal),
        _ => refusal.into_fault(),
    })?;
    let looked = look(pool, &name, statements).await;
    let drop = ["DROP DATABASE `", &name, "`"].concat();
    outside.control(&drop).await.map_err(Refusal::into_fault)?;
    looked
}

/// The migrations that were applied.
///
/// # Errors
/// When the journal cannot be read.
pub async fn journal(pool: &Pool) -> Result<Vec<JournalRow>, Fault> {
    let mut connection = pool.take(Purpose::Read).await?;
    let there = connection.rows(HAS_JOURNAL, &[]).await?;
    if there.into_iter().next().map(row::<(i64,)>).transpose()? != Some((1,)) {
        return Ok(Vec::new());
    }
    let rows = connection.rows(READ_JOURNAL, &[]).await?;
    let one = |(number, name, checksum, applied_at)| JournalRow { number, name, checksum, applied_at };
    rows.into_iter().map(|found| row(found).map(one)).collect()
}

/// The migrations that stopped half-way.
///
/// # Errors
/// When their table cannot be read.
pub async fn unfinished(pool: &Pool) -> Result<Vec<Unfinished>, Fault> {
    let mut connection = pool.take(Purpose::Read).await?;
    let there = connection.rows(HAS_STEPS, &[]).await?;
    if there.into_iter().next().map(row::<(i64,)>).transpose()? != Some((1,)) {
        return Ok(Vec::new());
    }
    let rows = connection.rows(READ_UNFINISHED, &[]).await?;
    let one = |(number,): (i64,)| Unfinished {
        number: number.abs(),
        way: if number < 0 { Way::Back } else { Way::Forth },
    };
    rows.into_iter().map(|found| row(found).map(one)).collect()
}

/// Drops what rehearsals left that died more than an hour ago, and gives a new one its name:
/// it begins with the database's time.
async fn clear_stage(connection: &mut Connection) -> Result<String, Fault> {
    for found in connection.rows(FORGOTTEN, &[]).await? {
        let (name,): (String,) = row(found)?;
        let drop = ["DROP DATABASE IF EXISTS `", &name, "`"].concat();
        connection.control(&drop).await.map_err(Refusal::into_fault)?;
    }
    let now = connection.rows(NOW, &[]).await?.into_iter().next();
    let (now,): (String,) = row(now.ok_or_else(|| Fault::internal("there is no time"))?)?;
    Ok(format!("_backstay_rehearsal_{now}_{:016x}", random()))
}

async fn look(pool: &Pool, name: &str, statements: &[String]) -> Result<Live, Fault> {
    let mut inside = pool.connector().elsewhere(name)?.connect().await?;
    let live = match plain(&mut inside, &Batch::plain(statements.to_vec())).await {
        Ok(()) => introspect::of(&mut inside).await,
        Err(fault) => Err(fault),
    };
    inside.close().await;
    live
}

fn missing_right(refusal: Refusal) -> Fault {
    let source = refusal.into_fault();
    Fault::new(code::DENIED, "this account may not make the database in which migrations are rehearsed")
        .with_hint(r"GRANT ALL PRIVILEGES ON `\_backstay\_rehearsal\_%`.* TO this account")
        .with_source(source)
}

/// Statements of which nothing is recorded.
async fn plain(connection: &mut Connection, batch: &Batch) -> Result<(), Fault> {
    for (index, statement) in batch.statements.iter().enumerate() {
        is_allowed(index + 1, statement)?;
        if let Some(held) = &batch.lease {
            lease::keep(connection, held).await?;
        }
        run(connection, index + 1, statement).await?;
    }
    Ok(())
}

async fn recorded(connection: &mut Connection, batch: &Batch, journal: &JournalRow) -> Result<(), Fault> {
    for (index, statement) in batch.statements.iter().enumerate() {
        is_allowed(index + 1, statement)?;
    }
    for table in [MAKE_JOURNAL, MAKE_STEPS] {
        connection.control(table).await.map_err(Refusal::into_fault)?;
    }
    let applied = !connection.rows(IS_APPLIED, &[&journal.number]).await?.is_empty();
    let is_over = match batch.way {
        Way::Forth => applied && !batch.forget.contains(&journal.number),
        Way::Back => !applied,
    };
    if is_over {
        return Err(over(journal.number, batch.way));
    }
    let mut steps = Steps::of(connection, batch, journal).await?;
    for (number, statement) in (1_i64..).zip(&batch.statements) {
        // a setting lasts as long as the connection: it is made again
        let kind = Kind::of(statement);
        if number <= steps.done && kind != Kind::Setting {
            continue;
        }
        if let Some(held) = &batch.lease {
            lease::keep(connection, held).await?;
        }
        steps.run(connection, (number, kind, statement)).await?;
    }
    if let Some(held) = &batch.lease {
        lease::keep(connection, held).await?;
    }
    steps.end(connection, batch, journal).await
}

fn over(number: i64, way: Way) -> Fault {
    let (code, word) = match way {
        Way::Forth => (code::UNIQUE_VIOLATION, "applied"),
        Way::Back => (code::TRANSACTION_STATE, "taken back"),
    };
    Fault::new(code, format!("a migration with the number {number} was {word} already"))
}

async fn run(connection: &mut Connection, number: usize, statement: &str) -> Result<(), Fault> {
    connection.control_patiently(statement).await.map_err(|refusal| refused(number, refusal))
}

/// How far a migration came.
struct Steps {
    /// Its number, negative where it is taken back.
    migration: i64,
    way: Way,
    done: i64,
    /// Checksum of what was done together with the statement that was announced; empty where none was.
    announced: String,
}

impl Steps {
    /// What was done must be what the file begins with; the rest of it may have been mended.
    async fn of(connection: &mut Connection, batch: &Batch, journal: &JournalRow) -> Result<Self, Fault> {
        let migration = match batch.way {
            Way::Forth => journal.number,
            Way::Back => -journal.number,
        };
        connection.rows(BEGIN_STEPS, &[&migration]).await?;
        let found = connection.rows(READ_STEPS, &[&migration]).await?.into_iter().next();
        let found = found.ok_or_else(|| Fault::internal("a migration has no row of its steps"))?;
        let (done, checksum, announced): (i64, String, String) = row(found)?;
        let place = usize::try_from(done).unwrap_or(usize::MAX);
        let mut known = String::new();
        for statement in batch.statements.iter().take(place) {
            known = chain(connection, &known, statement).await?;
        }
        let begun = match batch.statements.get(place) {
            Some(statement) if !announced.is_empty() => {
                chain(connection, &known, statement).await? == announced
            }
            Some(_) | None => announced.is_empty(),
        };
        if known != checksum || !begun {
            let message = format!(
                "{} stopped after {done} of its statements, and these, or the one after them that was begun, \
                 were changed since; put them back as they were",
                journal.name
            );
            return Err(Fault::new(code::TRANSACTION_STATE, message));
        }
        Ok(Self { migration, way: batch.way, done, announced })
    }

    async fn run(
        &mut self,
        connection: &mut Connection,
        (number, kind, statement): (i64, Kind, &str),
    ) -> Result<(), Fault> {
        let shown = usize::try_from(number).unwrap_or(usize::MAX);
        match kind {
            Kind::Setting => {
                run(connection, shown, statement).await?;
                if number > self.done { self.tick_off(connection, number, statement).await } else { Ok(()) }
            }
            Kind::Rows => self.change_rows(connection, number, statement).await,
            Kind::Batches => {
                by_batches(connection, shown, statement).await?;
                self.tick_off(connection, number, statement).await
            }
            Kind::Definition => self.define(connection, number, statement).await,
        }
    }

    async fn define(
        &mut self,
        connection: &mut Connection,
        number: i64,
        statement: &str,
    ) -> Result<(), Fault> {
        let unheard = !std::mem::take(&mut self.announced).is_empty();
        connection.rows(ANNOUNCE, &[&statement, &self.migration, &self.done]).await?;
        if let Err(refusal) = connection.control_patiently(statement).await
            && !(unheard && is_done_already(&refusal))
        {
            let fault = refused(usize::try_from(number).unwrap_or(usize::MAX), refusal);
            if !connection.is_silent() {
                connection.rows(TAKE_BACK, &[&self.migration]).await?;
            }
            return Err(fault);
        }
        self.tick_off(connection, number, statement).await
    }

    async fn tick_off(
        &mut self,
        connection: &mut Connection,
        number: i64,
        statement: &str,
    ) -> Result<(), Fault> {
        // a run that nobody hears any more may have done so, too
        connection.rows(TICK_OFF, &[&number, &statement, &self.migration, &(number - 1)]).await?;
        self.done = number;
        Ok(())
    }

    async fn change_rows(
        &mut self,
        connection: &mut Connection,
        number: i64,
        statement: &str,
    ) -> Result<(), Fault> {
        connection.begin(Transaction::Write).await?;
        let shown = usize::try_from(number).unwrap_or(usize::MAX);
        let changed = async {
            let found = connection.rows(LOCK_STEP, &[&self.migration]).await?.into_iter().next();
            match found.map(row::<(i64,)>).transpose()? {
                Some((done,)) if done < number => {}
                Some(_) => {
                    self.done = number;
                    return Ok(());
                }
                None => return Err(over(self.migration.abs(), self.way)),
            }
            run(connection, shown, statement).await?;
            self.tick_off(connection, number, statement).await
        };
        let changed = changed.await;
        if let Err(fault) = changed {
            connection.rollback().await;
            return Err(fault);
        }
        connection.commit().await
    }

    /// The journal row takes the place of the steps.
    async fn end(
        &self,
        connection: &mut Connection,
        batch: &Batch,
        journal: &JournalRow,
    ) -> Result<(), Fault> {
        connection.begin(Transaction::Write).await?;
        if let Err(fault) = self.write_journal(connection, batch, journal).await {
            connection.rollback().await;
            return Err(fault);
        }
        connection.commit().await
    }

    async fn write_journal(
        &self,
        connection: &mut Connection,
        batch: &Batch,
        journal: &JournalRow,
    ) -> Result<(), Fault> {
        for number in &batch.forget {
            connection.rows(FORGET_JOURNAL_ROW, &[number]).await?;
        }
        let JournalRow { number, name, checksum, applied_at } = journal;
        match self.way {
            Way::Forth => connection.rows(ADD_JOURNAL_ROW, &[number, name, checksum, applied_at]).await?,
            Way::Back => connection.rows(FORGET_JOURNAL_ROW, &[number]).await?,
        };
        connection.rows(END_STEPS, &[&self.migration]).await.map(drop)
    }
}

/// What a statement does to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is its own.
    Definition,
    /// It belongs to one.
    Rows,
    /// It is asked again and again, each time in one of its own.
    Batches,
    /// Nothing; it holds for the connection.
    Setting,
}

impl Kind {
    fn of(statement: &str) -> Self {
        match first_word(statement).as_str() {
            _ if is_batched(statement) => Self::Batches,
            "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "WITH" | "SELECT" => Self::Rows,
            "SET" => Self::Setting,
            _ => Self::Definition,
        }
    }
}

/// Steps are recorded in transactions of ours: those of the file would undo that.
fn is_allowed(number: usize, statement: &str) -> Result<(), Fault> {
    let word = first_word(statement);
    let ends =
        ["BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA", "LOCK", "UNLOCK", "USE"];
    if ends.contains(&word.as_str()) {
        let message = format!("statement {number} of the migration begins or ends a transaction");
        return Err(Fault::new(code::TRANSACTION_STATE, message));
    }
    Ok(())
}

/// The first word after comments, in capitals.
fn first_word(statement: &str) -> String {
    let mut rest = statement.trim_start();
    loop {
        let after = if rest.starts_with("--") || rest.starts_with('#') {
            rest.split_once('\n').map(|(_, after)| after)
        } else if rest.starts_with("/*") && !rest.starts_with("/*!") {
            rest.split_once("*/").map(|(_, after)| after)
        } else {
            break;
        };
        rest = after.unwrap_or_default().trim_start();
    }
    rest.chars().take_while(|c| c.is_ascii_alphabetic()).collect::<String>().to_ascii_uppercase()
}

async fn chain(connection: &mut Connection, known: &str, statement: &str) -> Result<String, Fault> {
    let found = connection.rows(CHAIN, &[&known, &statement]).await?.into_iter().next();
    let (sum,): (String,) = row(found.ok_or_else(|| Fault::internal("a checksum has no row"))?)?;
    Ok(sum)
}

fn row<T: mysql_async::prelude::FromRow>(row: mysql_async::Row) -> Result<T, Fault> {
    from_row_opt(row).map_err(|_| Fault::internal("a table of migrations does not look like ours"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_behind_comments() {
        assert_eq!(Kind::of("-- a\n /* b */ update x set y = 1"), Kind::Rows);
        assert_eq!(Kind::of("alter table x drop column y"), Kind::Definition);
        assert_eq!(Kind::of("SET foreign_key_checks = 0"), Kind::Setting);
        assert!(is_allowed(1, "# x\ncommit").is_err());
        assert!(is_allowed(1, "CREATE TABLE x (a INT)").is_ok());
    }
}
