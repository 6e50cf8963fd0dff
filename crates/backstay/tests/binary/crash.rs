//! Nothing acknowledged is lost: `kill -9` of the real `serve` under many writers,
//! again and again on one file; afterwards every acknowledged row is there with its
//! value, nothing refused is there, and the file is whole.

use crate::kit::{Client, Project};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Sender, channel};

const KILLS: u32 = 20;
const WRITERS: u32 = 10;

/// What a writer knows about one row.
enum Entry {
    /// 201: it must be there.
    Acknowledged { text: String, stars: i64 },
    /// 4xx: it must not be there.
    Refused { text: String },
    /// No answer came: either is right.
    Open { text: String, stars: i64 },
}

#[derive(Default)]
struct Ledger {
    acknowledged: BTreeMap<String, i64>,
    refused: BTreeSet<String>,
    open: BTreeMap<String, i64>,
}

#[test]
fn every_acknowledged_row_outlives_twenty_kills() {
    let seed = seed();
    println!("crash: BACKSTAY_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let project = Project::with(crate::kit::NOTES);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    let secret = project.secret();
    let mut ledger = Ledger::default();
    for round in 0..KILLS {
        let quota = random.random_range(20..150);
        one_round(&project, &secret, round, quota, &mut ledger);
        compare(&project, &ledger, round);
    }
    // the server itself answers with the same rows
    let (server, _) = project.serve().ready();
    let mut client = Client::new(&server.url, &secret).unwrap();
    for (text, stars) in &ledger.acknowledged {
        let answer = client.ask("GET", &format!("/rest/v1/note?select=stars&text=eq.{text}"), "").unwrap();
        assert_eq!(answer.json(), json!([{ "stars": stars }]), "{text}");
    }
    assert!(ledger.acknowledged.len() > 20 * KILLS as usize && !ledger.refused.is_empty());
}

#[expect(clippy::disallowed_methods, reason = "tests are told their seeds by the environment")]
fn seed() -> u64 {
    std::env::var("BACKSTAY_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_131)
}

/// Writes from many connections until `quota` rows are acknowledged, then kills.
fn one_round(project: &Project, secret: &str, round: u32, quota: usize, ledger: &mut Ledger) {
    let (mut server, _) = project.serve().ready();
    let (sender, entries) = channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (url, key, sender) = (server.url.clone(), secret.to_owned(), sender.clone());
            std::thread::spawn(move || write(&url, &key, round, writer, &sender))
        })
        .collect();
    drop(sender);
    let mut killed = false;
    let mut acknowledged = 0;
    for entry in entries {
        match entry {
            Entry::Acknowledged { text, stars } => {
                acknowledged += 1;
                ledger.acknowledged.insert(text, stars);
            }
            Entry::Refused { text } => {
                ledger.refused.insert(text);
            }
            Entry::Open { text, stars } => {
                ledger.open.insert(text, stars);
            }
        }
        if acknowledged >= quota && !killed {
            server.kill();
            killed = true;
        }
    }
    assert!(killed, "the server ended by itself after {acknowledged} rows: {:?}", server.ended());
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}

/// Writes until the connection breaks. Every fifth row breaks a rule and must stay out.
fn write(url: &str, key: &str, round: u32, writer: u32, sender: &Sender<Entry>) {
    let mut client = Client::new(url, key).unwrap();
    for number in 0_i64.. {
        let wrong = number % 5 == 4;
        let text = format!("r{round}w{writer}n{number}");
        let stars = if wrong { -1 } else { number };
        let body = json!({ "text": text, "stars": stars }).to_string();
        let entry = match client.ask("POST", "/rest/v1/note", &body) {
            Ok(answer) if answer.status == 201 => Entry::Acknowledged { text, stars },
            Ok(answer) => {
                assert!(wrong && answer.status == 400, "{answer:?}");
                Entry::Refused { text }
            }
            Err(_) => Entry::Open { text, stars },
        };
        let ended = matches!(entry, Entry::Open { .. });
        if sender.send(entry).is_err() || ended {
            break;
        }
    }
}

/// Reads the file as SQLite finds it after the kill.
fn compare(project: &Project, ledger: &Ledger, round: u32) {
    assert_eq!(project.rows("PRAGMA integrity_check"), ["ok"], "round {round}");
    let rows = project.rows("SELECT text, stars FROM note");
    let mut there: BTreeMap<&str, i64> = BTreeMap::new();
    for row in &rows {
        let (text, stars) = row.split_once('|').unwrap();
        assert!(there.insert(text, stars.parse().unwrap()).is_none(), "{text} is there twice");
    }
    for (text, stars) in &ledger.acknowledged {
        assert_eq!(there.remove(text.as_str()), Some(*stars), "round {round}: {text} was acknowledged");
    }
    for (text, stars) in there {
        assert!(!ledger.refused.contains(text), "round {round}: {text} was refused");
        assert_eq!(ledger.open.get(text), Some(&stars), "round {round}: nobody wrote {text}");
    }
}
