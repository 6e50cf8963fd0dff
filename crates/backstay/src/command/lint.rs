//! `backstay migrate lint`: what migration files do to those who use the database while they
//! run, as text, JSON or remarks of a pull request; and the warnings that `check` and `serve` print.

use crate::Context;
use crate::command::check::count;
use crate::output::{Colour, Exit};
use crate::project::Project;
use anyhow::{Result, bail};
use backstay_migrate::file::MigrationFile;
use backstay_migrate::lint::rule::Severity;
use backstay_migrate::lint::{Finding, lint, lint_beside};
use serde_json::json;

/// Which files, for which engines, in which form.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, by name or number; all without them
    #[arg(conflicts_with = "latest")]
    files: Vec<String>,
    /// The last files alone
    #[arg(long, value_name = "N")]
    latest: Option<usize>,
    /// The engine whose sections are read; that of the store without it
    #[arg(long, value_enum)]
    engine: Option<EngineName>,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// An engine, or each of them.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum EngineName {
    /// SQLite
    Sqlite,
    /// PostgreSQL
    Postgres,
    /// MariaDB and MySQL
    Mysql,
    /// Each of them
    All,
}

/// Forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// A list of findings
    Json,
    /// Workflow commands that GitHub shows beside the lines
    Github,
}

/// Exit code 3 when there are warnings or errors that nothing allows.
pub fn run(context: &Context, project: &Project, files: &[MigrationFile], args: &Args) -> Result<Exit> {
    let chosen = chosen(args, files)?;
    let engines: &[&'static str] = match args.engine {
        None => &[project.engine()],
        Some(EngineName::Sqlite) => &["sqlite"],
        Some(EngineName::Postgres) => &["postgres"],
        Some(EngineName::Mysql) => &["mysql"],
        Some(EngineName::All) => &["sqlite", "postgres", "mysql"],
    };
    // a schema with mistakes is told by `check`; the files are looked at all the same
    let catalog = project.check().and_then(|check| check.catalog()).ok();
    let found = engines.iter().flat_map(|engine| match &catalog {
        Some(catalog) => lint_beside(files, catalog, engine),
        None => lint(files, 0, engine),
    });
    let found: Vec<Finding> = found.filter(|finding| chosen.contains(&finding.file.as_str())).collect();
    let format = if context.output.json { Format::Json } else { args.format };
    match format {
        Format::Json => context.output.value(&found.iter().map(as_json).collect()),
        Format::Github => {
            found.iter().filter(|f| f.allowed.is_none()).for_each(|f| context.output.data(&as_command(f)));
        }
        Format::Text => show(context, &found, chosen.len()),
    }
    Ok(if found.iter().any(is_open) { Exit::Problems } else { Exit::Ok })
}

/// Prints the warnings of these files to standard error.
pub fn warn(context: &Context, files: &[MigrationFile], which: &[&str], engine: &'static str) {
    let found = lint(files, 0, engine);
    for finding in found.iter().filter(|finding| is_open(finding) && which.contains(&finding.file.as_str())) {
        context.output.remark(&as_text(context, finding));
    }
}

/// Whether somebody should look at it.
fn is_open(finding: &Finding) -> bool {
    finding.allowed.is_none() && finding.rule.severity > Severity::Note
}

fn chosen<'f>(args: &Args, files: &'f [MigrationFile]) -> Result<Vec<&'f str>> {
    if let Some(latest) = args.latest {
        return Ok(files.iter().rev().take(latest).rev().map(|file| file.name.as_str()).collect());
    }
    if args.files.is_empty() {
        return Ok(files.iter().map(|file| file.name.as_str()).collect());
    }
    let mut chosen = Vec::new();
    for wanted in &args.files {
        let name = wanted.rsplit('/').next().unwrap_or(wanted);
        let is = |file: &&MigrationFile| file.name == name || name.parse() == Ok(file.number);
        match files.iter().find(is) {
            Some(file) => chosen.push(file.name.as_str()),
            None => bail!("there is no migration {wanted}"),
        }
    }
    Ok(chosen)
}

fn show(context: &Context, found: &[Finding], files: usize) {
    for finding in found {
        context.output.data(&as_text(context, finding));
        match &finding.allowed {
            Some(reason) => context.output.data(&format!("  allowed: {reason}")),
            None => {
                context.output.data(&format!("  {}", finding.rule.why));
                context.output.data(&format!("  instead: {}", finding.rule.recipe));
            }
        }
    }
    let open = found.iter().filter(|finding| is_open(finding)).count();
    context.output.remark(&format!("{}, {} to look at", count(files, "file"), count(open, "finding")));
}

fn as_text(context: &Context, finding: &Finding) -> String {
    let Finding { rule, engine, file, line, message, .. } = finding;
    let colour = match rule.severity {
        Severity::Note => Colour::Grey,
        Severity::Warning => Colour::Yellow,
        Severity::Error => Colour::Red,
    };
    let word = context.output.paint(colour, rule.severity.word());
    format!("migrations/{file}:{line}: {word}[{}] {message} ({engine})", rule.code)
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "code": finding.rule.code,
        "severity": finding.rule.severity.word(),
        "engine": finding.engine,
        "file": finding.file,
        "line": finding.line,
        "message": finding.message,
        "why": finding.rule.why,
        "recipe": finding.rule.recipe,
        "allowed": finding.allowed,
    })
}

/// `::warning file=…,line=…,title=…::…`, its special characters escaped as GitHub reads them.
fn as_command(finding: &Finding) -> String {
    let kind = match finding.rule.severity {
        Severity::Note => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::{kind} file={},line={},title={}::{}",
        property(&format!("migrations/{}", finding.file)),
        finding.line,
        property(&format!("{} {}", finding.rule.code, finding.rule.title)),
        data(&format!("{} ({}): {}", finding.message, finding.engine, finding.rule.recipe)),
    )
}
