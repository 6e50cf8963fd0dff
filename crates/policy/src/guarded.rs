//! [`Guarded`]: proof that the rules were woven in.

use crate::recurring::recipe::Recipe;
use crate::trail::Trail;
use backstay_query::plan::{Query, Script};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use std::any::Any;
use std::sync::{Arc, OnceLock};

/// A script with the rules woven in, and the catalog it was resolved against.
/// Its fields are private: only this crate makes one.
/// Cheap to clone, so that it may go to another thread.
#[derive(Debug)]
pub struct Guarded<T> {
    woven: Arc<Woven<T>>,
    given: Given,
}

#[derive(Debug)]
struct Woven<T> {
    inner: T,
    catalog: Arc<Catalog>,
    trail: Trail,
    /// How another row takes the place of the one that is inserted.
    recipe: Option<Recipe>,
    lowered: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// What is not part of what was woven.
#[derive(Debug, Clone)]
enum Given {
    Nothing,
    /// Values for the slots of a read.
    Slots(Arc<[Value]>),
    /// The row of an insert.
    Row(Arc<[Value]>),
}

impl<T> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Self { woven: Arc::clone(&self.woven), given: self.given.clone() }
    }
}

impl<T> Guarded<T> {
    pub(crate) fn new(inner: T, catalog: Arc<Catalog>, trail: Trail) -> Self {
        let woven = Woven { inner, catalog, trail, recipe: None, lowered: OnceLock::new() };
        Self { woven: Arc::new(woven), given: Given::Nothing }
    }

    /// An insert without its row, which stands beside it, so that another may take its place.
    pub(crate) fn of_row(
        inner: T,
        catalog: Arc<Catalog>,
        trail: Trail,
        (recipe, row): (Recipe, Arc<[Value]>),
    ) -> Self {
        let woven = Woven { inner, catalog, trail, recipe: Some(recipe), lowered: OnceLock::new() };
        Self { woven: Arc::new(woven), given: Given::Row(row) }
    }

    /// The same with values in its slots.
    pub(crate) fn with(&self, given: Arc<[Value]>) -> Self {
        Self { woven: Arc::clone(&self.woven), given: Given::Slots(given) }
    }

    /// The same with another row.
    pub(crate) fn with_row(&self, row: Arc<[Value]>) -> Self {
        Self { woven: Arc::clone(&self.woven), given: Given::Row(row) }
    }

    pub(crate) fn recipe(&self) -> Option<&Recipe> {
        self.woven.recipe.as_ref()
    }

    /// The woven thing. An insert whose row stands beside it ([`Guarded::row`]) holds none.
    #[must_use]
    pub fn inner(&self) -> &T {
        &self.woven.inner
    }

    /// The catalog whose ids it holds.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.woven.catalog
    }

    /// Which rules decided.
    #[must_use]
    pub fn trail(&self) -> &Trail {
        &self.woven.trail
    }

    /// What stands in the slots of its reads, by index.
    #[must_use]
    pub fn given(&self) -> &[Value] {
        match &self.given {
            Given::Slots(values) => values,
            Given::Nothing | Given::Row(_) => &[],
        }
    }

    /// The row of its insert, where it stands beside it.
    #[must_use]
    pub fn row(&self) -> Option<&[Value]> {
        match &self.given {
            Given::Row(row) => Some(row),
            Given::Nothing | Given::Slots(_) => None,
        }
    }

    /// Where the lowering may keep what it made of this, for the next run with other values. None
    /// where there is no next run.
    #[must_use]
    pub fn lowered(&self) -> Option<&OnceLock<Box<dyn Any + Send + Sync>>> {
        match self.given {
            Given::Slots(_) | Given::Row(_) => Some(&self.woven.lowered),
            Given::Nothing => None,
        }
    }
}

impl Guarded<Script> {
    /// Whether any step may write.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.inner().steps.iter().any(|step| step.query.writes())
    }

    /// The same with its row in it, for what runs it step by step. None where it is in it.
    #[must_use]
    pub fn whole(&self) -> Option<Self> {
        let row = self.row()?;
        let mut script = self.inner().clone();
        for step in &mut script.steps {
            if let Query::Insert(insert) = &mut step.query {
                insert.rows = vec![row.to_vec()];
            }
        }
        Some(Self::new(script, Arc::clone(self.catalog()), self.trail().clone()))
    }
}
