//! `cargo xtask tidy`: the house rules that a program can check. All findings are
//! printed, not the first.

use crate::shell::{files, root, say};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which crates a crate may name, in its dependencies. Dev-dependencies are free but for cycles.
const EDGES: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("schema", &["base"]),
    ("query", &["base", "schema"]),
    ("policy", &["base", "schema", "query"]),
    ("sql", &["base", "schema", "query", "policy"]),
    ("engine", &["base", "schema", "query", "policy"]),
    ("engine-sqlite", &["base", "schema", "query", "policy", "engine", "sql"]),
    ("engine-postgres", &["base", "schema", "query", "policy", "engine", "sql"]),
    ("engine-mysql", &["base", "schema", "query", "policy", "engine", "sql"]),
    ("migrate", &["base", "schema", "query", "policy", "engine", "sql"]),
    ("backup", &["base", "engine-sqlite", "engine"]),
    ("rest", &["base", "schema", "query"]),
    ("outbound", &["base"]),
    ("auth", &["base", "schema", "query", "policy", "engine", "outbound"]),
    ("server", &["base", "schema", "query", "policy", "engine", "rest", "outbound", "auth"]),
];

/// Crates that may name every other.
const TOP: &[&str] = &["backstay", "testkit"];

/// Most lines of a file that is not one uniform table.
const FILE_LINES: usize = 1000;

/// Where SQL text is made: by the writer, and to read a file whose tables no catalog describes.
const MAKES_SQL: &[&str] = &["crates/sql/", "crates/backup/src/copy.rs"];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "misc", "manager", "processor", "mod"];

/// The file that lists every call of the one bypass.
const BYPASS_LIST: &str = "docs/reference/policy-system.txt";

/// Runs all checks.
pub fn run() -> Result<()> {
    let mut findings = Vec::new();
    edges(&mut findings)?;
    architecture(&mut findings)?;
    let sources: Vec<PathBuf> = files(".")?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    let mut bypasses = BTreeSet::new();
    for path in &sources {
        let text = std::fs::read_to_string(root().join(path))?;
        source(path, &text, &mut findings);
        bypass(path, &text, &mut bypasses);
    }
    listed(&bypasses, &mut findings);
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings", findings.len());
    }
    say(&format!("tidy: {} files, nothing to mend", sources.len()));
    Ok(())
}

/// The crates that stand under `crates/`.
fn crates() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("crates"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn edges(findings: &mut Vec<String>) -> Result<()> {
    for name in crates()? {
        let manifest = std::fs::read_to_string(root().join("crates").join(&name).join("Cargo.toml"))?;
        let Some((_, allowed)) = EDGES.iter().find(|(crate_name, _)| *crate_name == name) else {
            if !TOP.contains(&name.as_str()) {
                findings.push(format!("crates/{name}: stands in no row of EDGES in xtask/src/tidy.rs"));
            }
            continue;
        };
        let dependencies = section(&manifest, "[dependencies]");
        for line in dependencies {
            let Some(rest) = line.strip_prefix("backstay-") else { continue };
            let other: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            if !allowed.contains(&other.as_str()) {
                findings.push(format!("crates/{name}: may not depend on `{other}` (DESIGN, crate table)"));
            }
        }
    }
    Ok(())
}

fn section<'m>(manifest: &'m str, title: &str) -> Vec<&'m str> {
    let lines = manifest.lines().skip_while(|line| line.trim() != title).skip(1);
    lines.take_while(|line| !line.starts_with('[')).map(str::trim).collect()
}

/// ARCHITECTURE.md's crate table names exactly the crates that exist.
fn architecture(findings: &mut Vec<String>) -> Result<()> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap_or_default();
    let named: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `crates/"))
        .filter_map(|line| line.split('`').next().map(str::to_owned))
        .collect();
    let real = crates()?;
    for name in real.difference(&named) {
        findings.push(format!("ARCHITECTURE.md: the crate table lacks `crates/{name}`"));
    }
    for name in named.difference(&real) {
        findings
            .push(format!("ARCHITECTURE.md: the crate table names `crates/{name}`, which does not exist"));
    }
    Ok(())
}

fn source(path: &Path, text: &str, findings: &mut Vec<String>) {
    let shown = path.display();
    let table = text.starts_with("//! table:");
    let lines = text.lines().count();
    if lines > FILE_LINES && !table {
        findings.push(format!("{shown}: {lines} lines; it is two things (or a `//! table:`)"));
    }
    if !text.starts_with("//!") {
        findings.push(format!("{shown}: does not open with `//!`"));
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem.as_str()) {
        findings.push(format!("{shown}: `{stem}` says nothing; give the thing its own noun"));
    }
    let in_tests = shown.to_string().contains("/tests") || shown.to_string().contains("testkit");
    for (index, line) in text.lines().enumerate() {
        let at = index + 1;
        if line.contains("TODO") && !line.contains("TODO(#") && !shown.to_string().ends_with("tidy.rs") {
            findings.push(format!("{shown}:{at}: a TODO without an issue number"));
        }
        if line.trim_start().starts_with("#[allow(") || line.trim_start().starts_with("#![allow(") {
            findings.push(format!("{shown}:{at}: `#[expect(lint, reason = \"…\")]`, never `#[allow]`"));
        }
        let may_make_sql = MAKES_SQL.iter().any(|place| shown.to_string().starts_with(place));
        if !in_tests && makes_sql(line) && !may_make_sql {
            findings.push(format!("{shown}:{at}: SQL text outside `sql::Writer`"));
        }
    }
}

/// Text that is put together and looks like SQL.
fn makes_sql(line: &str) -> bool {
    let builds = line.contains("format!(\"") || line.contains("push_str(\"");
    let keywords =
        ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "UPDATE \\\"", "ALTER TABLE "];
    builds && keywords.iter().any(|keyword| line.contains(keyword))
}

/// Files that call the one bypass of the rules.
fn bypass(path: &Path, text: &str, found: &mut BTreeSet<String>) {
    let shown = path.display().to_string();
    let own = shown.starts_with("crates/policy/") || shown.starts_with("xtask/");
    let calls = text.lines().any(|line| {
        let code = line.split("//").next().unwrap_or_default();
        let imported = code.split_once("weave::{").is_some_and(|(_, names)| names.contains("system"));
        imported || code.contains("weave::system") || code.contains("Caller::System")
    });
    if calls && !own {
        found.insert(shown);
    }
}

fn listed(found: &BTreeSet<String>, findings: &mut Vec<String>) {
    let text = std::fs::read_to_string(root().join(BYPASS_LIST)).unwrap_or_default();
    let listed: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    for path in found.difference(&listed) {
        findings.push(format!("{path}: speaks as System but stands not in {BYPASS_LIST}"));
    }
    for path in listed.difference(found) {
        findings.push(format!("{BYPASS_LIST}: lists {path}, which no longer speaks as System"));
    }
}
