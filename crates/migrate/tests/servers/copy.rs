//! A copy that breaks off at any request goes on where it was, and ends equal.

use crate::compiled;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::capabilities::Capabilities;
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow};
use backstay_engine::{Engine, Work};
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::copy::{Copied, Copy, SCHEMA};
use backstay_policy::guarded::Guarded;
use backstay_policy::weave;
use backstay_query::named::{self, Field, Filter, Item, Search, SearchForm, Test};
use backstay_query::plan::{End, Expect, Script};
use backstay_query::reply::Reply;
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::Owner;
use backstay_sql::ddl;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_testkit::database::Database;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows refer to their own table and, in a circle, to another one.
const MODEL: &str = r#"
type Person { id: Int! name: String! @index(kind: FULLTEXT) boss: Person home: House at: Timestamp rate: Decimal ok: Boolean meta: JSON tags: [String!] }
type House @table(audit: true, strict: false) { owner: Person street: String! }
"#;

/// An engine that answers a few requests and then none.
struct Mortal {
    engine: Arc<dyn Engine>,
    left: AtomicU64,
}

impl Engine for Mortal {
    fn name(&self) -> &'static str {
        self.engine.name()
    }
    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities()
    }
    fn run<'a>(&'a self, script: &'a Guarded<Script>) -> Work<'a, Reply> {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            return Box::pin(async { Err(Fault::new(code::NO_DATABASE, "the engine died")) });
        }
        self.engine.run(script)
    }
    fn introspect(&self) -> Work<'_, Live> {
        self.engine.introspect()
    }
    fn journal(&self) -> Work<'_, Vec<JournalRow>> {
        self.engine.journal()
    }
    fn lease<'a>(&'a self, request: &'a LeaseRequest) -> Work<'a, LeaseAnswer> {
        self.engine.lease(request)
    }
    fn migrate<'a>(&'a self, batch: &'a Batch) -> Work<'a, ()> {
        self.engine.migrate(batch)
    }
    fn rehearse<'a>(&'a self, statements: &'a [String]) -> Work<'a, Live> {
        self.engine.rehearse(statements)
    }
}

/// 1,100 people and 3 houses; each person's boss comes after them.
fn fill(path: &std::path::Path) {
    let mut connection = rusqlite::Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute_batch("PRAGMA defer_foreign_keys = ON").unwrap();
    for number in 1..=1_100_i64 {
        let boss = (number < 1_100).then(|| number + 1);
        let home = (number % 7 == 0).then(|| format!("01890000-0000-7000-8000-00000000000{}", number % 3));
        let values = rusqlite::params![
            number,
            format!("Ünë '{number}' \\ 😀"),
            boss,
            home,
            "2026-01-31T09:00:00.000001+00:00",
            number * 12_345,
            number % 2,
            "{\"a\": [1, null, \"x\"]}",
            "[\"a b\",\"{\"]"
        ];
        let text = "INSERT INTO person (id, name, boss_id, home_id, at, rate, ok, meta, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        transaction.execute(text, values).unwrap();
    }
    let entry = "INSERT INTO house_audit (at, operation, role, row_id, fields) VALUES ('2026-01-31T09:00:00+00:00', 'CREATE', 'service', '01890000-0000-7000-8000-000000000009', '[]')";
    transaction.execute_batch(entry).unwrap();
    for number in 0..3_i64 {
        let id = format!("01890000-0000-7000-8000-00000000000{number}");
        let text = "INSERT INTO house (id, owner_id, street, extras) VALUES (?, ?, ?, ?)";
        transaction
            .execute(text, rusqlite::params![id, number + 1, "", "{\"colour\":\"réd\",\"n\":1.50}"])
            .unwrap();
    }
    transaction.commit().unwrap();
}

/// How many people have these words in their names: the index knows those that were copied.
async fn named(engine: &dyn Engine, catalog: &Arc<Catalog>, ids: &Ids, words: &str) -> u64 {
    let name = Field { name: "name".to_owned(), path: Vec::new() };
    let search = Search { form: SearchForm::Plain, query: words.to_owned(), config: None };
    let select = named::Select {
        table: "person".to_owned(),
        items: vec![Item::Field { field: name.clone(), alias: None, cast: None, aggregate: None }],
        filters: vec![Filter::Field(name, Test::Search(search))],
        ..named::Select::default()
    };
    let steps = [(named::Query::Select(select), Expect::Any)];
    let script = resolve(catalog, &steps, End::Commit, Reach::System, &Limits::default()).unwrap();
    let script = weave::system(script, 0, catalog, ids).unwrap();
    engine.run(&script).await.unwrap().parts[0].rows.count
}

#[tokio::test]
async fn a_copy_goes_on_wherever_it_broke_off() {
    let catalog = Arc::new(compiled(&[(MODEL, Owner::Project), (SCHEMA, Owner::System)]));
    let tables: Vec<_> = catalog.tables.iter().filter(|table| table.name != "_backstay_copy").collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("from.db");
    let from = Sqlite::open(&path, &Limits::default()).unwrap();
    from.migrate(&Batch::plain(ddl::create_tables(&catalog, &SQLITE, &tables))).await.unwrap();
    fill(&path);
    let to = Database::fresh(&Limits::default()).await;
    to.engine.migrate(&Batch::plain(ddl::create_tables(&catalog, to.dialect, &tables))).await.unwrap();
    let (clock, ids) = (Clock::fixed(0), Ids::seeded(Clock::fixed(0), 1));
    let copy = async |lives: u64, resume: bool| {
        let target = Mortal { engine: Arc::clone(&to.engine), left: AtomicU64::new(lives) };
        let copy = Copy {
            from: &from,
            to: &target,
            dialect: to.dialect,
            catalog: &catalog,
            clock: &clock,
            ids: &ids,
        };
        copy.run(resume).await
    };
    assert_eq!(copy(3, false).await.unwrap_err().message, "the engine died");
    assert_eq!(copy(99, false).await.unwrap_err().code.text, "23505");
    let mut breaks = 0;
    let copied = loop {
        // each run comes a little further than the one before
        match copy(2 + breaks / 2, true).await {
            Ok(copied) => break copied,
            Err(fault) => assert_eq!(fault.message, "the engine died"),
        }
        breaks += 1;
        assert!(breaks < 100, "it does not come to an end");
    };
    let told = |copied: &Copied| format!("{} {}", copied.table, copied.rows);
    assert_eq!(copied.iter().map(told).collect::<Vec<_>>(), ["house_audit 1", "person 1100", "house 3"]);
    assert!(breaks > 3, "{breaks}");
    for (words, count) in [("une", 1_100), ("une 777", 1), ("UNE 1101", 0)] {
        assert_eq!(named(&*to.engine, &catalog, &ids, words).await, count, "{words}");
    }
    let tables = to.engine.introspect().await.unwrap().tables;
    assert!(!tables.iter().any(|table| table.name == "_backstay_copy"));
}
