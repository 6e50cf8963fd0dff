//! Which tables rules read by more than one row: who writes them while such a rule is
//! judged could make two writes true that exclude each other (SEMANTICS 15). Rules for
//! reading count, too: a write reaches what its caller may read, and refers to that alone.

use crate::catalog::{Access, Catalog, OnDelete, RelationKind, Table, TableId};
use crate::expr::{End, Expr, ExprKind, Hop, Over, Root};
use std::collections::BTreeSet;

impl Catalog {
    /// The tables whose rows some rule quantifies or aggregates over, and those
    /// whose deletion reaches them.
    #[must_use]
    pub fn watched(&self) -> BTreeSet<TableId> {
        let mut watched = BTreeSet::new();
        for expr in self.rules().filter(|expr| is_about_many(expr)) {
            each_hop(expr, &mut |hop| {
                watched.insert(hop.target);
                watched.extend(junction(self, hop));
            });
        }
        // what a view reads nobody knows: it may be any row
        if watched.iter().any(|table| self.table(*table).is_view) {
            return self.tables.iter().map(|table| table.id).collect();
        }
        self.with_cascades(watched)
    }

    /// Every rule and check of every table.
    pub fn rules(&self) -> impl Iterator<Item = &Expr> {
        self.tables.iter().flat_map(rules)
    }

    /// Deleting a row of a table deletes or changes rows of those that refer to it.
    fn with_cascades(&self, mut watched: BTreeSet<TableId>) -> BTreeSet<TableId> {
        loop {
            let reaching: Vec<TableId> = self
                .tables
                .iter()
                .filter(|table| watched.contains(&table.id))
                .flat_map(|table| &table.relations)
                .filter(|relation| {
                    matches!(&relation.kind, RelationKind::ToOne { on_delete, .. } if *on_delete != OnDelete::Restrict)
                })
                .map(|relation| relation.target)
                .filter(|target| !watched.contains(target))
                .collect();
            if reaching.is_empty() {
                return watched;
            }
            watched.extend(reaching);
        }
    }
}

fn junction(catalog: &Catalog, hop: Hop) -> Option<TableId> {
    match &catalog.table(hop.table).relation(hop.relation).kind {
        RelationKind::ManyToMany { junction, .. } => Some(*junction),
        RelationKind::ToOne { .. } | RelationKind::ToMany { .. } => None,
    }
}

fn rules(table: &Table) -> impl Iterator<Item = &Expr> {
    let fields = table.columns.iter().map(|column| &column.access);
    let fields = fields.chain(table.relations.iter().map(|relation| &relation.access));
    let permits = std::iter::once(&table.access).chain(fields).flat_map(of_access);
    let checks = table.checks.iter().map(|check| &check.expr);
    permits.chain(checks)
}

fn of_access(access: &Access) -> impl Iterator<Item = &Expr> {
    let permits = [&access.read, &access.create, &access.update, &access.delete];
    permits.into_iter().flat_map(|permit| permit.allow.iter().chain(&permit.deny)).map(|arm| &arm.expr)
}

fn is_about_many(expr: &Expr) -> bool {
    let mut found = false;
    expr.visit(&mut |part| {
        found |= matches!(
            &part.kind,
            ExprKind::Quantifier { over: Over::Relation(_), .. } | ExprKind::Aggregate { .. }
        );
    });
    found
}

/// Every hop within a list: to the list, and from its rows on. Single rows that a rule
/// reaches from its own are locked as they are read.
fn each_hop(expr: &Expr, see: &mut dyn FnMut(Hop)) {
    expr.visit(&mut |part| {
        let over = match &part.kind {
            ExprKind::Path(path) | ExprKind::Has(path) | ExprKind::Allowed { row: path, .. } => {
                if matches!(path.root, Root::Var(_)) {
                    // the row at the end is compared by its key, which stands in the row before it
                    let read = path.hops.len() - usize::from(path.end == End::Row && !path.hops.is_empty());
                    path.hops.iter().take(read).for_each(|hop| see(*hop));
                }
                None
            }
            ExprKind::Quantifier { over: Over::Relation(over), .. } | ExprKind::Aggregate { over, .. } => {
                Some(over)
            }
            _ => None,
        };
        if let Some(over) = over {
            over.row.hops.iter().chain(std::iter::once(&over.hop)).for_each(|hop| see(*hop));
        }
    });
}
