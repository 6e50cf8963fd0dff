//! Paths over to-one relations: joins, ends, and columns of rows.

use super::{Compiled, Compiler, NullMeans, Operand, RowRef, Scope, Sight};
use crate::caller::Caller;
use backstay_base::fault::Fault;
use backstay_query::named::{JsonKey, JsonStep};
use backstay_query::plan::{ColumnRef, Exists, Lookup, Pred, PredOp, Scalar, SourceId};
use backstay_schema::catalog::{ColumnId, RelationKind, TableId};
use backstay_schema::expr::{End, Hop, Path, Root};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// Receives the row at the end of a path.
type AtRow<'u, 'c> = &'u mut dyn FnMut(&mut Compiler<'c>, &RowRef, &Scope) -> Compiled;

impl<'c> Compiler<'c> {
    /// Walks to the row at the end of `path` and makes `then`'s predicate there.
    /// Where a row on the way is missing the predicate does not hold.
    pub(super) fn at_end(&mut self, path: &Path, scope: &Scope, then: AtRow<'_, 'c>) -> Compiled {
        if path.root == Root::AuthUser {
            return self.account_row(&path.hops, scope, then);
        }
        let row = self.root(path.root, scope)?;
        self.through(&row, &path.hops, scope, then)
    }

    fn root(&self, root: Root, scope: &Scope) -> Result<RowRef, Fault> {
        scope.row(root).cloned().ok_or_else(|| {
            Fault::internal(format!("a rule reads {root:?}, which does not exist in this operation"))
        })
    }

    fn account_row(&mut self, hops: &[Hop], scope: &Scope, then: AtRow<'_, 'c>) -> Compiled {
        let (Caller::User(user), Some(table)) = (self.asked.caller, self.catalog.user) else {
            return Ok(Pred::FALSE);
        };
        let source = self.sources.next_id();
        let is_caller = self.key_is(source, table, user.uid);
        let row = RowRef::Source(source, table);
        let inner = self.through(&row, hops, scope, then)?;
        Ok(exists(source, table, is_caller.and(inner)))
    }

    fn key_is(&self, source: SourceId, table: TableId, uid: uuid::Uuid) -> Pred {
        let key = self.catalog.table(table).key.first().copied().unwrap_or(ColumnId(0));
        let column = Scalar::Column(ColumnRef { source, table, column: key });
        Pred::Compare(PredOp::Eq, column, Scalar::Bind(Value::Uuid(uid), ScalarType::Uuid))
    }

    /// Walks `hops` from `row`, each hop an EXISTS.
    pub(super) fn through(
        &mut self,
        row: &RowRef,
        hops: &[Hop],
        scope: &Scope,
        then: AtRow<'_, 'c>,
    ) -> Compiled {
        let Some((hop, rest)) = hops.split_first() else { return then(self, row, scope) };
        let source = self.sources.next_id();
        let join = self.join(row, *hop, source)?;
        if join == Pred::FALSE {
            return Ok(Pred::FALSE);
        }
        let next = RowRef::Source(source, hop.target);
        let inner = self.through(&next, rest, scope, then)?;
        Ok(exists(source, hop.target, join.and(inner)))
    }

    /// The rows of `source` that `hop` relates to `row`. Seen by the caller, they pass their read rule.
    pub(crate) fn join(&mut self, row: &RowRef, hop: Hop, source: SourceId) -> Compiled {
        let catalog = self.catalog;
        let relation = catalog.table(hop.table).relation(hop.relation);
        let target = catalog.table(hop.target);
        let join = match &relation.kind {
            RelationKind::ToOne { columns, .. } => {
                self.equal(row, columns, source, hop.target, &target.key)?
            }
            RelationKind::ToMany { columns, .. } => {
                self.equal(row, &catalog.table(hop.table).key, source, hop.target, columns)?
            }
            RelationKind::ManyToMany { junction, near, far } => {
                let between = self.sources.next_id();
                let link = RowRef::Source(between, *junction);
                let near = near_columns(catalog.table(*junction).relation(*near));
                let far = near_columns(catalog.table(*junction).relation(*far));
                let here = self.equal(row, &catalog.table(hop.table).key, between, *junction, near)?;
                let there = self.equal(&link, far, source, hop.target, &target.key)?;
                let visible = self.seen(*junction, &link)?;
                exists(between, *junction, here.and(there).and(visible))
            }
        };
        let visible = self.seen(hop.target, &RowRef::Source(source, hop.target))?;
        Ok(join.and(visible))
    }

