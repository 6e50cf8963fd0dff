//! [`Server`]: the tools that a database server comes with, and how they are told where it is. Passwords
//! go by the environment: arguments are read by every process of a machine.

use crate::error::{BackupError, Result};
use crate::installed::{PG_DUMP, Tools};
use percent_encoding::percent_decode_str;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tokio::process::Command;
use url::Url;

/// A database on a server, as its tools see it.
#[derive(Clone)]
pub struct Server {
    kind: Kind,
    url: Url,
    database: String,
    tools: Tools,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgres,
    MySql,
}

/// The URL holds a password.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} database {}", self.name(), self.database)
    }
}

impl Server {
    /// The server of a store's URL; none for a file.
    ///
    /// # Errors
    /// When the URL of a server cannot be read.
    pub fn of(url: &str) -> Result<Option<Self>> {
        let kind = match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Kind::Postgres,
            Some(("mysql" | "mariadb", _)) => Kind::MySql,
            _ => return Ok(None),
        };
        // the text of the URL is not repeated: it holds a password
        let url = Url::parse(url).map_err(|error| BackupError::Url(format!("the store's URL: {error}")))?;
        let database = decoded(url.path().trim_start_matches('/'));
        if database.is_empty() {
            return Err(BackupError::Url("the URL of the store names no database".to_owned()));
        }
        Ok(Some(Self { kind, url, database, tools: Tools::default() }))
    }

    /// The same with tools that fit: on PostgreSQL the named one, else the newest of those that are installed.
    #[must_use]
    pub async fn with_tools(self, pg_dump: Option<&Path>, search_path: Option<&std::ffi::OsStr>) -> Self {
        let tools = match (self.kind, pg_dump) {
            (Kind::MySql, _) => return self,
            (Kind::Postgres, Some(named)) => Tools::named(named).await,
            (Kind::Postgres, None) => Tools::newest(search_path).await,
        };
        Self { tools, ..self }
    }

    /// `postgres` or `mysql`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Postgres => "postgres",
            Kind::MySql => "mysql",
        }
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Another database of the same server.
    #[must_use]
    pub fn beside(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// Writes the database to its standard output as one moment of it, the same bytes for the same rows.
    ///
    /// # Errors
    /// When the tool is not there.
    pub(crate) async fn dump(&self) -> Result<Command> {
        match self.kind {
            Kind::Postgres => {
                let help = run(Command::new(self.program(PG_DUMP)).arg("--help")).await?;
                self.refuse_newer().await?;
                let mut command = self.command(PG_DUMP);
                command.args(["--format=plain", "--no-owner", "--no-privileges"]);
                command.args(["--no-publications", "--no-subscriptions"]);
                if String::from_utf8_lossy(&help.stdout).contains("--restrict-key") {
                    // else newer versions draw one anew for each dump
                    command.arg("--restrict-key=backstay");
                }
                Ok(command)
            }
            Kind::MySql => {
                let mut command = self.command("mariadb-dump");
                command.args(["--single-transaction", "--quick", "--order-by-primary", "--hex-blob"]);
                command.args(["--routines", "--triggers", "--skip-dump-date", "--skip-comments"]);
                command.arg("--default-character-set=utf8mb4").arg(&self.database);
                Ok(command)
            }
        }
    }

    /// Reads what [`Server::dump`] wrote from its standard input; all of it or, on PostgreSQL, nothing.
    pub(crate) fn load(&self) -> Command {
        match self.kind {
            Kind::Postgres => {
                let mut command = self.command("psql");
                command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]);
                command.args(["--output=/dev/null", "--file=-"]);
                command
            }
            Kind::MySql => {
                let mut command = self.command("mariadb");
                command.args(["--default-character-set=utf8mb4", "--batch"]).arg(&self.database);
                command
            }
        }
    }

    /// Makes this database.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn make(&self) -> Result<()> {
        let mut command = match self.kind {
            Kind::Postgres => self.command("createdb"),
            Kind::MySql => self.command("mariadb-admin"),
        };
        match self.kind {
            Kind::Postgres => command.args(["--template=template0", "--maintenance-db=postgres"]),
            Kind::MySql => command.arg("create"),
        };
        run(command.arg(&self.database)).await.map(drop)
    }

    /// Takes it away again.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn drop(&self) -> Result<()> {
        let mut command = match self.kind {
            Kind::Postgres => self.command("dropdb"),
            Kind::MySql => self.command("mariadb-admin"),
        };
        match self.kind {
            Kind::Postgres => command.args(["--force", "--maintenance-db=postgres"]),
            Kind::MySql => command.args(["--force", "drop"]),
        };
        run(command.arg(&self.database)).await.map(drop)
    }

    /// How many tables stand in it.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(crate) async fn tables(&self) -> Result<u64> {
        let mut command = match self.kind {
            Kind::Postgres => self.command("psql"),
            Kind::MySql => self.command("mariadb"),
        };
        match self.kind {
            Kind::Postgres => command.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command"]).arg(
                "SELECT count(*) FROM information_schema.tables \
                 WHERE table_schema NOT IN ('pg_catalog', 'information_schema')",
            ),
            Kind::MySql => command
                .args(["--batch", "--skip-column-names", "--execute"])
                .arg("SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()")
                .arg(&self.database),
        };
        let output = run(&mut command).await?;
        let count = String::from_utf8_lossy(&output.stdout).trim().parse();
        count.map_err(|_| BackupError::Tool("the server did not say how many tables it has".to_owned()))
    }

    /// The version of the tool that dumps.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn version(&self) -> Result<String> {
        let tool = match self.kind {
            Kind::Postgres => PG_DUMP,
            Kind::MySql => "mariadb-dump",
        };
        let output = run(Command::new(self.program(tool)).arg("--version")).await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// No `pg_dump` reads a server that is newer than itself.
    async fn refuse_newer(&self) -> Result<()> {
        let mut asked = self.command("psql");
        asked.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", "SHOW server_version_num"]);
        let output = run(&mut asked).await?;
        let number: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0);
        let (server, (own, minor)) = (number / 10_000, self.tools.version);
        if server <= own || own == 0 {
            return Ok(());
        }
        Err(BackupError::Tool(format!(
            "the server is PostgreSQL {server}, which {} ({own}.{minor}) cannot read: install postgresql-client-{server}, \
             or name a newer one in [backup] pg_dump",
            self.program(PG_DUMP).display()
        )))
    }

    fn program(&self, name: &str) -> PathBuf {
        match self.kind {
            Kind::Postgres => self.tools.program(name),
            Kind::MySql => name.into(),
        }
    }

    /// A tool that knows where the server is.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.program(program));
        command.stdin(Stdio::null()).kill_on_drop(true);
        let (user, password) = (decoded(self.url.username()), self.url.password().map(decoded));
        let host = self.url.host_str().unwrap_or("localhost").trim_matches(['[', ']']).to_owned();
        match self.kind {
            Kind::Postgres => {
                command
                    .env("PGHOST", self.parameter("host").unwrap_or(host))
                    .env("PGDATABASE", &self.database);
                command.env("PGPORT", self.url.port().unwrap_or(5432).to_string());
                command.env("PGCONNECT_TIMEOUT", "10").env("PGOPTIONS", "-c statement_timeout=0");
                let set = [("PGUSER", Some(user).filter(|user| !user.is_empty())), ("PGPASSWORD", password)];
                command.envs(set.into_iter().filter_map(|(name, value)| Some((name, value?))));
                for (name, variable) in [
                    ("sslmode", "PGSSLMODE"),
                    ("sslrootcert", "PGSSLROOTCERT"),
                    ("sslcert", "PGSSLCERT"),
                    ("sslkey", "PGSSLKEY"),
                ] {
                    command.envs(self.parameter(name).map(|value| (variable, value)));
                }
            }
            Kind::MySql => {
                command.arg(format!("--host={host}"));
                command.arg(format!("--port={}", self.url.port().unwrap_or(3306)));
                command.arg("--protocol=TCP").arg(format!("--user={user}"));
                command.envs(password.map(|password| ("MYSQL_PWD", password)));
                match self.parameter("ssl-mode").map(|mode| mode.to_lowercase().replace('_', "-")).as_deref()
                {
                    Some("disabled") => command.arg("--skip-ssl"),
                    Some("required") => command.args(["--ssl", "--skip-ssl-verify-server-cert"]),
                    Some("verify-identity") => command.args(["--ssl", "--ssl-verify-server-cert"]),
                    _ => &mut command,
                };
                for name in ["ssl-ca", "ssl-cert", "ssl-key"] {
                    command.args(self.parameter(name).map(|value| format!("--{name}={value}")));
                }
            }
        }
        command
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Runs a tool to its end.
async fn run(command: &mut Command) -> Result<Output> {
    let output = command.output().await.map_err(|error| missing(command, error))?;
    if output.status.success() { Ok(output) } else { Err(failed(command, &output.stderr)) }
}

