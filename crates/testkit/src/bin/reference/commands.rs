//! The page of commands: the help of the real binary, command by command.

use std::path::PathBuf;
use std::process::Command;

/// Exit codes, as `output.rs` of the binary has them; 2 is the command line parser's.
const EXITS: &str = "## Exit codes\n\n| code | means |\n| --- | --- |\n| 0 | all well |\n| 1 | something failed; standard error says what |\n\
| 2 | the command line is not right |\n| 3 | a check found problems |\n| 4 | a person must say yes first: `--yes` |\n\n\
Data goes to standard output, remarks to standard error. `--json` puts one JSON value per line on standard output.\n";

pub fn page() -> Result<String, String> {
    let mut out = String::from("# Commands\n\n");
    help(&[], &mut out)?;
    out.push_str(EXITS);
    Ok(out)
}

/// The help of a command and of those below it.
fn help(path: &[&str], out: &mut String) -> Result<(), String> {
    let program = program()?;
    let done = Command::new(&program).args(path).arg("--help").output();
    let done = done.map_err(|error| format!("{}: {error}", program.display()))?;
    if !done.status.success() {
        return Err(format!("{} {path:?} --help failed", program.display()));
    }
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let title = [&["backstay"], path].concat().join(" ");
    let text_lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    out.push_str(&format!("## {title}\n\n```text\n{}\n```\n\n", text_lines.join("\n")));
    for name in commands(&text) {
        help(&[path, &[name]].concat(), out)?;
    }
    Ok(())
}

/// Names in the section `Commands:`.
fn commands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // names stand two spaces in, what wraps stands deeper
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).collect()
}

/// The binary beside this one.
fn program() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = own.with_file_name(["backstay", std::env::consts::EXE_SUFFIX].concat());
    if !program.is_file() {
        return Err(format!("{} is not there; build it first: cargo build -p backstay", program.display()));
    }
    Ok(program)
}
