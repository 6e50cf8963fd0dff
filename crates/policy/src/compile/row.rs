//! Comparison of rows: by key, without a join where the foreign key says it.

use super::compare::compare_operands;
use super::path::{exists, near_columns};
use super::{Compiled, Compiler, Operand, RowRef, Scope};
use crate::caller::Caller;
use backstay_base::fault::Fault;
use backstay_query::plan::Pred;
use backstay_schema::catalog::{ColumnId, RelationKind};
use backstay_schema::expr::{CompareOp, End, Expr, ExprKind, Path, Root};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// The key of a row, part by part with types; none when the row is absent.
type Key = Option<Vec<(Operand, ScalarType)>>;

impl<'c> Compiler<'c> {
    /// `left == right` for rows, wanted to be definitely `want`.
    pub(super) fn compare_rows(&mut self, left: &Expr, right: &Expr, scope: &Scope, want: bool) -> Compiled {
        self.with_key(left, scope, &mut |compiler, a| {
            compiler.with_key(right, scope, &mut |_, b| Ok(same_key(a.as_ref(), b.as_ref(), want)))
        })
    }

    /// `row == null`, wanted to be definitely `want`.
    pub(super) fn row_is_null(&mut self, expr: &Expr, scope: &Scope, want: bool) -> Compiled {
        let path = row_path(expr)?;
        let Some((last, before)) = path.hops.split_last() else {
            let absent = path.root == Root::AuthUser && !matches!(self.asked.caller, Caller::User(_));
            return Ok(Pred::Const(absent == want));
        };
        let prefix = Path { root: path.root, hops: before.to_vec(), end: End::Row };
        self.at_end(&prefix, scope, &mut |compiler, row, _| {
            let relation = compiler.catalog.table(last.table).relation(last.relation);
            if let RelationKind::ToOne { columns, nullable, .. } = &relation.kind {
                let first = columns.first().copied().unwrap_or(ColumnId(0));
                let operand = compiler.column(row, first)?;
                return Ok(match operand {
                    Operand::Known(value) => Pred::Const(value.is_null() == want),
                    Operand::Absent => Pred::FALSE,
                    Operand::Sql(..) if !*nullable => Pred::Const(!want),
                    Operand::Sql(scalar, _) if want => Pred::IsNull(scalar),
                    Operand::Sql(scalar, _) => Pred::IsNotNull(scalar),
                });
            }
            let source = compiler.sources.next_id();
            let join = compiler.join(row, *last, source)?;
            Ok(match exists(source, last.target, join) {
                Pred::Exists(inner) if want => Pred::NotExists(inner),
                Pred::Const(found) => Pred::Const(found != want),
                found => found,
            })
        })
    }

    fn with_key(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        then: &mut dyn FnMut(&mut Self, Key) -> Compiled,
    ) -> Compiled {
        let path = row_path(expr)?;
        if path.root == Root::AuthUser && path.hops.is_empty() {
            let key = match self.asked.caller {
                Caller::User(user) => Some(vec![(Operand::Known(Value::Uuid(user.uid)), ScalarType::Uuid)]),
                Caller::Anon | Caller::Service | Caller::System => None,
            };
            return then(self, key);
        }
        let catalog = self.catalog;
        if let Some((last, before)) = path.hops.split_last() {
            let relation = catalog.table(last.table).relation(last.relation);
            let columns = near_columns(relation);
            if !columns.is_empty() {
                let prefix = Path { root: path.root, hops: before.to_vec(), end: End::Row };
                return self.at_end(&prefix, scope, &mut |compiler, row, _| {
                    let key = compiler.key_of(row, columns)?;
                    then(compiler, Some(key))
                });
            }
        }
        self.at_end(path, scope, &mut |compiler, row, _| {
            let key = compiler.key_of(row, &catalog.table(row.table()).key)?;
            then(compiler, Some(key))
        })
    }

    fn key_of(&mut self, row: &RowRef, columns: &[ColumnId]) -> Result<Vec<(Operand, ScalarType)>, Fault> {
        columns
            .iter()
            .map(|column| {
                let ty = self.catalog.table(row.table()).column(*column).ty;
                Ok((self.column(row, *column)?, ty))
            })
            .collect()
    }

    /// The parts of the key of the row that an expression names, for `@set(create: "auth.user")`.
    pub(crate) fn key_parts(&mut self, expr: &Expr, scope: &Scope) -> Result<Vec<Operand>, Fault> {
        let path = row_path(expr)?;
        if path.root == Root::AuthUser && path.hops.is_empty() {
            return self.path_value(path, None, scope).map(|operand| vec![operand]);
        }
        let catalog = self.catalog;
        let Some((last, before)) = path.hops.split_last() else {
            let table = scope.row(path.root).map(RowRef::table);
            let columns = table.map(|table| catalog.table(table).key.clone()).unwrap_or_default();
            return columns.iter().map(|column| self.end_of(path.root, &[], *column, scope)).collect();
        };
        let columns = near_columns(catalog.table(last.table).relation(last.relation));
        if columns.is_empty() {
            let key = &catalog.table(last.target).key;
            return key.iter().map(|column| self.end_of(path.root, &path.hops, *column, scope)).collect();
        }
        columns.iter().map(|column| self.end_of(path.root, before, *column, scope)).collect()
    }

    fn end_of(
        &mut self,
        root: Root,
        hops: &[backstay_schema::expr::Hop],
        column: ColumnId,
        scope: &Scope,
    ) -> Result<Operand, Fault> {
        let path = Path { root, hops: hops.to_vec(), end: End::Column(column) };
        self.path_value(&path, None, scope)
    }
}

fn row_path(expr: &Expr) -> Result<&Path, Fault> {
    match &expr.kind {
        ExprKind::Path(path) => Ok(path),
        ExprKind::Rule { body, .. } | ExprKind::Cast(body) => row_path(body),
        _ => Err(Fault::internal("a row that is not a path")),
    }
}

fn same_key(
    a: Option<&Vec<(Operand, ScalarType)>>,
    b: Option<&Vec<(Operand, ScalarType)>>,
    want: bool,
) -> Pred {
    let (Some(a), Some(b)) = (a, b) else { return Pred::FALSE };
    let parts = a.iter().zip(b);
    let mut pred = Pred::Const(want);
    for ((x, ty), (y, _)) in parts {
        let part = compare_operands(CompareOp::Eq, x.clone(), y.clone(), *ty, want);
        pred = if want { pred.and(part) } else { pred.or(part) };
    }
    pred
}