/// A tool that could not be started.
pub(crate) fn missing(command: &Command, error: std::io::Error) -> BackupError {
    let name = command.as_std().get_program().to_string_lossy();
    match error.kind() {
        std::io::ErrorKind::NotFound => BackupError::Tool(format!(
            "{name} is not installed: backups of a server are made by its own tools (postgresql-client, mariadb-client)"
        )),
        _ => BackupError::Io(error),
    }
}

/// A tool that ended badly, in its own words.
pub(crate) fn failed(command: &Command, words: &[u8]) -> BackupError {
    let name = command.as_std().get_program().to_string_lossy();
    let name = Path::new(&*name).file_name().unwrap_or_default().to_string_lossy();
    BackupError::Tool(format!("{name}: {}", String::from_utf8_lossy(words).trim()))
}

#[cfg(test)]
mod tests {
    use super::Server;

    #[test]
    fn passwords_are_no_arguments_and_no_words() {
        for url in [
            "postgres://ann:s%3Acret@[::1]:7/shop?sslmode=verify-full&connections=3",
            "mysql://ann:s%3Acret@h:7/shop?ssl-mode=required",
        ] {
            let server = Server::of(url).unwrap().unwrap();
            let command = server.load();
            let command = command.as_std();
            assert!(command.get_args().all(|arg| !arg.to_string_lossy().contains("cret")), "{command:?}");
            let secret = |(_, value): (_, Option<&std::ffi::OsStr>)| value.is_some_and(|it| it == "s:cret");
            assert!(command.get_envs().any(secret));
            assert!(!format!("{server:?}").contains("cret"));
        }
        let error = Server::of("postgres://ann:secret@h:port/shop").unwrap_err().to_string();
        assert_eq!(error, "the store's URL: invalid port number");
        assert!(Server::of("sqlite:dev.db").unwrap().is_none());
        assert!(Server::of("mysql://ann:secret@h/").is_err());
    }
}
