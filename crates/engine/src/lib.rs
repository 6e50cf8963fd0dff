//! The seam between the waist and a database: [`Engine`]. A woven script in, a
//! reply out. Knows nothing of doors.

use backstay_base::fault::Fault;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;
use std::future::Future;
use std::pin::Pin;

/// A future that an engine returns.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// A database.
pub trait Engine: Send + Sync + 'static {
    /// Short name: `sqlite`.
    fn name(&self) -> &'static str;

    /// Runs a woven script. A reply to a script that writes means: durable.
    fn run<'a>(&'a self, script: &'a Guarded<Script>) -> Work<'a, Reply>;
}
