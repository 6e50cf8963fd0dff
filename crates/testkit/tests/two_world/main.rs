//! SEMANTICS 34: two databases that differ only in what the caller may not read, and
//! that no rule reads, give byte-equal answers (status, headers, body) to any request.

#![cfg(test)]

mod ask;
mod mangle;
mod request;
mod world;

use crate::ask::Answer;
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::store::catalog;
use rand::Rng;
use std::collections::BTreeMap;

/// Requests per run unless told otherwise.
const REQUESTS: u64 = 4_000;
/// Requests that share a pair of worlds.
const PER_PAIR: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_read_does_not_show() {
    let mut rng = seeded("two-world", 11);
    let total = cases(REQUESTS);
    let models = [catalog(world::SCHEMA, &["staff"]), catalog(&world::audited(), &["staff"])];
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    let mut with_rows = 0;
    let mut differing_verdicts = 0;
    let mut done = 0;
    while done < total {
        let model = &models[usize::from(rng.random_bool(0.3))];
        let first = world::World::random(&mut rng);
        let asker = world::Asker::random(&mut rng);
        let second = first.hidden_changed(&asker, &mut rng);
        assert_ne!(first, second, "the worlds of a pair differ");
        let (a, b) = (first.store(model).await, second.store(model).await);
        for _ in 0..PER_PAIR.min(total - done) {
            done += 1;
            let request = request::random(&first, &mut rng);
            let caller = asker.caller(&first);
            // ids and the clock are seeded alike, or new rows would differ by themselves
            let seed: u64 = rng.random();
            let one = ask::answer(&a, model, &caller, &request, seed).await;
            let other = ask::answer(&b, model, &caller, &request, seed).await;
            *statuses.entry(one.status).or_default() += 1;
            with_rows += u64::from(one.body.len() > 4 && one.status < 300);
            if is_verdict(&one) != is_verdict(&other) {
                differing_verdicts += 1;
                continue;
            }
            assert_eq!(
                one, other,
                "request {done}\n{request:?}\n{asker:?}\nfirst: {first:#?}\nsecond: {second:#?}"
            );
        }
    }
    // what is tried must not be all refusals or all empty
    assert!(with_rows * 5 > total, "{with_rows} of {total} answered with rows: {statuses:?}");
    assert!(differing_verdicts * 5 < total, "{differing_verdicts} of {total} verdicts differ");
    assert!(statuses.keys().any(|status| *status >= 400), "{statuses:?}");
}

/// The one disclosure that is declared and that this generator can meet: the database
/// refuses a delete that hidden rows restrict.
fn is_verdict(answer: &Answer) -> bool {
    answer.body.contains("\"23503\"")
}

/// Mangled requests per run unless told otherwise.
const MANGLED: u64 = 6_000;

/// Whatever is sent is answered, refused in words of the dialect, and never an internal fault
/// (`ask::answer` asserts that); what is answered still tells nothing of the other world.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mangled_requests_are_refused_in_words() {
    let mut rng = seeded("mangled", 31);
    let total = cases(MANGLED);
    let model = catalog(world::SCHEMA, &["staff"]);
    let first = world::World::random(&mut rng);
    let asker = world::Asker::random(&mut rng);
    let second = first.hidden_changed(&asker, &mut rng);
    let (a, b) = (first.store(&model).await, second.store(&model).await);
    let caller = asker.caller(&first);
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    for done in 0..total {
        let mut request = mangle::mangled(request::random(&first, &mut rng), &mut rng);
        // a mangled preference might keep what was written
        request.headers.retain(|(name, _)| *name != "Prefer");
        request.headers.push(("Prefer", "tx=rollback,return=representation".to_owned()));
        let seed: u64 = rng.random();
        let one = ask::answer(&a, &model, &caller, &request, seed).await;
        let other = ask::answer(&b, &model, &caller, &request, seed).await;
        *statuses.entry(one.status).or_default() += 1;
        if is_verdict(&one) == is_verdict(&other) {
            assert_eq!(one, other, "request {done}\n{request:?}\n{asker:?}");
        }
    }
    assert!(statuses.keys().all(|status| *status < 500), "{statuses:?}");
    assert!(statuses.len() > 4, "{statuses:?}");
}