    /// The read rule of a row where the expression sees as the caller does.
    fn seen(&mut self, table: TableId, row: &RowRef) -> Compiled {
        match self.sight {
            // System reads every value, but a deleted row is not there for it either
            Sight::Raw => self.alive(row),
            Sight::Caller => self.may(table, backstay_schema::catalog::Operation::Read, row),
        }
    }

    /// `columns` of `row` equal `others` of `source`, pair by pair.
    fn equal(
        &mut self,
        row: &RowRef,
        columns: &[ColumnId],
        source: SourceId,
        table: TableId,
        others: &[ColumnId],
    ) -> Compiled {
        let mut join = Pred::TRUE;
        for (column, other) in columns.iter().zip(others) {
            let ty = self.catalog.table(table).column(*other).ty;
            let here = match self.column(row, *column)? {
                Operand::Known(Value::Null) | Operand::Absent => return Ok(Pred::FALSE),
                operand => operand.into_scalar(ty),
            };
            let there = Scalar::Column(ColumnRef { source, table, column: *other });
            join = join.and(Pred::Compare(PredOp::Eq, there, here));
        }
        Ok(join)
    }

    /// A column of a row, masked where it is seen by the caller.
    pub(super) fn column(&mut self, row: &RowRef, column: ColumnId) -> Result<Operand, Fault> {
        let (source, table) = match row {
            RowRef::Source(source, table) => (*source, *table),
            RowRef::Prospective(source, table, replaced) => {
                if let Some(scalar) = replaced.look_at(column) {
                    return Ok(match scalar {
                        Scalar::Bind(value, _) => Operand::Known(value.clone()),
                        Scalar::Null(_) => Operand::Known(Value::Null),
                        other => Operand::Sql(other.clone(), NullMeans::Null),
                    });
                }
                (*source, *table)
            }
        };
        let plain = Scalar::Column(ColumnRef { source, table, column });
        let nullable = self.catalog.table(table).column(column).nullable;
        let means = if nullable { NullMeans::Null } else { NullMeans::Never };
        if self.sight == Sight::Raw {
            return Ok(Operand::Sql(plain, means));
        }
        Ok(match self.mask(source, table, column)? {
            Pred::Const(true) => Operand::Sql(plain, means),
            Pred::Const(false) => Operand::Known(Value::Null),
            rule => Operand::Sql(Scalar::Masked(Box::new(rule), Box::new(plain)), NullMeans::Null),
        })
    }

    /// What a path ends in, read from its last row.
    pub(super) fn end_scalar(
        &mut self,
        row: &RowRef,
        end: &End,
        hint: Option<ScalarType>,
    ) -> Result<Operand, Fault> {
        match end {
            End::Column(column) => self.column(row, *column),
            End::Computed(id) => {
                let catalog = self.catalog;
                let computed = catalog.table(row.table()).computed_field(*id);
                let operand = self.operand(&computed.expr, Some(computed.ty), &Scope::one(row.clone()))?;
                Ok(match operand {
                    Operand::Sql(scalar, _) if computed.nullable => Operand::Sql(scalar, NullMeans::Null),
                    other => other,
                })
            }
            End::Json { column, members } => {
                let document = self.column(row, *column)?.into_scalar(ScalarType::Json);
                // times and ids are strings there
                let as_text = matches!(
                    hint,
                    Some(
                        ScalarType::String
                            | ScalarType::Enum(_)
                            | ScalarType::Uuid
                            | ScalarType::Timestamp
                            | ScalarType::Date
                            | ScalarType::Time
                    )
                );
                let last = members.len().saturating_sub(1);
                let steps = members
                    .iter()
                    .enumerate()
                    .map(|(index, member)| JsonStep {
                        key: JsonKey::Member(member.clone()),
                        as_text: as_text && index == last,
                    })
                    .collect();
                let member = Scalar::Json(Box::new(document), steps);
                let scalar = match hint {
                    None | Some(ScalarType::String | ScalarType::Enum(_) | ScalarType::Json) => member,
                    Some(ty) => Scalar::Cast(Box::new(member), ty),
                };
                Ok(Operand::Sql(scalar, NullMeans::Null))
            }
            End::Row => Err(Fault::internal("a row was used as a value")),
        }
    }

