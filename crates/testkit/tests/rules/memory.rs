//! The world as rows in memory, for the evaluator.

use backstay_policy::evaluate::Rows;
use backstay_schema::catalog::{Catalog, ColumnId, RelationKind, TableId};
use backstay_schema::expr::Hop;
use backstay_schema::value::Value;
use backstay_testkit::rule::world::World;

/// A row of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Account(usize),
    Parent(usize),
    Kid(usize),
}

/// The world.
pub struct Memory<'w> {
    pub catalog: &'w Catalog,
    pub world: &'w World,
}

/// The list of a parent.
pub fn tags(tags: Option<&[&str]>) -> Option<Value> {
    tags.map(|tags| Value::List(tags.iter().map(|tag| Value::Text((*tag).to_owned())).collect()))
}

/// Name and columns of the junction of `friends`: from, to.
pub fn friends(catalog: &Catalog) -> (String, String, String) {
    let parent = catalog.public_table("parent").unwrap();
    let relation = parent.relations.iter().find(|relation| relation.name == "friends").unwrap();
    let RelationKind::ManyToMany { junction, near, far } = &relation.kind else { panic!("{relation:?}") };
    let table = catalog.table(*junction);
    let column = |id| {
        let RelationKind::ToOne { columns, .. } = &table.relation(id).kind else { panic!("not to-one") };
        table.column(columns[0]).name.clone()
    };
    (table.name.clone(), column(*near), column(*far))
}

fn id(index: usize) -> Value {
    Value::Int(i64::try_from(index + 1).unwrap())
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

impl Rows for Memory<'_> {
    type Row = Row;

    fn column(&self, row: &Row, column: ColumnId) -> Value {
        let name = self.catalog.table(self.table(row)).column(column).name.clone();
        let int = |value: Option<i64>| value.map_or(Value::Null, Value::Int);
        let bool = |value: Option<bool>| value.map_or(Value::Null, Value::Bool);
        match row {
            Row::Account(index) => {
                let account = &self.world.accounts[*index];
                if name == "id" { Value::Uuid(account.id) } else { text(account.team) }
            }
            Row::Parent(index) => {
                let parent = &self.world.parents[*index];
                match name.as_str() {
                    "id" => id(*index),
                    "a" => int(parent.a),
                    "b" => int(Some(parent.b)),
                    "c" => text(parent.c),
                    "d" => text(Some(parent.d)),
                    "f" => bool(parent.f),
                    "tags" => tags(parent.tags.as_deref()).unwrap_or(Value::Null),
                    "owner_id" => {
                        parent.owner.map_or(Value::Null, |at| Value::Uuid(self.world.accounts[at].id))
                    }
                    _ => parent.up.map_or(Value::Null, id),
                }
            }
            Row::Kid(index) => {
                let kid = &self.world.kids[*index];
                match name.as_str() {
                    "id" => id(*index),
                    "parent_id" => id(kid.parent),
                    "x" => int(kid.x),
                    "y" => text(kid.y),
                    _ => bool(kid.g),
                }
            }
        }
    }

    fn related(&self, row: &Row, hop: Hop) -> Vec<Row> {
        let name = self.catalog.table(hop.table).relation(hop.relation).name.as_str();
        match (row, name) {
            (Row::Parent(index), "owner") => {
                self.world.parents[*index].owner.map(Row::Account).into_iter().collect()
            }
            (Row::Parent(index), "up") => {
                self.world.parents[*index].up.map(Row::Parent).into_iter().collect()
            }
            (Row::Parent(index), "kids") => self.world.kids_of(*index).map(Row::Kid).collect(),
            (Row::Parent(index), "friends") => {
                self.world.parents[*index].friends.iter().map(|at| Row::Parent(*at)).collect()
            }
            (Row::Parent(index), "downs") => {
                let below = |at: &usize| self.world.parents[*at].up == Some(*index);
                (0..self.world.parents.len()).filter(below).map(Row::Parent).collect()
            }
            (Row::Kid(index), "parent") => vec![Row::Parent(self.world.kids[*index].parent)],
            _ => panic!("no relation {name} from {row:?}"),
        }
    }

    fn key(&self, row: &Row) -> Vec<Value> {
        match row {
            Row::Account(index) => vec![Value::Uuid(self.world.accounts[*index].id)],
            Row::Parent(index) | Row::Kid(index) => vec![id(*index)],
        }
    }

    fn account(&self, uid: uuid::Uuid) -> Option<Row> {
        self.world.accounts.iter().position(|account| account.id == uid).map(Row::Account)
    }

    fn table(&self, row: &Row) -> TableId {
        let name = match row {
            Row::Account(_) => "user",
            Row::Parent(_) => "parent",
            Row::Kid(_) => "kid",
        };
        self.catalog.public_table(name).unwrap().id
    }
}
