//! [`Load`]: writers that insert, insert several at once, change and delete rows of their own,
//! each with its ledger; and readers of what they wrote.

use crate::ledger::{Counts, Key, Ledger, State, Told, Write};
use crate::project::Project;
use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ureq::Agent;

/// Longest wait of a client for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Some writers.
pub struct Load {
    writers: Vec<Writer>,
    key: String,
    filler: String,
}

struct Writer {
    id: u64,
    next: u64,
    chance: StdRng,
    ledger: Ledger,
}

/// When writers end.
pub enum Until<'s> {
    /// When told so.
    Stopped(&'s AtomicBool),
    /// After so many writes each.
    Writes(u64),
    /// At the first answer of this status, or after so many writes each.
    Status(u16, u64),
}

impl Load {
    /// So many writers; each row carries `filler` bytes more.
    pub fn new(project: &Project, writers: u64, filler: usize, chance: &mut StdRng) -> Self {
        let writer = |id| Writer {
            id,
            next: 0,
            chance: StdRng::seed_from_u64(chance.random()),
            ledger: Ledger::default(),
        };
        Self {
            writers: (1..=writers).map(writer).collect(),
            key: project.key.clone(),
            filler: "x".repeat(filler),
        }
    }

    /// Lets all of them write. How many answers had which status; 0 is no answer.
    ///
    /// # Errors
    /// When a writer panics.
    pub fn write(&mut self, url: &str, until: &Until<'_>) -> Result<BTreeMap<u16, u64>> {
        let met = AtomicBool::new(false);
        let (key, filler) = (self.key.as_str(), self.filler.as_str());
        std::thread::scope(|scope| {
            let work = |writer: &mut Writer| {
                let client = Client::new(url, key);
                let mut statuses = BTreeMap::<u16, u64>::new();
                for done in 0_u64.. {
                    let ends = match until {
                        Until::Stopped(flag) => flag.load(Ordering::Relaxed),
                        Until::Writes(most) => done >= *most,
                        Until::Status(_, most) => done >= *most || met.load(Ordering::Relaxed),
                    };
                    if ends {
                        break;
                    }
                    let status = writer.once(&client, filler);
                    *statuses.entry(status).or_default() += 1;
                    if matches!(until, Until::Status(wanted, _) if *wanted == status) {
                        met.store(true, Ordering::Relaxed);
                    }
                }
                statuses
            };
            let threads: Vec<_> =
                self.writers.iter_mut().map(|writer| scope.spawn(move || work(writer))).collect();
            let mut all = BTreeMap::new();
            for thread in threads {
                let statuses = thread.join().ok().context("a writer panicked")?;
                statuses.into_iter().for_each(|(status, times)| *all.entry(status).or_default() += times);
            }
            Ok(all)
        })
    }

    /// Compares every ledger with what is there.
    ///
    /// # Errors
    /// At the first violation.
    pub fn compare(&mut self, there: &BTreeMap<Key, i64>) -> Result<()> {
        for writer in &mut self.writers {
            let own = there.range((writer.id, 0)..(writer.id + 1, 0)).map(|(key, value)| (*key, *value));
            writer.ledger.compare(&own.collect()).with_context(|| format!("writer {}", writer.id))?;
        }
        Ok(())
    }

    /// What all of them were told.
    pub fn counts(&self) -> Counts {
        self.writers.iter().map(|writer| writer.ledger.counts).fold(Counts::default(), Counts::and)
    }

    /// Rows that must be there.
    pub fn live(&self) -> usize {
        self.writers.iter().map(|writer| writer.ledger.live()).sum()
    }

    /// A reader of what they write.
    pub fn reader(&self, url: &str) -> Client {
        Client::new(url, &self.key)
    }
}

impl Writer {
    /// One write by chance; the status of its answer.
    fn once(&mut self, client: &Client, filler: &str) -> u16 {
        let settled: Vec<(Key, i64)> = self.ledger.settled().collect();
        let any =
            (!settled.is_empty()).then(|| settled.get(self.chance.random_range(0..settled.len()))).flatten();
        let (write, (status, told)) = match (self.chance.random_range(0..100), any) {
            (0..15, Some((key, value))) => {
                let body = json!({ "value": value + 1 });
                (vec![(*key, Some(value + 1))], client.write("PATCH", &target(*key), Some(&body)))
            }
            (15..25, Some((key, _))) => (vec![(*key, None)], client.write("DELETE", &target(*key), None)),
            (25..40, _) => self.insert(client, 3, filler),
            _ => self.insert(client, 1, filler),
        };
        self.ledger.record(write, told);
        status
    }

    fn insert(&mut self, client: &Client, count: u64, filler: &str) -> (Write, (u16, Told)) {
        let keys: Vec<Key> = (0..count).map(|step| (self.id, self.next + step)).collect();
        self.next += count;
        let row = |(writer, number): &Key| json!({ "writer": writer, "number": number, "value": 0, "filler": filler });
        let body = Value::Array(keys.iter().map(row).collect());
        let state: State = Some(0);
        let write = keys.into_iter().map(|key| (key, state)).collect();
        (write, client.write("POST", "/rest/v1/entry", Some(&body)))
    }
}

fn target((writer, number): Key) -> String {
    format!("/rest/v1/entry?writer=eq.{writer}&number=eq.{number}")
}

/// One kept connection.
pub struct Client {
    agent: Agent,
    url: String,
    key: String,
}

impl Client {
    /// A client of a server, with a key.
    pub fn new(url: &str, key: &str) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Self { agent: config.into(), url: url.to_owned(), key: key.to_owned() }
    }

    /// Status and body of an answer; 0 and none where there is none.
    pub fn ask(&self, method: &str, target: &str, body: Option<&Value>) -> (u16, Option<Value>) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.url))
            .header("apikey", &self.key)
            .header("content-type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default());
        let Ok(request) = request else { return (0, None) };
        match self.agent.run(request) {
            Ok(mut answer) => {
                let status = answer.status().as_u16();
                let text = answer.body_mut().read_to_string().ok();
                (status, text.and_then(|text| serde_json::from_str(&text).ok()))
            }
            Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                (0, Some(Value::from("not sent")))
            }
            Err(_) => (0, None),
        }
    }

    /// Reads rows until `flag` is set: how many answers were right, and how many were not.
    pub fn read(&self, flag: &AtomicBool) -> (u64, u64) {
        let (mut right, mut wrong) = (0, 0);
        while !flag.load(Ordering::Relaxed) {
            match self.ask("GET", "/rest/v1/entry?limit=20&order=number.desc", None).0 {
                200 => right += 1,
                _ => wrong += 1,
            }
        }
        (right, wrong)
    }

    /// A write: its status, and what its client knows then.
    fn write(&self, method: &str, target: &str, body: Option<&Value>) -> (u16, Told) {
        let (status, answer) = self.ask(method, target, body);
        let code = answer.as_ref().and_then(|answer| answer.pointer("/code")).and_then(Value::as_str);
        let told = match (status, code) {
            (200..300, _) => Told::Done,
            (0, _) if answer.is_some() => Told::Refused,
            (0, _) | (_, Some("08007") | None) => Told::Unknown,
            _ => Told::Refused,
        };
        (status, told)
    }
}
