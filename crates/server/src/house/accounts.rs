//! What has ended of accounts is forgotten: links, codes, buckets, sessions and used refresh tokens.

use crate::house::forget::Forget;
use crate::house::{Chore, House};
use backstay_auth::prune::ended;
use backstay_schema::catalog::Catalog;

pub(super) fn chores(house: &House, _catalog: &Catalog) -> Vec<Box<dyn Chore>> {
    let chore = |(table, ends, kept_micros): (&str, _, _)| {
        Box::new(Forget { table: table.to_owned(), ends, kept_micros }) as Box<dyn Chore>
    };
    ended(&house.limits).into_iter().map(chore).collect()
}
