//! Runs programs and finds the workspace.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Runs a command in the workspace; its output goes to the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    say(&format!("$ {shown}"));
    let status = command.current_dir(root()).status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("failed ({status}): {shown}");
    }
    Ok(())
}

/// Whether a program is there and answers.
pub fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Whether skipping is failing.
#[expect(clippy::disallowed_methods, reason = "xtask is no part of the server")]
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// A variable of the environment that is set to something.
#[expect(clippy::disallowed_methods, reason = "xtask is no part of the server")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs a command whose output matters only when it fails.
pub fn quietly(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!("failed ({}): {shown}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A short wait between two looks at another program.
#[expect(clippy::disallowed_methods, reason = "a server that starts tells nobody when it is up")]
pub fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(200));
}

/// A line for the person at the terminal.
#[expect(clippy::print_stdout, reason = "a command speaks on its standard output")]
pub fn say(line: &str) {
    println!("{line}");
}

/// All files below `dir` that git knows or would take, relative to the root.
pub fn files(dir: &str) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--", dir])
        .current_dir(root())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(PathBuf::from).filter(|path| root().join(path).is_file()).collect())
}
