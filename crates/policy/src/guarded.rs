//! [`Guarded`]: proof that the rules were woven in.

use crate::trail::Trail;
use backstay_query::plan::Script;
use backstay_schema::catalog::Catalog;
use std::sync::Arc;

/// A script with the rules woven in, and the catalog it was resolved against.
/// Its fields are private: only this crate makes one.
#[derive(Debug, Clone)]
pub struct Guarded<T> {
    inner: T,
    catalog: Arc<Catalog>,
    trail: Trail,
}

impl<T> Guarded<T> {
    pub(crate) const fn new(inner: T, catalog: Arc<Catalog>, trail: Trail) -> Self {
        Self { inner, catalog, trail }
    }

    /// The woven thing.
    pub const fn inner(&self) -> &T {
        &self.inner
    }

    /// The catalog whose ids it holds.
    pub const fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Which rules decided.
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }
}

impl Guarded<Script> {
    /// Whether any step may write.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.inner.steps.iter().any(|step| step.query.writes())
    }
}
