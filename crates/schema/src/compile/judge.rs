//! Mistakes that only the whole schema shows: rules that come back to themselves,
//! rules that trust what their subject may write, server-set values that could be
//! swapped, accounts that could not sign up. Reads the finished catalog.

use crate::catalog::{
    Access, Arm, Catalog, Column, DefaultValue, Fill, Operation, Origin, Permit, RelationKind, Table, TableId,
};
use crate::cel::check::NamedRules;
use crate::compile::{full_text, stored};
use crate::diagnostic::{Diagnostics, codes};
use crate::expr::{AuthField, CompareOp, End, Expr, ExprKind, Path, Root};
use crate::scalar::ScalarType;
use crate::value::Value;
use std::collections::HashSet;

/// Judges a finished catalog.
pub(super) fn judge(catalog: &Catalog, rules: &NamedRules, diagnostics: &mut Diagnostics) {
    computed_cycles(catalog, diagnostics);
    if diagnostics.failed() {
        // a circle of computed fields has no bottom to walk to
        return;
    }
    allowed_cycles(catalog, diagnostics);
    self_elevation(catalog, diagnostics);
    for table in &catalog.tables {
        server_set(table, diagnostics);
        stored::judge(catalog, table, diagnostics);
        full_text::judge(table, diagnostics);
        transitions(catalog, table, diagnostics);
        remarks(table, diagnostics);
    }
    sign_up(catalog, diagnostics);
    for (name, rule) in rules {
        if !rule.used.get() {
            diagnostics.report(codes::UNUSED_RULE, rule.span, format!("the rule \"{name}\" is never used"));
        }
    }
}

const OPERATIONS: [(Operation, &str); 4] = [
    (Operation::Read, "read"),
    (Operation::Create, "create"),
    (Operation::Update, "update"),
    (Operation::Delete, "delete"),
];

fn arms(permit: &Permit) -> impl Iterator<Item = &Arm> {
    permit.allow.iter().chain(&permit.deny)
}

fn access_arms(access: &Access) -> impl Iterator<Item = &Arm> {
    OPERATIONS.into_iter().flat_map(|(operation, _)| arms(access.permit(operation)))
}

/// The table at the end of a path that starts in a known one.
fn path_table(path: &Path, start: TableId) -> TableId {
    path.hops.last().map_or(start, |hop| hop.target)
}

/// Every computed field that an expression reads, with its table.
fn computed_reads(expr: &Expr, start: TableId) -> Vec<(TableId, crate::catalog::ComputedId)> {
    let mut vars: Vec<(crate::expr::VarId, TableId)> = Vec::new();
    expr.visit(&mut |part| match &part.kind {
        ExprKind::Quantifier { over: crate::expr::Over::Relation(relation), var, .. }
        | ExprKind::Aggregate { over: relation, var, .. } => vars.push((*var, relation.hop.target)),
        _ => {}
    });
    expr.paths()
        .into_iter()
        .filter_map(|path| {
            let End::Computed(id) = path.end else { return None };
            let root = match path.root {
                Root::Var(var) => {
                    vars.iter().find(|(known, _)| *known == var).map_or(start, |(_, table)| *table)
                }
                Root::This | Root::Old | Root::New | Root::AuthUser => start,
            };
            Some((path_table(path, root), id))
        })
        .collect()
}

fn computed_cycles(catalog: &Catalog, diagnostics: &mut Diagnostics) {
    for table in &catalog.tables {
        for computed in &table.computed {
            let mut seen = HashSet::new();
            let mut open = computed_reads(&computed.expr, table.id);
            while let Some((at, id)) = open.pop() {
                if (at, id) == (table.id, computed.id) {
                    let message = format!("computed field \"{}\" reads itself", computed.name);
                    diagnostics.report(codes::COMPUTED, computed.span, message);
                    break;
                }
                let next = catalog.table(at);
                if seen.insert((at, id)) && next.computed.get(usize::from(id.0)).is_some() {
                    open.extend(computed_reads(&next.computed_field(id).expr, at));
                }
            }
        }
    }
}

