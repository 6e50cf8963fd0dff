//! [`Recurring`]: requests that come again. A read of the same form by the same caller, under the same
//! catalog, differs from the one before in the values of its comparisons alone, and an insert in its
//! row, so the script that was woven then is run with the new ones. Everything that a rule may look at
//! is part of what is compared; what was woven from the moment (time, address, headers) is never kept.

pub(crate) mod recipe;

use crate::caller::Caller;
use crate::guarded::Guarded;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_query::named::Input;
use backstay_query::plan::{Query, Script};
use backstay_schema::catalog::{Catalog, Member};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Requests that were woven, bounded in number; the ones that come seldom are forgotten.
pub struct Recurring<A> {
    cache: Cache<Key, Arc<Kept<A>>>,
}

/// A request that was woven.
pub struct Kept<A> {
    guarded: Guarded<Script>,
    /// Of the values that a read is compared with.
    types: Vec<ScalarType>,
    /// How it is answered.
    pub answer: A,
}

/// Which request: what the codec says of its form, and who asks.
#[derive(PartialEq, Eq)]
struct Key {
    form: Box<str>,
    caller: Caller,
}

/// The same, borrowed.
struct Asked<'a> {
    form: &'a str,
    caller: &'a Caller,
}

/// The hash tells the account alone; equality compares all that is known of a caller.
fn hash(form: &str, caller: &Caller, state: &mut impl Hasher) {
    form.hash(state);
    match caller {
        Caller::Anon => 0_u128.hash(state),
        Caller::Service => 1_u128.hash(state),
        Caller::System => 2_u128.hash(state),
        Caller::User(user) => user.uid.as_u128().hash(state),
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.form, &self.caller, state);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.form, self.caller, state);
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.form == *key.form && *self.caller == key.caller
    }
}

impl<A> Recurring<A> {
    /// Keeps at most this many.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { cache: Cache::new(capacity) }
    }

    /// The request of this form that was kept for this caller and is of this catalog.
    #[must_use]
    pub fn find(&self, form: &str, caller: &Caller, catalog: &Arc<Catalog>) -> Option<Arc<Kept<A>>> {
        let kept = self.cache.get(&Asked { form, caller })?;
        Arc::ptr_eq(kept.guarded.catalog(), catalog).then_some(kept)
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Keeps none of them: there is another catalog.
    pub fn forget(&self) {
        self.cache.clear();
    }

    /// Keeps a request for the next time.
    pub fn keep(&self, form: &str, caller: &Caller, kept: Arc<Kept<A>>) {
        self.cache.insert(Key { form: form.into(), caller: caller.clone() }, kept);
    }
}

impl<A> Kept<A> {
    /// What was woven from one read whose slots have these types.
    #[must_use]
    pub const fn new(guarded: Guarded<Script>, types: Vec<ScalarType>, answer: A) -> Self {
        Self { guarded, types, answer }
    }

    /// What was woven from one insert of one row, whose row stands beside it ([`Guarded::row`]); none where no other
    /// may take its place.
    #[must_use]
    pub fn of_row(guarded: &Guarded<Script>, answer: A) -> Option<Self> {
        guarded.row()?;
        Some(Self { guarded: guarded.clone(), types: Vec::new(), answer })
    }

    /// The insert with another row, of the same columns. None where it has to be woven anew, and where it is
    /// refused by what is known without a rule.
    pub fn with_row(&self, cells: &[Input], now_micros: i64, ids: &Ids) -> Option<Guarded<Script>> {
        let Query::Insert(insert) = &self.guarded.inner().steps.first()?.query else { return None };
        let row = self.guarded.recipe()?.row((self.guarded.catalog(), insert), cells, (now_micros, ids))?;
        Some(self.guarded.with_row(row))
    }

    /// The read with values as the request writes them.
    ///
    /// # Errors
    /// 22P02 and its kin where a text is none of its type.
    pub fn with(&self, texts: &[Cow<'_, str>]) -> Result<Guarded<Script>, Fault> {
        Ok(self.guarded.with(values(&self.types, texts, self.guarded.catalog())?))
    }
}

/// Texts of a request as values of these types.
///
/// # Errors
/// As [`Kept::with`].
pub fn values(
    types: &[ScalarType],
    texts: &[Cow<'_, str>],
    catalog: &Catalog,
) -> Result<Arc<[Value]>, Fault> {
    if types.len() != texts.len() {
        return Err(Fault::internal("a read that comes again has another number of values"));
    }
    types.iter().zip(texts).map(|(ty, text)| ty.parse_text(catalog, text)).collect()
}

/// The types of fields that may be compared with a value that comes later, or none: those whose
/// values never change what is made of a comparison.
#[must_use]
pub fn types(catalog: &Catalog, table: &str, fields: &[&str]) -> Option<Vec<ScalarType>> {
    let table = catalog.public_table(table)?;
    let types = fields.iter().map(|field| match table.members.get(*field)? {
        Member::Column(id) => Some(table.column(*id).ty).filter(|ty| {
            matches!(ty, ScalarType::Uuid | ScalarType::Int | ScalarType::BigInt | ScalarType::String)
        }),
        Member::Computed(_) | Member::Relation(_) => None,
    });
    types.collect()
}
