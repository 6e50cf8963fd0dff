//! SDL files in, a checked catalog or every mistake out.

pub mod directive;
pub mod draft;
pub mod literal;

mod audit;
mod build;
mod constraint;
mod embedded;
mod enumeration;
mod extras;
mod field;
mod full_text;
mod implied;
mod judge;
mod junction;
mod key;
mod limit;
mod linking;
mod relation;
mod rules;
mod source;
mod stored;
mod unavailable;
mod usage;
mod valid;
mod view;

use crate::catalog::Catalog;
use crate::diagnostic::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// One SDL file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Name relative to the project, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Whose it is.
    pub owner: Owner,
}

/// Whose a source file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The project's.
    Project,
    /// Backstay's own: its types become `Origin::System`.
    System,
}

/// What the schema compiler needs of `backstay.toml`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Declared roles besides `anon`, `authenticated` and `service`.
    pub roles: Vec<String>,
}

/// A schema that compiled.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The model.
    pub catalog: Catalog,
    /// Remarks.
    pub warnings: Vec<Diagnostic>,
}

/// The roles that always exist.
pub const BUILT_IN_ROLES: [&str; 3] = ["anon", "authenticated", "service"];

/// Compiles a schema.
///
/// # Errors
/// Every mistake found, not the first.
pub fn compile(files: &[SourceFile], settings: &Settings) -> Result<Compiled, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let (mut draft, validation) = source::read(files, &mut diagnostics);
    implied::add(&mut draft, &mut diagnostics);
    view::check(&draft, &mut diagnostics);
    let mut built = build::build(&draft, &mut diagnostics);
    built.catalog.files = files.iter().map(|file| file.name.clone()).collect();
    built.catalog.roles =
        BUILT_IN_ROLES.iter().map(ToString::to_string).chain(settings.roles.iter().cloned()).collect();
    built.catalog.generation = generation(files, settings);
    check_rules(&draft, &mut built, &mut diagnostics);
    if !diagnostics.failed() {
        source::validate(validation, &mut diagnostics);
    }
    if diagnostics.failed() {
        return Err(diagnostics.into_sorted());
    }
    Ok(Compiled { catalog: built.catalog, warnings: diagnostics.into_sorted() })
}

/// Checks the rules. On a broken shape only mistakes that do not follow from it are kept.
fn check_rules(draft: &draft::Draft, built: &mut build::Built, diagnostics: &mut Diagnostics) {
    if diagnostics.failed() {
        let mut found = Diagnostics::default();
        rules::fill(draft, built, &mut found);
        diagnostics.merge(found, &INDEPENDENT);
        return;
    }
    let named = rules::fill(draft, built, diagnostics);
    if !diagnostics.failed() {
        linking::fill(draft, built, &named, diagnostics);
        judge::judge(&built.catalog, &named, diagnostics);
    }
}

/// Mistakes in rules that stand whatever the types of the schema are.
const INDEPENDENT: [Code; 7] = [
    codes::RULE_SYNTAX,
    codes::UNDECLARED_ROLE,
    codes::USER_METADATA,
    codes::NOT_AN_UPDATE,
    codes::RULE_RECURSION,
    codes::LITERAL,
    codes::TOO_LONG,
];

/// The same sources and settings have the same number, in every process of one version.
fn generation(files: &[SourceFile], settings: &Settings) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut parts: Vec<&[u8]> = vec![env!("CARGO_PKG_VERSION").as_bytes()];
    for file in files {
        let owner: &[u8] = if file.owner == Owner::System { b"system" } else { b"project" };
        parts.extend([owner, file.name.as_bytes(), file.text.as_bytes()]);
    }
    parts.extend(settings.roles.iter().map(String::as_bytes));
    // FNV-1a; the length before each part keeps two splits of one text apart
    let mut hash = OFFSET;
    for part in parts {
        for byte in part.len().to_le_bytes().iter().chain(part) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    hash
}
