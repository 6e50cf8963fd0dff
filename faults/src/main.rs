//! `faults`: what Backstay acknowledged is still there after `kill -9`, a full disk, calls of
//! the system that fail, a frozen process, a clock that jumps and a damaged file. A client
//! keeps a ledger of what it was told; after each fault the database is read again and
//! compared. `cargo xtask faults` builds and runs it; `--long` for the long form.

mod fault;
mod ledger;
mod load;
mod project;
mod server;

use crate::fault::Outcome;
use anyhow::{Context, Result, bail};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::path::PathBuf;
use std::time::Instant;

/// What a run is told.
pub struct Plan {
    /// The program under test.
    pub binary: PathBuf,
    /// The long form: more of everything.
    pub is_long: bool,
    /// What chance hangs on.
    pub seed: u64,
}

impl Plan {
    /// How often, in the short form and in the long one.
    pub const fn times(&self, short: u64, long: u64) -> u64 {
        if self.is_long { long } else { short }
    }

    /// Chance of its own for one fault.
    pub fn chance(&self, name: &str) -> StdRng {
        let salt = name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
        StdRng::seed_from_u64(self.seed ^ salt)
    }
}

/// A fault: its name and how it is played.
type Play = fn(&Plan) -> Result<Outcome>;

const FAULTS: &[(&str, Play)] = &[
    ("kill -9 under eight writers", fault::kill::play),
    ("a full disk", fault::disk::play),
    ("the n-th sync fails, for every n", fault::syscalls::one_sync),
    ("the n-th pwrite64 fails, for every n", fault::syscalls::one_write),
    ("every sync from the n-th on fails", fault::syscalls::all_syncs),
    ("a frozen process", fault::frozen::play),
    ("a clock that jumps", fault::clock::play),
    ("a damaged file", fault::damage::play),
    ("a lost disk, restored from shipped commits", fault::lost::play),
];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| args.iter().find_map(|arg| arg.strip_prefix(name));
    let plan = Plan {
        binary: given("--binary=").context("--binary=PATH names the program under test")?.into(),
        is_long: args.iter().any(|arg| arg == "--long"),
        seed: given("--seed=").map_or(Ok(20), str::parse)?,
    };
    let only = given("--only=").unwrap_or_default();
    say(&format!("seed {}", plan.seed));
    let (mut passed, mut failed) = (0, 0);
    for (name, play) in FAULTS.iter().filter(|(name, _)| name.contains(only)) {
        let began = Instant::now();
        match play(&plan) {
            Ok(outcome) => {
                passed += 1;
                say(&format!("{name}: {outcome}; {} s", began.elapsed().as_secs()));
            }
            Err(error) => {
                failed += 1;
                say(&format!("{name}: FAILED: {error:?}"));
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    say(&format!("test result: {verdict}. {passed} passed; {failed} failed"));
    if failed > 0 || passed == 0 {
        bail!("{failed} faults showed a violation");
    }
    Ok(())
}

/// A line for the person at the terminal.
#[expect(clippy::print_stdout, reason = "a command speaks on its standard output")]
fn say(line: &str) {
    println!("{line}");
}
