//! Seeds and sizes of property tests: printed always, settable by
//! `BACKSTAY_SEED` and `BACKSTAY_CASES`.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// The seed of this run, and a generator from it.
#[must_use]
#[expect(clippy::print_stdout, reason = "a property test prints its seed")]
pub fn seeded(name: &str, default: u64) -> StdRng {
    let seed = number("BACKSTAY_SEED").unwrap_or(default);
    println!("{name}: BACKSTAY_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// How many cases to try.
#[must_use]
pub fn cases(default: u64) -> u64 {
    number("BACKSTAY_CASES").unwrap_or(default)
}

#[expect(clippy::disallowed_methods, reason = "tests are told their sizes by the environment")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
