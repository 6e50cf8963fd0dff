//! References that a client sets: a hidden target and an absent one look the same (SEMANTICS 5).

use super::Weaver;
use crate::caller::Caller;
use crate::compile::{RowRef, Scope, exists};
use backstay_base::fault::Fault;
use backstay_query::plan::{ColumnRef, Pred, PredOp, Reference, Scalar, SourceId};
use backstay_schema::catalog::{ColumnId, Operation, RelationKind, Table};

impl Weaver<'_> {
    /// What must hold for the references among `named`, over `row`.
    pub(super) fn references(
        &mut self,
        row: SourceId,
        table: &Table,
        named: &[ColumnId],
    ) -> Result<Vec<Reference>, Fault> {
        if matches!(self.caller, Caller::System) {
            return Ok(Vec::new());
        }
        let (catalog, client) = (self.catalog, self.is_client());
        let mut found = Vec::new();
        for relation in &table.relations {
            let RelationKind::ToOne { columns, refer, constraint, .. } = &relation.kind else { continue };
            if !columns.iter().any(|column| named.contains(column)) {
                continue;
            }
            let source = self.sources.next_id();
            let target = RowRef::Source(source, relation.target);
            let mut compiler = self.compiler(Operation::Read, &[]);
            let rule = match refer {
                Some(expr) if client => {
                    let alive = compiler.alive(&target)?;
                    let confined = compiler.confined(&target)?;
                    compiler.is_true(expr, &Scope::one(target))?.and(alive).and(confined)
                }
                Some(_) => compiler.alive(&target)?.and(compiler.confined(&target)?),
                None => {
                    // a deleted row is as an absent one, whoever asks for such
                    let alive = compiler.alive(&target)?;
                    compiler.ruled(relation.target, Operation::Read, &target)?.and(alive)
                }
            };
            if rule == Pred::TRUE {
                continue;
            }
            let key = &catalog.table(relation.target).key;
            let mut filter = Pred::TRUE;
            for (column, other) in columns.iter().zip(key) {
                let here = Scalar::Column(ColumnRef { source: row, table: table.id, column: *column });
                let there = Scalar::Column(ColumnRef { source, table: relation.target, column: *other });
                filter = filter.and(Pred::Compare(PredOp::Eq, there, here));
            }
            let allowed = exists(source, relation.target, filter.and(rule));
            found.push(Reference {
                constraint: constraint.clone(),
                columns: columns.clone(),
                target: relation.target,
                allowed,
            });
        }
        Ok(found)
    }
}
