//! A store for one test, made from SDL.

use crate::database::Database;
use backstay_base::clock::Clock;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine::migration::Batch;
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_policy::weave::{system, weave};
use backstay_query::named::{Insert, Item, Query, Select};
use backstay_query::plan::{End, Expect};
use backstay_query::reply::Part;
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::ddl;
use std::sync::Arc;

/// The time that stands still in tests: 2026-01-31T09:00:00Z.
pub const NOW_MICROS: i64 = 1_769_850_000_000_000;

/// A store.
pub struct Store {
    /// Its engine.
    pub engine: Arc<dyn Engine>,
    /// Repeatable ids.
    pub ids: Ids,
    _database: Database,
}

/// Compiles a schema.
///
/// # Panics
/// When it has mistakes.
#[must_use]
pub fn catalog(sdl: &str, roles: &[&str]) -> Arc<Catalog> {
    let file = SourceFile { name: "schema.graphql".into(), text: sdl.into(), owner: Owner::Project };
    let settings = Settings { roles: roles.iter().map(|role| (*role).to_owned()).collect() };
    match compile(&[file], &settings) {
        Ok(compiled) => Arc::new(compiled.catalog),
        Err(mistakes) => panic!("{mistakes:#?}"),
    }
}

impl Store {
    /// An empty database with the tables of `catalog`.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn new(catalog: &Catalog) -> Self {
        let database = Database::fresh(&Limits::default()).await;
        let engine = Arc::clone(&database.engine);
        let statements = ddl::create_all(catalog, database.dialect);
        engine.migrate(&Batch::plain(statements)).await.unwrap();
        Self { engine, ids: Ids::seeded(Clock::fixed(NOW_MICROS), 1), _database: database }
    }

    /// Inserts as System.
    ///
    /// # Panics
    /// When the rows are refused.
    pub async fn fill(&self, catalog: &Arc<Catalog>, insert: Insert) {
        fill(&*self.engine, &self.ids, catalog, insert).await;
    }

    /// Runs one query for a caller.
    ///
    /// # Errors
    /// Whatever the query is refused with.
    pub async fn ask(
        &self,
        catalog: &Arc<Catalog>,
        caller: &Caller,
        query: Query,
        end: End,
    ) -> Result<Part, Fault> {
        let steps = [(query, Expect::Any)];
        let script = resolve(catalog, &steps, end, Reach::Public, &Limits::default())?;
        let guarded = weave(script, caller, &info(), catalog, &self.ids)?;
        let reply = self.engine.run(&guarded).await?;
        Ok(reply.parts.into_iter().next().unwrap_or_default())
    }
}

/// Inserts as System.
///
/// # Panics
/// When the rows are refused.
pub async fn fill(engine: &dyn Engine, ids: &Ids, catalog: &Arc<Catalog>, insert: Insert) {
    let steps = [(Query::Insert(insert), Expect::Any)];
    let script = resolve(catalog, &steps, End::Commit, Reach::System, &Limits::default()).unwrap();
    let guarded = system(script, NOW_MICROS, catalog, ids).unwrap();
    engine.run(&guarded).await.unwrap();
}

/// Everything that stands in the columns of a table, as System.
///
/// # Panics
/// When there is no such table.
pub async fn texts(engine: &dyn Engine, ids: &Ids, catalog: &Arc<Catalog>, table: &str) -> String {
    let select = Select { table: table.to_owned(), items: vec![Item::Star], ..Select::default() };
    let steps = [(Query::Select(select), Expect::Any)];
    let script = resolve(catalog, &steps, End::Commit, Reach::System, &Limits::default()).unwrap();
    let guarded = system(script, NOW_MICROS, catalog, ids).unwrap();
    engine.run(&guarded).await.unwrap().parts.into_iter().map(|part| part.rows.text).collect()
}

/// The request as rules see it in tests.
#[must_use]
pub fn info() -> RequestInfo<'static> {
    RequestInfo {
        now_micros: NOW_MICROS,
        method: "GET",
        ip: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        ..RequestInfo::default()
    }
}
