//! The hidden tables of n-n relations: `a_b` in alphabetical order, both references
//! together the key, deleted with either row. Their rules are made with the others.

use crate::catalog::{
    Access, ColumnId, Fill, Index, Member, OnDelete, Origin, Relation, RelationId, RelationKind, TableId,
};
use crate::compile::build::{Builder, Placed};
use crate::compile::field::{blank_column, joined};
use crate::compile::key::KeyPart;
use crate::compile::relation::Plan;
use crate::name::{object_name, pascal_case};

/// One side of an n-n relation.
struct Side {
    ty: usize,
    table: TableId,
    /// Name of the reference in the junction; its columns begin with it.
    prefix: String,
    list: RelationId,
}

impl Builder<'_> {
    pub fn junctions(&mut self) {
        for index in 0..self.draft.types.len() {
            let fields = self.type_at(index).map_or(0, |ty| ty.fields.len());
            for position in 0..fields {
                if let Plan::Many { target, field } = self.plan(index, position) {
                    // each pair once, from its first half
                    if (index, position) < (target, field) {
                        self.junction((index, position), (target, field));
                    }
                }
            }
        }
    }

    fn side(&self, (ty, field): (usize, usize), other: (usize, usize)) -> Option<Side> {
        let table = self.tables.get(ty).copied().flatten()?;
        let name = self.catalog.table(table).name.clone();
        // in a relation of a type with itself, a column is named for the list in which its row appears
        let prefix = if ty == other.0 { self.field_at(other.0, other.1)?.name.clone() } else { name };
        let list = match self.placed.get(ty)?.get(field)? {
            Placed::Far(id) => *id,
            Placed::Column(_)
            | Placed::Reference(..)
            | Placed::Computed(_)
            | Placed::Stored(..)
            | Placed::Dropped => return None,
        };
        Some(Side { ty, table, prefix, list })
    }

    fn junction(&mut self, first: (usize, usize), second: (usize, usize)) {
        let (Some(a), Some(b)) = (self.side(first, second), self.side(second, first)) else { return };
        let name_of = |side: &Side| self.catalog.table(side.table).name.clone();
        let (a, b) = if (name_of(&a), &a.prefix) <= (name_of(&b), &b.prefix) { (a, b) } else { (b, a) };
        let name = object_name(&name_of(&a), "", &name_of(&b));
        let was = self.earlier_name(&a, &b);
        let span = self.catalog.table(a.table).span;
        let origin = match self.catalog.table(a.table).origin {
            Origin::System => Origin::System,
            Origin::Declared | Origin::Junction | Origin::Audit => Origin::Junction,
        };
        let Some(id) = self.new_table(&pascal_case(&name), &name, origin, span) else { return };
        let near = self.junction_reference(id, &a);
        let far = self.junction_reference(id, &b);
        let far_columns: Vec<(ColumnId, String)> = self
            .catalog
            .table(id)
            .columns
            .iter()
            .filter(|column| column.relation == Some(far))
            .map(|column| (column.id, column.name.clone()))
            .collect();
        let joined = far_columns.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("_");
        let index = self.unused_name(&name, &joined, "idx");
        if let Some(table) = self.catalog.tables.get_mut(usize::from(id.0)) {
            table.key = table.columns.iter().map(|column| column.id).collect();
            let columns = far_columns.iter().map(|(id, _)| *id).collect();
            table.indexes.push(Index { name: index, columns });
            table.was = was;
        }
        for (side, near, far) in [(&a, near, far), (&b, far, near)] {
            if let Some(relation) = self.relation_mut(side.ty, side.list) {
                relation.kind = RelationKind::ManyToMany { junction: id, near, far };
            }
        }
    }

    /// What the junction was called before `@was` renamed an end of it: its links go along.
    fn earlier_name(&self, a: &Side, b: &Side) -> Option<String> {
        let (a, b) = (self.catalog.table(a.table), self.catalog.table(b.table));
        if a.was.is_none() && b.was.is_none() {
            return None;
        }
        let mut names = [a, b].map(|table| table.was.as_ref().unwrap_or(&table.name));
        names.sort();
        let [first, second] = names;
        Some(object_name(first, "", second))
    }

    fn junction_reference(&mut self, junction: TableId, side: &Side) -> RelationId {
        let parts: Vec<KeyPart> = self
            .keys
            .get(side.ty)
            .cloned()
            .flatten()
            .unwrap_or_default()
            .into_iter()
            .map(|part| KeyPart { name: format!("{}_{}", side.prefix, part.name), ty: part.ty })
            .collect();
        let target = self.catalog.table(side.table);
        let span = target.span;
        // a column that is named for its type follows the type's name
        let was = target.was.clone().filter(|_| side.prefix == target.name);
        let Some(table) = self.catalog.tables.get_mut(usize::from(junction.0)) else { return RelationId(0) };
        let id = RelationId(u16::try_from(table.relations.len()).unwrap_or(0));
        let mut columns = Vec::new();
        for part in &parts {
            let mut column = blank_column(&part.name, &side.prefix, part.ty, false, Fill::Client, span);
            let key = part.name.get(side.prefix.len()..).unwrap_or_default();
            column.was = was.as_ref().map(|was| [was, key].concat());
            column.id = crate::catalog::ColumnId(u16::try_from(table.columns.len()).unwrap_or(0));
            column.relation = Some(id);
            table.members.insert(part.name.clone(), Member::Column(column.id));
            columns.push(column.id);
            table.columns.push(column);
        }
        table.members.insert(side.prefix.clone(), Member::Relation(id));
        let constraint = object_name(&table.name, &joined(&parts), "fkey");
        table.relations.push(Relation {
            id,
            name: side.prefix.clone(),
            doc: None,
            deprecated: None,
            target: side.table,
            kind: RelationKind::ToOne {
                columns,
                nullable: false,
                on_delete: OnDelete::Cascade,
                refer: None,
                constraint,
            },
            access: Access::default(),
            span,
        });
        id
    }
}