/// The rules of other types that an expression asks, through computed fields too.
fn asks(catalog: &Catalog, expr: &Expr, start: TableId, out: &mut Vec<(TableId, Operation)>) {
    let mut vars: Vec<(crate::expr::VarId, TableId)> = Vec::new();
    expr.visit(&mut |part| match &part.kind {
        ExprKind::Quantifier { over: crate::expr::Over::Relation(relation), var, .. }
        | ExprKind::Aggregate { over: relation, var, .. } => vars.push((*var, relation.hop.target)),
        ExprKind::Allowed { row, operation } => {
            let root = match row.root {
                Root::Var(var) => {
                    vars.iter().find(|(known, _)| *known == var).map_or(start, |(_, table)| *table)
                }
                Root::AuthUser => catalog.user.unwrap_or(start),
                Root::This | Root::Old | Root::New => start,
            };
            out.push((path_table(row, root), *operation));
        }
        _ => {}
    });
    for (table, id) in computed_reads(expr, start) {
        if let Some(computed) = catalog.table(table).computed.get(usize::from(id.0)) {
            asks(catalog, &computed.expr, table, out);
        }
    }
}

fn allowed_cycles(catalog: &Catalog, diagnostics: &mut Diagnostics) {
    let asked = |table: &Table, operation: Operation| {
        let mut out = Vec::new();
        for arm in arms(table.access.permit(operation)) {
            asks(catalog, &arm.expr, table.id, &mut out);
        }
        out
    };
    for table in catalog.tables.iter().filter(|table| table.origin != Origin::Junction) {
        for (operation, word) in OPERATIONS {
            let mut seen = HashSet::new();
            let mut open = asked(table, operation);
            while let Some((at, next)) = open.pop() {
                if (at, next) == (table.id, operation) {
                    let message = format!(
                        "the {word} rule of \"{}\" comes back to itself through `allowed`",
                        table.type_name
                    );
                    let span = arms(table.access.permit(operation)).next().map_or(table.span, |arm| arm.span);
                    diagnostics.report(codes::ALLOWED_CYCLE, span, message);
                    break;
                }
                if seen.insert((at, next)) {
                    open.extend(asked(catalog.table(at), next));
                }
            }
        }
    }
}

/// SEMANTICS 3: a rule must not trust a field of the caller's row that the caller writes.
fn self_elevation(catalog: &Catalog, diagnostics: &mut Diagnostics) {
    let Some(user) = catalog.user else { return };
    let user = catalog.table(user);
    for table in &catalog.tables {
        let fields = table.columns.iter().map(|column| &column.access);
        let relations = table.relations.iter().map(|relation| &relation.access);
        let computed = table.computed.iter().map(|computed| &computed.access);
        let all = std::iter::once(&table.access).chain(fields).chain(relations).chain(computed);
        let mut exprs: Vec<&Expr> = all.flat_map(access_arms).map(|arm| &arm.expr).collect();
        exprs.extend(table.relations.iter().filter_map(|relation| match &relation.kind {
            RelationKind::ToOne { refer, .. } => refer.as_ref(),
            RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => None,
        }));
        exprs.extend(
            table.columns.iter().flat_map(|column| column.set_create.iter().chain(&column.set_update)),
        );
        for expr in exprs {
            expr.visit(&mut |part| trust(user, part, diagnostics));
        }
    }
}

fn trust(user: &Table, part: &Expr, diagnostics: &mut Diagnostics) {
    let (ExprKind::Path(path) | ExprKind::Has(path) | ExprKind::Allowed { row: path, .. }) = &part.kind
    else {
        return;
    };
    if path.root != Root::AuthUser {
        return;
    }
    for column in read_of_root(user, path) {
        let by = if writable_on_update(user, column) {
            "the owner may update it"
        } else if writable_at_sign_up(column) {
            "sign-up data may fill it"
        } else {
            continue;
        };
        let message = format!("the rule trusts \"{}.{}\", but {by}", user.type_name, column.field);
        let help = format!(
            "give \"{}\" its own `@access(write: …)`, or let the server set it with `@set`",
            column.field
        );
        diagnostics.report_with_help(codes::SELF_ELEVATION, part.span, message, help);
    }
}

