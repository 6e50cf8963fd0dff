//! Running a script: which statements, in which order, and what their answers mean
//! (SEMANTICS 9–12, 28–30). A session and a woven script enter, a reply and whether
//! to keep what was written leave. The same for every database.

mod audit;
mod check;
mod counted;
mod delete;
mod denial;
pub mod direct;
mod extras;
mod fold;
mod insert;
pub mod needs;
mod read;
mod reference;
mod refusal;
mod update;
mod upsert;

use crate::dialect::Dialect;
use crate::session::{Failure, Session};
use crate::statement::Statement;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{Audit, Author, End, Expect, Query, Script, SourceId, Sources};
use backstay_query::reply::{Part, Reply};
use backstay_schema::catalog::{Catalog, RelationKind, Table};
use backstay_schema::extras::Bounds;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use std::any::Any;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

/// What a script came to.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub reply: Reply,
    /// Whether what was written is kept.
    pub keep: bool,
}

/// When references are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// By the database, at the end of each statement.
    PerStatement,
    /// By the database at commit; the runner asks before, so that the answer can name the culprit.
    AtCommit,
}

/// From this many rows on, guarded references are checked once for all of them.
const MANY_ROWS: usize = 16;

/// Whether references are checked after all rows of an insert: because the rows may
/// refer to each other, or because asking for each of many rows would cost too much.
/// Missing targets then wait as long as hidden ones, so that nothing tells them apart.
#[must_use]
pub fn needs_deferred_references(script: &Script, catalog: &Catalog) -> bool {
    script.steps.iter().any(|step| match &step.query {
        Query::Insert(insert) => {
            let many = insert.rows.len() >= MANY_ROWS;
            let asked = many && !(insert.references.is_empty() && insert.checks.is_empty());
            asked || (insert.rows.len() > 1 && refers_to_itself(catalog.table(insert.table)))
        }
        Query::Select(_) | Query::Update(_) | Query::Delete(_) => false,
    })
}

fn refers_to_itself(table: &Table) -> bool {
    table
        .relations
        .iter()
        .any(|relation| relation.target == table.id && matches!(relation.kind, RelationKind::ToOne { .. }))
}

/// Runs a script in the session's transaction. On a fault, and where [`Outcome::keep`]
/// is false, the caller undoes what was written.
///
/// # Errors
/// Whatever refuses a step, or an expectation that is not met.
pub async fn run<S: Session>(
    session: &mut S,
    script: &Guarded<Script>,
    dialect: &'static Dialect,
    references: References,
) -> Result<Outcome, Fault> {
    // a row that stands beside its insert is written as any other here
    let whole = script.whole();
    let script = whole.as_ref().unwrap_or(script);
    let inner = script.inner();
    let mut runner = Runner { references, ..Runner::over(session, script, dialect) };
    let mut reply = Reply { parts: Vec::with_capacity(inner.steps.len()) };
    for step in &inner.steps {
        let part = runner.step(&step.query).await?;
        if !is_met(step.expect, &step.query, &part)? {
            reply.parts.resize_with(inner.steps.len(), Part::default);
            return Ok(Outcome { reply, keep: false });
        }
        reply.parts.push(part);
    }
    Ok(Outcome { reply, keep: inner.end == End::Commit })
}

/// Completes a future that never waits, as those of an embedded database.
///
/// # Errors
/// Internal, when it did wait.
pub fn ready<T>(future: impl Future<Output = T>) -> Result<T, Fault> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(Fault::internal("an embedded session waited")),
    }
}

fn is_met(expect: Expect, query: &Query, part: &Part) -> Result<bool, Fault> {
    let rows = if query.writes() { part.affected } else { part.rows.count };
    match expect {
        Expect::Any => Ok(true),
        Expect::Singular if rows == 1 => Ok(true),
        Expect::Singular => {
            Err(Fault::new(code::NOT_SINGULAR, "Cannot coerce the result to a single JSON object")
                .with_details(format!("The result contains {rows} rows")))
        }
        Expect::AtMost(most) if rows <= most => Ok(true),
        Expect::AtMost(_) => {
            Err(Fault::new(code::MAX_AFFECTED, "Query result exceeds max-affected preference constraint")
                .with_details(format!("The query affects {rows} rows")))
        }
        Expect::OneOrNothing => Ok(rows == 1),
    }
}