    /// A path as a value inside a larger expression: look-ups instead of EXISTS.
    pub(super) fn path_value(
        &mut self,
        path: &Path,
        hint: Option<ScalarType>,
        scope: &Scope,
    ) -> Result<Operand, Fault> {
        if path.root == Root::AuthUser {
            let (Caller::User(user), Some(table)) = (self.asked.caller, self.catalog.user) else {
                return Ok(Operand::Absent);
            };
            let key = &self.catalog.table(table).key;
            let is_key =
                path.end == End::Row || matches!(path.end, End::Column(id) if key.as_slice() == [id]);
            if path.hops.is_empty() && is_key {
                return Ok(Operand::Known(Value::Uuid(user.uid)));
            }
            let source = self.sources.next_id();
            let filter = self.key_is(source, table, user.uid);
            let row = RowRef::Source(source, table);
            let value = self.lookup(&row, &path.hops, &path.end, hint)?;
            return Ok(wrap_lookup(source, table, filter, value, hint));
        }
        let row = self.root(path.root, scope)?;
        self.lookup(&row, &path.hops, &path.end, hint)
    }

    fn lookup(
        &mut self,
        row: &RowRef,
        hops: &[Hop],
        end: &End,
        hint: Option<ScalarType>,
    ) -> Result<Operand, Fault> {
        let Some((hop, rest)) = hops.split_first() else { return self.end_scalar(row, end, hint) };
        let source = self.sources.next_id();
        let filter = self.join(row, *hop, source)?;
        if filter == Pred::FALSE {
            return Ok(Operand::Absent);
        }
        let value = self.lookup(&RowRef::Source(source, hop.target), rest, end, hint)?;
        Ok(wrap_lookup(source, hop.target, filter, value, hint))
    }
}

fn wrap_lookup(
    source: SourceId,
    table: TableId,
    filter: Pred,
    value: Operand,
    hint: Option<ScalarType>,
) -> Operand {
    match value {
        Operand::Sql(scalar, _) => {
            let lookup = Lookup { source, table, filter, value: scalar };
            Operand::Sql(Scalar::Lookup(Box::new(lookup)), NullMeans::Unknown)
        }
        Operand::Known(value) => {
            let ty = hint.unwrap_or(ScalarType::String);
            let value = Operand::Known(value).into_scalar(ty);
            let lookup = Lookup { source, table, filter, value };
            Operand::Sql(Scalar::Lookup(Box::new(lookup)), NullMeans::Unknown)
        }
        Operand::Absent => Operand::Absent,
    }
}

/// The columns of a to-one relation.
pub(super) fn near_columns(relation: &backstay_schema::catalog::Relation) -> &[ColumnId] {
    match &relation.kind {
        RelationKind::ToOne { columns, .. } => columns,
        RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => &[],
    }
}

/// `EXISTS`, folded when the filter is.
pub(crate) fn exists(source: SourceId, table: TableId, filter: Pred) -> Pred {
    if filter == Pred::FALSE {
        return Pred::FALSE;
    }
    Pred::Exists(Box::new(Exists { source, table, filter }))
}

/// A value as a bind of a column's type.
pub(crate) fn bind(value: Value, ty: ScalarType) -> Scalar {
    if value.is_null() { Scalar::Null(ty) } else { Scalar::Bind(value, ty) }
}