/// The columns of its starting row that a path reads.
fn read_of_root<'t>(table: &'t Table, path: &Path) -> Vec<&'t Column> {
    if let Some(hop) = path.hops.first() {
        return table.columns.iter().filter(|column| column.relation == Some(hop.relation)).collect();
    }
    match &path.end {
        End::Row => Vec::new(),
        End::Column(id) | End::Json { column: id, .. } => vec![table.column(*id)],
        End::Computed(id) => {
            let inner = &table.computed_field(*id).expr;
            let own = inner.paths().into_iter().filter(|path| path.root == Root::This);
            own.flat_map(|path| match path.end {
                End::Computed(_) if path.hops.is_empty() => Vec::new(),
                _ => read_of_root(table, path),
            })
            .collect()
        }
    }
}

/// Whether a write of this column may be allowed.
fn may_hold(permit: &Permit, column: &Column) -> bool {
    permit.allow.iter().any(|arm| arm.expr.constant() != Some(false) && arm.covers(&[column.id]))
        && permit.deny.iter().all(|arm| arm.expr.constant() != Some(true))
}

fn has_rule(permit: &Permit) -> bool {
    !permit.allow.is_empty() || !permit.deny.is_empty()
}

fn writable_on_update(table: &Table, column: &Column) -> bool {
    column.fill == Fill::None
        && column.set_update.is_none()
        && may_hold(&table.access.update, column)
        && !has_rule(&column.access.update)
}

/// Sign-up data fills scalar fields (SEMANTICS 25).
fn writable_at_sign_up(column: &Column) -> bool {
    column.fill == Fill::None
        && column.relation.is_none()
        && column.set_create.is_none()
        && !has_rule(&column.access.create)
}

/// SEMANTICS 7, and server-set values that read each other.
fn server_set(table: &Table, diagnostics: &mut Diagnostics) {
    for column in &table.columns {
        for expr in column.set_create.iter().chain(&column.set_update) {
            for path in expr.paths() {
                let End::Column(read) = path.end else { continue };
                let other = table.column_at(path, read);
                let chained = other.is_some_and(|other| {
                    other.id != column.id
                        && other.set_create.iter().chain(&other.set_update).any(Expr::reads_relations)
                });
                if chained {
                    let name = other.map_or("", |other| other.field.as_str());
                    let message = format!(
                        "\"{}\" reads \"{name}\", which the server sets from related rows",
                        column.field
                    );
                    let help = "write the path out in both";
                    diagnostics.report_with_help(codes::SET_CHAIN, expr.span, message, help);
                }
            }
        }
        // `always` fills both; a value set only on create stays when its reference moves
        let (Some(expr), None) = (&column.set_create, &column.set_update) else { continue };
        for path in expr.paths().into_iter().filter(|path| path.root == Root::This) {
            for reference in path.hops.first().map(|_| read_of_root(table, path)).unwrap_or_default() {
                if path.hops.len() == 1 && path.end == End::Row && !expr.reads_relations() {
                    continue;
                }
                let updatable = reference.set_update.is_none()
                    && may_hold(&table.access.update, reference)
                    && may_hold_field(&reference.access.update);
                if updatable {
                    let message = format!(
                        "\"{}\" is set on create through \"{}\", which may be changed later",
                        column.field, reference.field
                    );
                    let help = format!(
                        "use `@set(always: …)`, or forbid moving it: `{}: … @access(update: \"false\")`",
                        reference.field
                    );
                    diagnostics.report_with_help(codes::SET_THROUGH_UPDATABLE, expr.span, message, help);
                }
            }
        }
    }
}

/// A field rule that may hold: without arms of its own a field adds nothing.
fn may_hold_field(permit: &Permit) -> bool {
    (permit.allow.is_empty() || permit.allow.iter().any(|arm| arm.expr.constant() != Some(false)))
        && permit.deny.iter().all(|arm| arm.expr.constant() != Some(true))
}

/// SEMANTICS 8: clients start in the default, so a required field needs one.
fn transitions(catalog: &Catalog, table: &Table, diagnostics: &mut Diagnostics) {
    for column in &table.columns {
        let ScalarType::Enum(id) = column.ty else { continue };
        if !catalog.enum_type(id).transitions {
            continue;
        }
        match &column.default {
            Some(DefaultValue::Expr(expr)) => {
                let message = format!("\"{}\" starts in one member, not in an expression", column.field);
                let help = "write `@default(value: MEMBER)`";
                diagnostics.report_with_help(codes::TRANSITION, expr.span, message, help);
            }
            None if !column.nullable && column.set_create.is_none() => {
                let message = format!("\"{}\" has transitions but no member to start in", column.field);
                let help = "write `@default(value: MEMBER)`";
                diagnostics.report_with_help(codes::TRANSITION, column.span, message, help);
            }
            Some(DefaultValue::Value(_)) | None => {}
        }
    }
}

