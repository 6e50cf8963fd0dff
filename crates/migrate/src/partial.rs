//! Indexes of a part of the rows: which of them go, which come. Those that the schema did
//! not make are none of its business.

use crate::in_place::Pair;
use crate::shape::{Names, same_index};
use backstay_engine::live::LiveIndex;
use backstay_schema::catalog::PartialIndex;
use backstay_sql::ddl::partial;

/// Standing indexes of the schema that nobody wants as they are.
pub(crate) fn unwanted<'p>(pair: &'p Pair<'_>) -> Vec<&'p LiveIndex> {
    let ours = pair.named.indexes.iter().filter(|live| live.partial && partial::is_ours(&live.name));
    ours.filter(|live| !stays(pair, live)).collect()
}

/// Indexes that have to be made.
pub(crate) fn missing<'p>(pair: &'p Pair<'_>) -> Vec<&'p PartialIndex> {
    let stands = |index: &PartialIndex| {
        pair.named.indexes.iter().any(|live| live.name == index.name && stays(pair, live))
    };
    pair.table.partials.iter().filter(|index| !stands(index)).collect()
}

fn stays(pair: &Pair<'_>, live: &LiveIndex) -> bool {
    let wanted = pair.wanted.indexes.iter().any(|wanted| same_index(live, wanted, Names::Count));
    let declared = pair.table.partials.iter().find(|partial| partial.name == live.name);
    wanted
        && declared.is_some_and(|declared| {
            let columns = live.columns.iter().flatten().cloned();
            let mut read = columns.chain(partial::reads(pair.table, declared));
            !read.any(|name| pair.is_touched(&name))
        })
}

/// Whether a standing index of the schema may read a column that changes its type or goes, or has to make
/// room for one of its name.
pub(crate) fn is_touched(pair: &Pair<'_>, name: &str) -> bool {
    let changes = !pair.columns.converted.is_empty() || !pair.columns.dropped.is_empty();
    changes || pair.table.partials.iter().any(|partial| partial.name == name)
}
