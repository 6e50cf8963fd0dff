//! A server of a test's own, that may be killed and started again.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub struct Instance {
    folder: TempDir,
    pub port: u16,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Instance {
    /// Makes the files of a server; none, said aloud, where its programs are not there.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn new(settings: &[&str]) -> Option<Self> {
        crate::server::server()?;
        let folder = tempfile::Builder::new().prefix("bs-maria").tempdir().unwrap();
        open_to_all(folder.path());
        let data = folder.path().join("data");
        let mut make = as_server("mariadb-install-db");
        make.arg("--no-defaults").arg("--auth-root-authentication-method=normal");
        make.arg("--skip-test-db").arg(["--datadir=", data.to_str().unwrap()].concat());
        match make.stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Ok(status) if status.success() => {}
            Ok(_) | Err(_) => {
                eprintln!("skipped: the programs of a MariaDB server are not here");
                return None;
            }
        }
        let port = free_port();
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        Some(Self { folder, port, settings, child: None })
    }

    pub fn start(&mut self) {
        let data = self.folder.path().join("data");
        let socket = self.folder.path().join("socket");
        let mut serve = as_server("mariadbd");
        serve.arg("--no-defaults").arg(["--datadir=", data.to_str().unwrap()].concat());
        serve.arg(["--socket=", socket.to_str().unwrap()].concat());
        serve.arg(format!("--port={}", self.port)).arg("--bind-address=127.0.0.1");
        serve.args(["--innodb-buffer-pool-size=32M", "--performance-schema=OFF"]).args(&self.settings);
        self.child = Some(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }

    /// Ends it at once, as a failing machine would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.port)
    }

    /// Waits until it answers.
    pub async fn ready(&mut self) {
        // nobody is told when a server begins to listen: it is asked again and again
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(5));
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "the server ended: {ended:?}");
            ticks.tick().await;
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port below those that the system gives to outgoing connections: one of them could take
/// it while the server is down, and even be connected with itself.
pub fn free_port() -> u16 {
    let mut bytes = [0; 2];
    loop {
        getrandom::fill(&mut bytes).unwrap();
        let port = 12_000 + u16::from_le_bytes(bytes) % 18_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A server does not run as root.
fn as_server(program: &str) -> Command {
    if !Path::new("/proc/self").metadata().is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=mysql", "--regid=mysql", "--clear-groups", "--pdeathsig=KILL", program]);
    command
}

pub fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
}