fn remarks(table: &Table, diagnostics: &mut Diagnostics) {
    if table.origin != Origin::Declared {
        return;
    }
    let any = OPERATIONS.into_iter().any(|(operation, _)| !table.access.permit(operation).allow.is_empty());
    if !any {
        let message =
            format!("type \"{}\" has no rules: everybody but the service key is denied", table.type_name);
        let help = "say who may read it: `@access(read: …)`";
        diagnostics.report_with_help(codes::NO_ACCESS, table.span, message, help);
    }
    for (operation, word) in OPERATIONS {
        if operation == Operation::Read {
            continue;
        }
        for arm in table.access.permit(operation).allow.iter().filter(|arm| arm.expr.constant() == Some(true))
        {
            let message = format!("anyone, signed in or not, may {word} rows of \"{}\"", table.type_name);
            diagnostics.report(codes::OPEN_WRITE, arm.span, message);
        }
    }
}

/// SEMANTICS 25: every required field of the account type can be filled at sign-up.
fn sign_up(catalog: &Catalog, diagnostics: &mut Diagnostics) {
    let Some(user) = catalog.user else { return };
    for column in &catalog.table(user).columns {
        let given = column.nullable || column.default.is_some() || column.set_create.is_some();
        let made = match column.fill {
            Fill::None => false,
            Fill::Account => !matches!(column.name.as_str(), "phone" | "role") || column.nullable,
            Fill::RowId
            | Fill::AutoIncrement
            | Fill::CreatedAt
            | Fill::UpdatedAt
            | Fill::DeletedAt
            | Fill::Stored(_) => true,
            Fill::Client => false,
        };
        // every account has a role, also one that nobody gave it
        if given || made || column.name == "role" {
            continue;
        }
        let reason = if column.fill == Fill::Account {
            "an account may have no telephone number"
        } else if column.relation.is_some() {
            "sign-up data fills no references"
        } else if refused_at_sign_up(&column.access.create) {
            "its create rule never holds for a new account"
        } else {
            continue;
        };
        let message = format!("\"{}\" is required, but {reason}", column.field);
        let help = "make it nullable, or give it `@default` or `@set(create:)`";
        diagnostics.report_with_help(codes::SIGN_UP, column.span, message, help);
    }
}

/// Whether a field rule is definitely not true for an account that was just made.
fn refused_at_sign_up(permit: &Permit) -> bool {
    let new_account = |part: &Expr| {
        let role = |expr: &Expr| matches!(expr.kind, ExprKind::Auth(AuthField::Role));
        let is =
            |expr: &Expr| matches!(&expr.kind, ExprKind::Const(Value::Text(text)) if text == "authenticated");
        match &part.kind {
            ExprKind::Compare(CompareOp::Eq, a, b) if role(a) => Some(is(b)),
            ExprKind::Compare(CompareOp::Eq, a, b) if role(b) => Some(is(a)),
            ExprKind::Compare(CompareOp::Ne, a, b) if role(a) => Some(!is(b)),
            ExprKind::In(a, list) if role(a) => match &list.kind {
                ExprKind::List(items) => Some(items.iter().any(is)),
                _ => None,
            },
            _ => None,
        }
    };
    let allowed =
        permit.allow.is_empty() || permit.allow.iter().any(|arm| arm.expr.fold(&new_account) != Some(false));
    let denied = permit.deny.iter().any(|arm| arm.expr.fold(&new_account) == Some(true));
    !allowed || denied
}

impl Table {
    /// A column that a path reads of the row at hand itself.
    fn column_at(&self, path: &Path, read: crate::catalog::ColumnId) -> Option<&Column> {
        (path.root == Root::This && path.hops.is_empty())
            .then(|| self.columns.get(usize::from(read.0)))
            .flatten()
    }
}
