//! What running a script takes: whether one statement answers it, and how far writes of
//! others must be kept away from it (SEMANTICS 15, 29, 32).

use crate::dialect::{Children, Dialect};
use crate::lower::join::matches_at_most_one;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{
    Assign, Exists, Insert, Output, OutputValue, Pred, Query, Scalar, Script, Select, Update,
};
use backstay_schema::catalog::{Catalog, TableId};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What running a script takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// One reading statement: no transaction.
    Statement,
    /// Several reading statements of one moment.
    Snapshot,
    /// A transaction that writes. What its rules read of single rows is locked as they are judged.
    Transaction,
    /// A transaction whose rules read any number of rows, or that writes rows which such
    /// rules read: as if no other ran.
    Serializable,
}

type Watched = (Arc<Catalog>, Arc<BTreeSet<TableId>>);

/// [`Catalog::watched`] of the catalog that was asked for last: it is worked out once per reload.
#[derive(Debug, Default)]
pub struct Watching(Mutex<Option<Watched>>);

impl Watching {
    /// What a script needs.
    #[must_use]
    pub fn needs(&self, script: &Guarded<Script>, dialect: &'static Dialect) -> Needs {
        needs(script.inner(), script.catalog(), dialect, &self.of(script.catalog()))
    }

    fn of(&self, catalog: &Arc<Catalog>) -> Arc<BTreeSet<TableId>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, watched)) = known.as_ref()
            && Arc::ptr_eq(of, catalog)
        {
            return Arc::clone(watched);
        }
        let watched = Arc::new(catalog.watched());
        *known = Some((Arc::clone(catalog), Arc::clone(&watched)));
        watched
    }
}

/// What a script needs; `watched` is [`Catalog::watched`].
#[must_use]
pub fn needs(
    script: &Script,
    catalog: &Catalog,
    dialect: &'static Dialect,
    watched: &BTreeSet<TableId>,
) -> Needs {
    if !script.steps.iter().any(|step| step.query.writes()) {
        return match script.steps.as_slice() {
            [step] => match &step.query {
                Query::Select(select) if is_one_statement(select, dialect) => Needs::Statement,
                _ => Needs::Snapshot,
            },
            _ => Needs::Snapshot,
        };
    }
    let looking = Looking { catalog };
    let serializable = script.steps.iter().any(|step| match &step.query {
        Query::Select(_) => false,
        Query::Insert(insert) => watched.contains(&insert.table) || looking.insert(insert),
        Query::Update(update) => watched.contains(&update.table) || looking.update(update),
        Query::Delete(delete) => {
            watched.contains(&delete.table) || looking.pred(&delete.filter) || looking.pred(&delete.rule)
        }
    });
    if serializable { Needs::Serializable } else { Needs::Transaction }
}

/// Whether a read is one statement.
fn is_one_statement(select: &Select, dialect: &'static Dialect) -> bool {
    !select.count && outputs_are_one_statement(&select.outputs, dialect, true)
}

fn outputs_are_one_statement(outputs: &[Output], dialect: &'static Dialect, top: bool) -> bool {
    outputs.iter().all(|output| match &output.value {
        // what is cast here comes in no list
        OutputValue::Scalar(Scalar::Cast(..), _) => top || dialect.casts_refuse,
        OutputValue::Scalar(..) | OutputValue::Count { .. } | OutputValue::Aggregate(_) => true,
        OutputValue::One(inner) | OutputValue::Spread(inner) => {
            inner.group.is_none() && outputs_are_one_statement(&inner.outputs, dialect, top)
        }
        OutputValue::Many(inner) | OutputValue::SpreadMany(inner) => {
            top && dialect.children == Children::Arrays
                && inner.group.is_none()
                && outputs_are_one_statement(&inner.outputs, dialect, false)
        }
    })
}

/// Looks for what reads any number of rows of a table.
struct Looking<'c> {
    catalog: &'c Catalog,
}

impl Looking<'_> {
    fn insert(&self, insert: &Insert) -> bool {
        self.pred(&insert.rule)
            || insert.derived.iter().any(|(_, scalar)| self.scalar(scalar))
            || insert.references.iter().any(|reference| self.pred(&reference.allowed))
            || insert.checks.iter().any(|check| self.pred(&check.broken))
            || insert.conflict.as_ref().and_then(|c| c.merge.as_ref()).is_some_and(|u| self.update(u))
    }

    fn update(&self, update: &Update) -> bool {
        let rules = [&update.filter, &update.rule].into_iter().chain(&update.stored).chain(&update.arms);
        rules.into_iter().any(|pred| self.pred(pred))
            || update.references.iter().any(|reference| self.pred(&reference.allowed))
            || update.checks.iter().any(|check| self.pred(&check.broken))
            || update.assign.iter().any(|(_, assign)| match assign {
                Assign::Scalar(scalar) => self.scalar(scalar),
                Assign::Value(_) | Assign::Given(_) => false,
            })
    }

    fn pred(&self, pred: &Pred) -> bool {
        match pred {
            Pred::Const(_) | Pred::Candidates(_) => false,
            Pred::And(all) | Pred::Or(all) => all.iter().any(|pred| self.pred(pred)),
            Pred::Not(inner) | Pred::IsNotTrue(inner) => self.pred(inner),
            Pred::Compare(_, a, b)
            | Pred::Text(_, a, b)
            | Pred::NotText(_, a, b)
            | Pred::Member(a, b, _)
            | Pred::NotMember(a, b, _)
            | Pred::Set(_, a, b) => self.scalar(a) || self.scalar(b),
            Pred::IsNull(of)
            | Pred::IsNotNull(of)
            | Pred::IsTrue(of)
            | Pred::IsFalse(of)
            | Pred::In(of, _, _)
            | Pred::NotIn(of, _, _)
            | Pred::Like { value: of, .. } => self.scalar(of),
            Pred::SomeElement(of) | Pred::NoElement(of) => self.scalar(&of.list) || self.pred(&of.filter),
            Pred::Exists(exists) => self.many(exists),
            // that there is no row cannot be locked
            Pred::NotExists(_) => true,
        }
    }

    fn many(&self, exists: &Exists) -> bool {
        !matches_at_most_one(self.catalog, exists) || self.pred(&exists.filter)
    }

    fn scalar(&self, scalar: &Scalar) -> bool {
        match scalar {
            Scalar::Column(_)
            | Scalar::Computed(_)
            | Scalar::Bind(..)
            | Scalar::Slot(..)
            | Scalar::Null(_)
            | Scalar::Element(..) => false,
            Scalar::Json(of, _) | Scalar::Cast(of, _) | Scalar::Negate(of, _) => self.scalar(of),
            Scalar::Masked(pred, of) => self.pred(pred) || self.scalar(of),
            Scalar::Arithmetic(_, a, b, _) | Scalar::Concat(a, b) => self.scalar(a) || self.scalar(b),
            Scalar::Call(_, arguments) => arguments.iter().any(|argument| self.scalar(argument)),
            Scalar::Case(arms, last) => {
                arms.iter().any(|(pred, scalar)| self.pred(pred) || self.scalar(scalar)) || self.scalar(last)
            }
            Scalar::Lookup(lookup) => self.pred(&lookup.filter) || self.scalar(&lookup.value),
            Scalar::Aggregate(_) => true,
            Scalar::Test(pred) => self.pred(pred),
        }
    }
}