/// What runs the steps of one script.
struct Runner<'a, S> {
    session: &'a mut S,
    catalog: &'a Catalog,
    dialect: &'static Dialect,
    sources: Sources,
    references: References,
    /// Whose writes are told in the audits.
    author: Option<&'a Author>,
    /// How much rows keep beside their fields.
    extras: Bounds,
    /// What stands in the slots of a read that is kept.
    given: &'a [Value],
    /// Where its lowering is kept.
    kept: Option<&'a OnceLock<Box<dyn Any + Send + Sync>>>,
}

/// A future that may hold itself: reads nest.
type Nested<'b, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'b>>;

impl<'a, S: Session> Runner<'a, S> {
    fn over(session: &'a mut S, script: &'a Guarded<Script>, dialect: &'static Dialect) -> Self {
        let sources = script.inner().sources.clone();
        let author = match &script.inner().audit {
            Audit::By(author) => Some(author),
            Audit::Off | Audit::Wanted => None,
        };
        let references = References::PerStatement;
        Runner {
            session,
            catalog: script.catalog(),
            dialect,
            sources,
            references,
            author,
            extras: script.inner().extras,
            given: script.given(),
            kept: script.lowered(),
        }
    }
}

impl<S: Session> Runner<'_, S> {
    async fn step(&mut self, query: &Query) -> Result<Part, Fault> {
        match query {
            Query::Select(select) => self.select(select).await,
            // the state of a write is many times that of a read, which is not to pay for it
            Query::Insert(insert) if insert.conflict.is_some() => Box::pin(self.upsert(insert)).await,
            Query::Insert(insert) => Box::pin(self.insert(insert)).await,
            Query::Update(update) => Box::pin(self.update(update)).await,
            Query::Delete(delete) => Box::pin(self.delete(delete)).await,
        }
    }

    fn new_source(&mut self) -> SourceId {
        self.sources.next_id()
    }

    /// Runs a statement whose rows are values of these types.
    async fn values(
        &mut self,
        statement: &Statement,
        slots: &[Value],
        types: &[ScalarType],
    ) -> Result<Vec<Vec<Value>>, Failure> {
        let mut rows = Vec::new();
        self.session
            .run(statement, slots, &mut |row| {
                let values = types.iter().enumerate().map(|(index, ty)| row.value(index, *ty));
                rows.push(values.collect::<Result<Vec<Value>, Fault>>()?);
                Ok(())
            })
            .await?;
        Ok(rows)
    }

    /// The first value of the first row; NULL where there is none.
    async fn first(
        &mut self,
        statement: &Statement,
        slots: &[Value],
        ty: ScalarType,
    ) -> Result<Value, Fault> {
        let rows = self.values(statement, slots, &[ty]).await.map_err(unexpected)?;
        Ok(rows.into_iter().flatten().next().unwrap_or(Value::Null))
    }

    async fn ask(&mut self, statement: &Statement, slots: &[Value]) -> Result<bool, Fault> {
        Ok(self.first(statement, slots, ScalarType::Boolean).await? == Value::Bool(true))
    }

    /// The number of the row that a verification found.
    async fn found(&mut self, statement: &Statement) -> Result<Option<usize>, Fault> {
        match self.first(statement, &[], ScalarType::BigInt).await? {
            Value::Int(number) => Ok(usize::try_from(number).ok()),
            _ => Ok(None),
        }
    }
}

/// A violation where none can be: reads and classifications write nothing.
fn unexpected(failure: Failure) -> Fault {
    match failure {
        Failure::Fault(fault) => fault,
        Failure::Violation(violation) => Fault::internal(format!("a read broke a constraint: {violation:?}")),
    }
}

fn key_types(table: &Table) -> Vec<ScalarType> {
    table.key.iter().map(|id| table.column(*id).ty).collect()
}

fn text_of(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::to_text).collect()
}
