//! A server of a test's own, to be killed, frozen and started again.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Where the programs of a server are; `BACKSTAY_TEST_PG_BIN` says otherwise.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A running server, stopped at the end.
pub struct Instance {
    folder: TempDir,
    pub port: u16,
    programs: PathBuf,
}

/// The account that a server runs as; none where this process is not root.
fn account() -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let mine = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut parts = line.split(':').skip(2).map(|number| number.parse().unwrap());
    (mine == 0).then(|| (parts.next().unwrap(), parts.next().unwrap()))
}

/// A port that nobody uses now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl Instance {
    /// Starts one with these lines in its configuration; none, said aloud, where there are no programs.
    pub fn start(configuration: &str) -> Option<Self> {
        crate::store::server();
        #[expect(clippy::disallowed_methods, reason = "tests have no configuration but this")]
        let programs = std::env::var("BACKSTAY_TEST_PG_BIN").unwrap_or_else(|_| PROGRAMS.to_owned());
        if !Path::new(&programs).join("initdb").exists() {
            eprintln!("skipped: no programs of a server in {programs}");
            return None;
        }
        let instance = Self::prepare(programs.into());
        let data = instance.data();
        instance.run("initdb", &["-D", data.to_str().unwrap(), "-U", "postgres", "-A", "trust", "-N"]);
        instance.configure(configuration);
        instance.up();
        Some(instance)
    }

    /// A replica of it that follows as fast as it can.
    pub fn replica(&self) -> Self {
        let replica = Self::prepare(self.programs.clone());
        let (data, port) = (replica.data(), self.port.to_string());
        let source = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres"];
        replica.run(
            "pg_basebackup",
            &[&source[..], &["-D", data.to_str().unwrap(), "-R", "-c", "fast"]].concat(),
        );
        replica.configure("hot_standby = on");
        replica.up();
        replica
    }

    fn prepare(programs: PathBuf) -> Self {
        let instance = Self { folder: tempfile::tempdir().unwrap(), port: free_port(), programs };
        fs::set_permissions(instance.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        instance.own(instance.folder.path());
        fs::create_dir(instance.data()).unwrap();
        fs::set_permissions(instance.data(), fs::Permissions::from_mode(0o700)).unwrap();
        instance.own(&instance.data());
        instance
    }

    fn configure(&self, configuration: &str) {
        let settings = format!(
            "\nport = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n{configuration}\n",
            self.port
        );
        let file = self.data().join("postgresql.conf");
        let known = fs::read_to_string(&file).unwrap();
        fs::write(file, known + &settings).unwrap();
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file of its own, readable by it.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.own(&path);
        path
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = account() {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    /// Starts it and waits until it answers.
    pub fn up(&self) {
        let log = self.folder.path().join("log");
        self.run(
            "pg_ctl",
            &["-D", self.data().to_str().unwrap(), "-l", log.to_str().unwrap(), "-w", "start"],
        );
    }

    /// Stops it at once: sessions are told, nothing is lost that was committed.
    pub fn down(&self) {
        self.run("pg_ctl", &["-D", self.data().to_str().unwrap(), "-m", "fast", "-w", "stop"]);
    }

    /// Kills it and everything that belongs to it, without a word to anybody.
    pub fn kill(&self) {
        self.run("pg_ctl", &["-D", self.data().to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
    }

    /// URL of a database in it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let path = self.programs.join(program);
        let mut command = as_account(&path);
        let status = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    }
}

/// A command in the account of servers: they do not run as root.
pub fn as_account(program: &Path) -> Command {
    let Some((user, group)) = account() else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
    command.arg(program).current_dir("/");
    command
}

impl Drop for Instance {
    fn drop(&mut self) {
        let data = self.data();
        let mut command = as_account(&self.programs.join("pg_ctl"));
        let arguments = ["-D", data.to_str().unwrap(), "-m", "immediate", "stop"];
        drop(command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
}

/// Whether a program is installed.
pub fn has(program: &str) -> bool {
    static SAID: OnceLock<()> = OnceLock::new();
    let there = Path::new(program).exists();
    if !there {
        SAID.get_or_init(|| eprintln!("skipped: {program} is not installed"));
    }
    there
}
