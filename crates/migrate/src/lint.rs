//! Lints of migration files: what a statement does to those who use the database while it
//! runs, to rows, and to clients. Enters: all files in order, because what a statement does
//! depends on what earlier ones made. Leaves: findings with file, line and a safe recipe. It
//! knows no database.

pub(crate) mod act;
mod design;
mod lock;
mod loss;
mod moved;
mod named;
mod reserved;
pub mod rule;
#[cfg(test)]
mod tests;
mod world;

use self::act::Act;
use self::act::read::acts;
use self::named::Named;
use self::rule::{RULES, Rule};
use self::world::World;
use crate::file::MigrationFile;
use crate::statements::{located, stray_allows};
use backstay_schema::catalog::Catalog;
use std::collections::BTreeSet;

/// What a lint found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which lint.
    pub rule: &'static Rule,
    /// The engine whose section it is.
    pub engine: &'static str,
    /// Name of the file.
    pub file: String,
    /// Line of the statement, from 1.
    pub line: usize,
    /// What the statement does.
    pub message: String,
    /// Why it is allowed, when a remark says so.
    pub allowed: Option<String>,
}

/// A file whose statements are read.
struct Sheet<'f> {
    file: &'f MigrationFile,
    statements: Vec<Read>,
}

/// A statement that is read.
struct Read {
    line: usize,
    acts: Vec<Act>,
    allows: Vec<Allow>,
}

/// A remark that allows a lint.
struct Allow {
    line: usize,
    code: String,
    reason: String,
}

/// One thing that a statement does, with everything around it.
struct Scene<'s> {
    engine: &'static str,
    sheet: &'s Sheet<'s>,
    /// Before it.
    world: &'s World,
    named: &'s Named,
    at: usize,
    act: &'s Act,
}

/// What was found so far in a file: lint, statement, words.
type Found = Vec<(&'static Rule, usize, String)>;

impl Scene<'_> {
    /// Whether the file changes rows.
    fn changes_rows(&self) -> bool {
        let mut acts = self.sheet.statements.iter().flat_map(|statement| &statement.acts);
        acts.any(|act| matches!(act, Act::ChangeRows { .. } | Act::MoveRows { .. }))
    }

    /// What the file does later.
    fn later(&self) -> impl Iterator<Item = &Act> {
        self.sheet.statements.iter().skip(self.at + 1).flat_map(|statement| &statement.acts)
    }
}

/// Looks through the files from the one with the index `first` on, for one engine; earlier ones say what
/// stands already. Findings in order of files and lines; allowed ones are among them.
#[must_use]
pub fn lint(files: &[MigrationFile], first: usize, engine: &'static str) -> Vec<Finding> {
    judged(files, first, engine, &Named::default())
}

/// As [`lint`], of the files of a project: what they take away of what its schema still names is found, too.
#[must_use]
pub fn lint_beside(files: &[MigrationFile], catalog: &Catalog, engine: &'static str) -> Vec<Finding> {
    let mut world = World::default();
    for file in files {
        for (at, statement) in read(file, engine).iter().enumerate() {
            statement.acts.iter().for_each(|act| world.follow(at, act));
        }
    }
    judged(files, 0, engine, &Named::missing(catalog, &world))
}

fn judged(files: &[MigrationFile], first: usize, engine: &'static str, named: &Named) -> Vec<Finding> {
    let mut world = World::default();
    let mut findings = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let sheet = Sheet { file, statements: read(file, engine) };
        world.turn_page();
        let found = look(&sheet, &mut world, (engine, named));
        if index >= first {
            findings.extend(told(&sheet, found, engine));
        }
    }
    findings
}

/// The tables that stood before and that files change or refer to.
pub(crate) fn touched(files: &[MigrationFile], engine: &str) -> BTreeSet<String> {
    let statements = files.iter().flat_map(|file| read(file, engine));
    statements.flat_map(|statement| statement.acts).filter_map(|act| act.table().cloned()).collect()
}

fn read(file: &MigrationFile, engine: &str) -> Vec<Read> {
    let statements = located(&file.text, engine).into_iter();
    let read = statements.map(|statement| Read {
        line: statement.line,
        acts: acts(engine, &statement.text),
        allows: statement.allows.iter().map(|(line, text)| allow(*line, text)).collect(),
    });
    read.collect()
}

fn allow(line: usize, text: &str) -> Allow {
    let (code, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    Allow { line, code: code.to_owned(), reason: reason.trim().to_owned() }
}

/// Judges a file, and takes in what it does.
fn look(sheet: &Sheet<'_>, world: &mut World, (engine, named): (&'static str, &Named)) -> Found {
    let mut found = Found::new();
    for (at, statement) in sheet.statements.iter().enumerate() {
        for act in &statement.acts {
            let scene = Scene { engine, sheet, world, named, at, act };
            for judge in [loss::judge, lock::judge, design::judge] {
                judge(&scene, &mut found);
            }
            world.follow(at, act);
        }
    }
    design::judge_whole(world, &mut found);
    found.retain(|(rule, _, _)| rule.engines.contains(&engine));
    found.sort_by_key(|(rule, at, _)| (*at, rule.code));
    found
}

fn told(sheet: &Sheet<'_>, found: Found, engine: &'static str) -> Vec<Finding> {
    let finding = |rule, line, message, allowed| Finding {
        rule,
        engine,
        file: sheet.file.name.clone(),
        line,
        message,
        allowed,
    };
    let mut findings = Vec::new();
    for (at, statement) in sheet.statements.iter().enumerate() {
        let own = || found.iter().filter(|(_, by, _)| *by == at);
        for (rule, _, message) in own() {
            let allow = statement.allows.iter().find(|allow| allow.code == rule.code);
            let reason = allow.map(|allow| allow.reason.clone()).filter(|reason| !reason.is_empty());
            findings.push(finding(rule, statement.line, message.clone(), reason));
        }
        for allow in &statement.allows {
            let hit = own().any(|(rule, _, _)| rule.code == allow.code);
            if let Some(message) = mistake(allow, engine, hit) {
                findings.push(finding(&rule::BM130, allow.line, message, None));
            }
        }
    }
    for (line, _) in stray_allows(&sheet.file.text, engine) {
        findings.push(finding(&rule::BM130, line, "no statement follows this remark".to_owned(), None));
    }
    findings
}

/// What is wrong with a remark. One in a section of several engines may be meant for another one.
fn mistake(allow: &Allow, engine: &str, hit: bool) -> Option<String> {
    let Some(rule) = RULES.iter().find(|rule| rule.code == allow.code) else {
        return Some(format!("there is no lint {:?}", allow.code));
    };
    if allow.reason.is_empty() {
        return Some(format!("{} is allowed without a reason", rule.code));
    }
    let elsewhere = rule.engines.len() < 3 && !rule.engines.contains(&engine);
    (!hit && !elsewhere).then(|| format!("{} finds nothing in this statement", rule.code))
}
