//! [`Server`]: `backstay serve` as a process of its own, and the signals it is sent.

use crate::Plan;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longest wait for a server to be ready: traced, it takes its time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// From its start to its first word.
    pub ready_in: Duration,
}

/// What a server is started within: a program before it, and variables.
#[derive(Default)]
pub struct Within {
    /// The program and its arguments.
    pub before: Vec<String>,
    /// Variables of its environment.
    pub variables: Vec<(&'static str, String)>,
}

impl Server {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it ends instead; with what it said.
    pub fn start(plan: &Plan, project: &Project) -> Result<Self> {
        Self::start_within(plan, project, &Within::default())
    }

    /// Starts it within something.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_within(plan: &Plan, project: &Project, within: &Within) -> Result<Self> {
        let began = Instant::now();
        let log = project.folder.join("server.log");
        let mut command = match within.before.split_first() {
            Some((program, args)) => {
                let mut command = Command::new(program);
                command.args(args).arg(&plan.binary);
                command
            }
            None => Command::new(&plan.binary),
        };
        command.args(["serve", "--listen", "127.0.0.1:0", "--json", "-C"]).arg(&project.folder);
        command.envs(within.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?);
        let mut child = command.spawn().context("the server cannot be started")?;
        let output = child.stdout.take().context("no output")?;
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || listen(output, &tell));
        match told.recv_timeout(PATIENCE) {
            Ok(url) => Ok(Self { child, url, ready_in: began.elapsed() }),
            Err(_) => {
                // it may wait for its storage as long as it likes; nobody else does
                child.kill()?;
                let status = child.wait()?;
                bail!("it did not start ({status}): {}", said(&log))
            }
        }
    }

    /// `kill -9`, and waits for the end.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// SIGTERM, and waits for the end: what it took is answered first.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        Ok(self.child.wait()?)
    }

    /// Sends a signal by name.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, name: &str) -> Result<()> {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status()?;
        if !status.success() {
            bail!("the server is gone");
        }
        Ok(())
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // an error ends the fault early: nothing of it may stay behind
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a server says until it ends, and tells where it listens once it is ready.
fn listen(output: ChildStdout, tell: &mpsc::Sender<String>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let text = |pointer| said.pointer(pointer).and_then(serde_json::Value::as_str);
        if let (Some("ready"), Some(url)) = (text("/event"), text("/url")) {
            // whoever started it may have given up
            let _ = tell.send(url.to_owned());
        }
    }
}

/// The end of what it wrote to its standard error.
fn said(log: &Path) -> String {
    let mut text = String::new();
    let read = std::fs::File::open(log).and_then(|mut file| file.read_to_string(&mut text));
    if read.is_err() {
        return "nothing".to_owned();
    }
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

/// Lets the load go on for a while.
#[expect(clippy::disallowed_methods, reason = "the moment of a fault is a time that chance picks")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
