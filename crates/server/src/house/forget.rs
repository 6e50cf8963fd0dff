//! [`Forget`]: the rows of a table that are older by one of its columns than the moment go, `prune_rows` a statement.
//! They are looked for in the order of that column, and deleted by key where they still are what they were.

use crate::house::{Batch, Chore, House};
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_engine::Work;
use backstay_policy::weave;
use backstay_query::named::{Comparison, Delete, Field, Filter, Item, Operand, Order, Query, Select, Test};
use backstay_query::plan::{End, Expect};
use backstay_query::reply::{Cell, Part};
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use std::sync::Arc;

/// What is forgotten.
#[derive(Debug)]
pub(crate) struct Forget {
    /// A table whose key is one column.
    pub(crate) table: String,
    /// When a row has ended.
    pub(crate) ends: &'static str,
    /// How long it is kept from then on.
    pub(crate) kept_micros: i64,
}

impl Chore for Forget {
    fn name(&self) -> &str {
        &self.table
    }

    fn batch<'a>(&'a mut self, house: &'a House, catalog: &'a Arc<Catalog>) -> Work<'a, Batch> {
        Box::pin(async move {
            let moment = house.clock.now_micros().saturating_sub(self.kept_micros);
            let key = key(catalog, &self.table)?;
            let old = Filter::Field(
                field(self.ends),
                Test::Compare(Comparison::Lt, Operand::Value(Value::Timestamp(moment))),
            );
            let found = Query::Select(Select {
                table: self.table.clone(),
                items: vec![Item::Field { field: field(key), alias: None, cast: None, aggregate: None }],
                filters: vec![old.clone()],
                order: vec![Order {
                    field: field(self.ends),
                    relation: None,
                    descending: false,
                    nulls_first: None,
                }],
                limit: Some(house.limits.prune_rows),
                ..Select::default()
            });
            let keys = keys(&run(house, catalog, found).await?)?;
            let count = keys.len() as u64;
            if count == 0 {
                return Ok(Batch { rows: 0, is_last: true });
            }
            let filters = vec![Filter::Field(field(key), Test::In(keys)), old];
            let delete = Query::Delete(Delete { table: self.table.clone(), filters, returning: None });
            let gone = run(house, catalog, delete).await?;
            Ok(Batch { rows: gone.affected, is_last: count < house.limits.prune_rows })
        })
    }
}

fn field(name: &str) -> Field {
    Field { name: name.to_owned(), path: Vec::new() }
}

fn key<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c str, Fault> {
    let table = catalog.tables.iter().find(|table| table.name == name);
    let key = table.and_then(|table| match table.key.as_slice() {
        [key] => Some(table.column(*key)),
        _ => None,
    });
    let key = key.ok_or_else(|| Fault::internal(format!("{name} has no key of one column")))?;
    Ok(&key.name)
}

async fn run(house: &House, catalog: &Arc<Catalog>, query: Query) -> Result<Part, Fault> {
    // a batch is bounded by `prune_rows` alone
    let list = house.limits.list.max(usize::try_from(house.limits.prune_rows).unwrap_or(usize::MAX));
    let limits = Limits { list, ..house.limits.clone() };
    let script = resolve(catalog, &[(query, Expect::Any)], End::Commit, Reach::System, &limits)?;
    let guarded = weave::system(script, house.clock.now_micros(), catalog, &house.ids)?;
    let reply = house.engine.run(&guarded).await?;
    reply.parts.into_iter().next().ok_or_else(|| Fault::internal("a reply has no part"))
}

/// The keys of an answer that has no other column.
fn keys(part: &Part) -> Result<Vec<Operand>, Fault> {
    let text = |cell: &Cell| match cell {
        Cell::Int(number) => Ok(number.to_string()),
        Cell::Text { start, len } => Ok(part.rows.slice(*start, *len).to_owned()),
        Cell::Null | Cell::Bool(_) | Cell::Float(_) | Cell::Raw { .. } | Cell::Row | Cell::List(_) => {
            Err(Fault::internal("a key is of no type that keys have"))
        }
    };
    part.rows.cells.iter().map(|cell| text(cell).map(Operand::Text)).collect()
}
