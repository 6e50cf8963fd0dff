//! `@table(audit: true)`: a table per type for what was written to its rows. It has no rules, so
//! that nobody but the secret key reads it, and nothing refers to it.

use crate::audit::{ACCOUNT, AFTER, AT, BEFORE, FIELDS, ID, OPERATION, ROLE, key_column};
use crate::catalog::{Column, ColumnId, Fill, Index, Member, OnDelete, Origin, RelationKind, Span, TableId};
use crate::compile::build::Builder;
use crate::compile::draft::one;
use crate::compile::field::blank_column;
use crate::name::object_name;
use crate::scalar::ScalarType;
use crate::scalar::list::{Element, ListType};

impl Builder<'_> {
    /// Makes the audits, and says which deletions they tell of.
    pub fn audits(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            let Some(table) = one(&ty.directives, "table") else { continue };
            if table.flag("audit") == Some(true)
                && let Some(id) = self.tables.get(index).copied().flatten()
            {
                self.audit(id, table.span_of("audit"));
            }
        }
        self.told_deletions();
    }

    fn audit(&mut self, of: TableId, span: Span) {
        let table = self.catalog.table(of).clone();
        let name = object_name(&table.name, "", "audit");
        let type_name = format!("{}Audit", table.type_name);
        let Some(id) = self.new_table(&type_name, &name, Origin::Audit, span) else { return };
        let words = ScalarType::List(ListType { element: Element::String, nulls: false });
        let mut columns = vec![
            column(ID, ScalarType::BigInt, false, "Counts the entries.", span),
            column(AT, ScalarType::Timestamp, false, "When it was written.", span),
            column(OPERATION, ScalarType::String, false, "CREATE, UPDATE or DELETE.", span),
            column(ACCOUNT, ScalarType::Uuid, true, "The account that wrote.", span),
            column(ROLE, ScalarType::String, false, "The role that wrote.", span),
        ];
        if let Some(counted) = columns.first_mut() {
            counted.fill = Fill::AutoIncrement;
        }
        let mut named = table.key.clone();
        named.extend(table.tenant.filter(|tenant| !table.key.contains(tenant)));
        for part in &named {
            let of_row = table.column(*part);
            let mut kept = column(&key_column(&of_row.name), of_row.ty, false, "Of the row.", span);
            kept.was = of_row.was.as_deref().map(key_column);
            columns.push(kept);
        }
        columns.push(column(FIELDS, words, false, "The columns that differ.", span));
        columns.push(column(BEFORE, ScalarType::Json, true, "Their values before.", span));
        columns.push(column(AFTER, ScalarType::Json, true, "Their values after.", span));
        for (place, column) in columns.iter_mut().enumerate() {
            column.id = ColumnId(u16::try_from(place).unwrap_or(0));
        }
        let place = |name: &str| columns.iter().find(|column| column.name == name).map(|column| column.id);
        let key: Vec<ColumnId> =
            table.key.iter().filter_map(|id| place(&key_column(&table.column(*id).name))).collect();
        let tenant = table.tenant.and_then(|id| place(&key_column(&table.column(id).name)));
        let joined =
            table.key.iter().map(|id| key_column(&table.column(*id).name)).collect::<Vec<_>>().join("_");
        let by_row = Index { name: self.unused_name(&name, &joined, "idx"), columns: key };
        let by_time =
            Index { name: self.unused_name(&name, AT, "idx"), columns: place(AT).into_iter().collect() };
        let was = table.was.as_deref().map(|was| object_name(was, "", "audit"));
        if let Some(audit) = self.catalog.tables.get_mut(usize::from(id.0)) {
            audit.doc = Some("Who wrote what to the rows of a type.".to_owned());
            audit.key = vec![ColumnId(0)];
            audit.indexes = vec![by_row, by_time];
            audit.tenant = tenant;
            audit.was = was;
            audit.members =
                columns.iter().map(|column| (column.name.clone(), Member::Column(column.id))).collect();
            audit.columns = columns;
        }
        if let Some(table) = self.catalog.tables.get_mut(usize::from(of.0)) {
            table.audit = Some(id);
        }
    }

    /// A deletion is told where the type has an audit, or where rows that have one go or change with it.
    fn told_deletions(&mut self) {
        let mut told: Vec<bool> = self.catalog.tables.iter().map(|table| table.audit.is_some()).collect();
        loop {
            let mut more = Vec::new();
            for child in &self.catalog.tables {
                let own = told.get(usize::from(child.id.0)).copied().unwrap_or(false);
                for relation in child.relations.iter().filter(|_| !child.is_view) {
                    let RelationKind::ToOne { on_delete, .. } = &relation.kind else { continue };
                    let follows = match on_delete {
                        OnDelete::Restrict => false,
                        OnDelete::Cascade => own,
                        OnDelete::SetNull => child.audit.is_some(),
                    };
                    let target = usize::from(relation.target.0);
                    if follows && told.get(target) == Some(&false) {
                        more.push(target);
                    }
                }
            }
            if more.is_empty() {
                break;
            }
            for target in more {
                if let Some(known) = told.get_mut(target) {
                    *known = true;
                }
            }
        }
        for (table, told) in self.catalog.tables.iter_mut().zip(told) {
            table.deletes_audited = told;
        }
    }
}

fn column(name: &str, ty: ScalarType, nullable: bool, doc: &str, span: Span) -> Column {
    Column { doc: Some(doc.to_owned()), ..blank_column(name, name, ty, nullable, Fill::None, span) }
}
