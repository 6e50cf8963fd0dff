//! Why a rule cannot be said as a policy: it asks, or leads to what asks, something that neither the row nor the claims
//! of a connection tell.

use super::Wall;
use backstay_schema::catalog::{ComputedId, Operation, Table, TableId};
use backstay_schema::expr::{AuthField, End as PathEnd, Expr, ExprKind, Path, RequestField, Root};
use backstay_sql::ddl;
use backstay_sql::ddl::security::Command;

impl Wall<'_> {
    /// Why a rule of this operation cannot be said; what `allowed` and computed fields lead to counts, too.
    pub(super) fn unsayable(&self, table: &Table, command: Command) -> Option<&'static str> {
        let operations: &[Operation] = match command {
            Command::Select => &[Operation::Read],
            Command::Insert => &[Operation::Create],
            Command::UpdateStored | Command::UpdateNew => &[Operation::Read, Operation::Update],
            Command::Delete => &[Operation::Read, Operation::Delete],
        };
        let limited = operations.contains(&Operation::Update)
            && table.access.update.allow.iter().any(|arm| arm.fields.is_some());
        if table.tenant.is_some() {
            return Some("its rows belong to tenants");
        }
        if command == Command::Delete && table.soft_delete.is_some() {
            return Some("rows of this type are marked, not removed");
        }
        if limited {
            return Some("it holds for some fields only");
        }
        let mut asked: Vec<Asked> =
            operations.iter().map(|operation| Asked::Rules(table.id, *operation)).collect();
        if command == Command::Insert {
            let targets = ddl::references(table).map(|(relation, _)| relation.target);
            asked.extend(targets.map(|target| Asked::Rules(target, Operation::Read)));
        }
        let mut next = 0;
        while let Some(ask) = asked.get(next).copied() {
            next += 1;
            for expr in self.exprs(ask) {
                if let Some(why) = foreign(expr) {
                    return Some(why);
                }
                for further in leads_to(expr, ask.table()) {
                    if !asked.contains(&further) {
                        asked.push(further);
                    }
                }
            }
        }
        None
    }

    fn exprs(&self, ask: Asked) -> Vec<&Expr> {
        let table = self.catalog.table(ask.table());
        match ask {
            Asked::Rules(_, operation) => {
                let permit = table.access.permit(operation);
                let columns = table.columns.iter().map(|column| column.access.permit(operation));
                let all = std::iter::once(permit).chain(columns);
                all.flat_map(|permit| permit.allow.iter().chain(&permit.deny)).map(|arm| &arm.expr).collect()
            }
            Asked::Computed(_, id) => vec![&table.computed_field(id).expr],
        }
    }
}

/// What a rule asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Rules(TableId, Operation),
    Computed(TableId, ComputedId),
}

impl Asked {
    const fn table(self) -> TableId {
        match self {
            Self::Rules(table, _) | Self::Computed(table, _) => table,
        }
    }
}

/// What an expression over a row of `own` asks besides.
fn leads_to(expr: &Expr, own: TableId) -> Vec<Asked> {
    let end_of = |path: &Path| path.hops.last().map_or(own, |hop| hop.target);
    let mut found = Vec::new();
    expr.visit(&mut |part| {
        if let ExprKind::Allowed { row, operation } = &part.kind {
            found.push(Asked::Rules(end_of(row), *operation));
        }
    });
    for path in expr.paths() {
        if let PathEnd::Computed(id) = path.end {
            found.push(Asked::Computed(end_of(path), id));
        }
    }
    found
}

/// What of an expression a connection's claims do not tell.
fn foreign(expr: &Expr) -> Option<&'static str> {
    let mut found = None;
    // which table a variable's row is of stands outside of the path
    let is_unknown = |path: &Path| path.hops.is_empty() && matches!(path.root, Root::Var(_) | Root::AuthUser);
    if expr.paths().into_iter().any(|path| is_unknown(path) && matches!(path.end, PathEnd::Computed(_))) {
        return Some("it reads a computed field of a row of a list");
    }
    expr.visit(&mut |part| {
        found = found.or(match &part.kind {
            ExprKind::Allowed { row, .. } if is_unknown(row) => Some("it asks the rules of a row of a list"),
            ExprKind::Auth(AuthField::Email) => Some("it reads auth.email"),
            ExprKind::Auth(AuthField::Org) => Some("it reads auth.org"),
            ExprKind::Auth(AuthField::Claim(_)) => Some("it reads auth.claims"),
            ExprKind::Request(RequestField::Method) => Some("it reads request.method"),
            ExprKind::Request(RequestField::Ip) => Some("it reads request.ip"),
            ExprKind::Request(RequestField::Changed) => Some("it reads request.changed"),
            ExprKind::Request(RequestField::Header(_)) => Some("it reads request.headers"),
            ExprKind::Compare(_, a, b) | ExprKind::In(a, b)
                if names_an_account(a, b) || names_an_account(b, a) =>
            {
                Some("it names an account by its id")
            }
            _ => None,
        });
    });
    found
}

fn names_an_account(a: &Expr, b: &Expr) -> bool {
    let is_known = |expr: &Expr| match &expr.kind {
        ExprKind::Const(value) => !value.is_null(),
        ExprKind::List(_) => true,
        _ => false,
    };
    matches!(a.kind, ExprKind::Auth(AuthField::Uid)) && is_known(b)
}
