//! Automation of the workspace: `cargo xtask tidy|test|docs|clients|faults|bench`.
//! Each command says what it does, what it skipped and why, and fails with the status of what failed.

mod bench;
mod clients;
mod docs;
mod engines;
mod faults;
mod servers;
mod shell;
mod test;
mod tidy;
mod tools;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask <command>

  tidy     checks the house rules that a program can check
  test     sets up what the tests need and runs all of them, on every engine (test --only=sqlite for one)
  docs     writes the generated reference pages (docs --check only compares)
  clients  plays the examples with the real clients from their registries
  faults   kills the program, fills its disk, fails its calls, and looks for what was acknowledged (--long, --only=NAME)
  bench    measures against the hand-written program in one run (--quick for a short one)
";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("tidy") => tidy::run(),
        Some("test") => test::run(rest),
        Some("docs") => docs::run(rest),
        Some("clients") => clients::alone(),
        Some("faults") => faults::run(rest),
        Some("bench") => bench::run(rest),
        _ => bail!("{USAGE}"),
    }
}
