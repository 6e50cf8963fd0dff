//! A project folder: where its files are, and its schema compiled.

use crate::command::check::count;
use crate::config::Config;
use crate::store::dialect_of;
use anyhow::{Context, Result, bail};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::directive::directives_sdl;
use backstay_schema::compile::{Compiled, Owner, Settings, SourceFile, compile};
use backstay_schema::diagnostic::Diagnostic;
use backstay_sql::support::refusals;
use std::path::{Path, PathBuf};

/// A project folder.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: Config,
}

/// A schema that did or did not compile, with the files that messages quote.
pub struct Checked {
    /// The project's files.
    pub files: Vec<SourceFile>,
    /// The model, or every mistake.
    pub outcome: Result<Compiled, Vec<Diagnostic>>,
}

impl Project {
    /// Opens a project folder.
    ///
    /// # Errors
    /// When it is no project or its configuration is not right.
    pub fn open(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            bail!("{} is not a folder", folder.display());
        }
        let config = Config::read(folder)?;
        let project = Self { folder: folder.to_path_buf(), config };
        if project.schema_paths()?.is_empty() {
            bail!(
                "{} holds no schema.graphql; start one with: backstay new {}",
                folder.display(),
                folder.display()
            );
        }
        Ok(project)
    }

    /// The schema files, in a stable order: `schema.graphql` and `schema/*.graphql`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn schema_paths(&self) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        let single = self.folder.join("schema.graphql");
        if single.is_file() {
            paths.push(single);
        }
        let many = self.folder.join("schema");
        if many.is_dir() {
            for entry in std::fs::read_dir(&many).context("cannot read schema/")? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "graphql") {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Reads and compiles the schema, with Backstay's own tables.
    ///
    /// # Errors
    /// When a file cannot be read; mistakes in it are part of the answer.
    pub fn check(&self) -> Result<Checked> {
        self.check_with(None)
    }

    /// The same with further tables of Backstay's own.
    ///
    /// # Errors
    /// As [`Project::check`].
    pub fn check_with(&self, further: Option<SourceFile>) -> Result<Checked> {
        let mut files = vec![SourceFile {
            name: "backstay".to_owned(),
            text: backstay_auth::schema::SCHEMA.to_owned(),
            owner: Owner::System,
        }];
        files.extend(further);
        for path in self.schema_paths()? {
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let text =
                String::from_utf8(bytes).with_context(|| format!("{} is not valid UTF-8", path.display()))?;
            let name = path.strip_prefix(&self.folder).unwrap_or(&path).display().to_string();
            files.push(SourceFile { name, text, owner: Owner::Project });
        }
        let settings = Settings { roles: self.config.roles.clone() };
        let outcome = compile(&files, &settings).and_then(|compiled| {
            let refused = dialect_of(&self.config.store.default.url)
                .map(|dialect| refusals(&compiled.catalog, dialect))
                .unwrap_or_default();
            if refused.is_empty() { Ok(compiled) } else { Err(refused) }
        });
        Ok(Checked { files, outcome })
    }

    /// Where generated and local things live; made when missing, ignored by git.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn local_folder(&self) -> Result<PathBuf> {
        let path = self.folder.join(".backstay");
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// Writes `.backstay/directives.graphql`, which makes stock GraphQL editors accept the schema.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_directives(&self) -> Result<()> {
        let path = self.local_folder()?.join("directives.graphql");
        let text = directives_sdl();
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Short name of the engine that the store's URL chooses.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.config.store.default.url.split(':').next() {
            Some("postgres" | "postgresql") => "postgres",
            Some("mysql" | "mariadb") => "mysql",
            _ => "sqlite",
        }
    }

    /// The folder of migration files.
    #[must_use]
    pub fn migrations(&self) -> PathBuf {
        self.folder.join("migrations")
    }
}

impl Checked {
    /// The model, or an error that shows every mistake.
    ///
    /// # Errors
    /// When the schema has mistakes.
    pub fn catalog(self) -> Result<Catalog> {
        match self.outcome {
            Ok(compiled) => Ok(compiled.catalog),
            Err(mistakes) => {
                let text = backstay_schema::diagnostic::render::text(&mistakes, &self.files);
                bail!("the schema has {}\n\n{text}", count(mistakes.len(), "mistake"))
            }
        }
    }
}
