//! Plans in a short notation: `0.title` is column `title` of source 0.

use crate::plan::{
    Assign, ColumnRef, Conflict, Insert, Output, OutputValue, Pred, PredOp, Query, Scalar, Script, Select,
    Update,
};
use backstay_schema::catalog::{Catalog, ColumnId, TableId};

pub(super) fn script(script: &Script, catalog: &Catalog) -> String {
    let steps: Vec<String> = script.steps.iter().map(|step| Show(catalog).query(&step.query)).collect();
    steps.join(" ; ")
}

struct Show<'c>(&'c Catalog);

impl Show<'_> {
    fn query(&self, query: &Query) -> String {
        match query {
            Query::Select(select) => self.select(select),
            Query::Insert(insert) => self.insert(insert),
            Query::Update(update) => self.update(update),
            Query::Delete(delete) => format!(
                "delete {} as {} where {} filtered {} rule {}{}",
                self.table(delete.table),
                delete.row.0,
                self.pred(&delete.filter),
                delete.filtered,
                self.pred(&delete.rule),
                self.returning(delete.returning.as_ref())
            ),
        }
    }

    fn insert(&self, insert: &Insert) -> String {
        let names: Vec<&str> = insert.columns.iter().map(|id| self.column(insert.table, *id)).collect();
        format!(
            "insert {} as {} {names:?} {:?} absent {:?}{}{}",
            self.table(insert.table),
            insert.row.0,
            insert.rows,
            insert.absent,
            insert.conflict.as_ref().map(|one| self.conflict(insert.table, one)).unwrap_or_default(),
            self.returning(insert.returning.as_ref())
        )
    }

    fn conflict(&self, table: TableId, conflict: &Conflict) -> String {
        let names: Vec<&str> = conflict.target.iter().map(|id| self.column(table, *id)).collect();
        match &conflict.merge {
            Some(update) => format!(" on {names:?} {}", self.update(update)),
            None => format!(" on {names:?} ignore"),
        }
    }

    fn update(&self, update: &Update) -> String {
        let assign: Vec<String> = update
            .assign
            .iter()
            .map(|(id, value)| match value {
                Assign::Value(value) => format!("{} = {value:?}", self.column(update.table, *id)),
                Assign::Given(index) => format!("{} = given {index}", self.column(update.table, *id)),
                Assign::Scalar(_) => "?".to_owned(),
            })
            .collect();
        format!(
            "update {} as {} old {} set {} where {} filtered {}{}",
            self.table(update.table),
            update.row.0,
            update.old.0,
            assign.join(", "),
            self.pred(&update.filter),
            update.filtered,
            self.returning(update.returning.as_ref())
        )
    }

    fn returning(&self, select: Option<&Select>) -> String {
        select.map(|select| format!("\n  returning {}", self.select(select))).unwrap_or_default()
    }

    fn select(&self, select: &Select) -> String {
        let outputs: Vec<String> = select.outputs.iter().map(|output| self.output(output)).collect();
        let order: Vec<String> = select
            .order
            .iter()
            .map(|key| {
                let direction = if key.descending { "desc" } else { "asc" };
                let nulls = if key.nulls_first { "first" } else { "last" };
                format!("{} {direction} {nulls}", self.scalar(&key.by))
            })
            .collect();
        format!(
            "select {} as {} [{}] where {} order [{}]",
            self.table(select.table),
            select.source.0,
            outputs.join(", "),
            self.pred(&select.filter),
            order.join(", ")
        )
    }

    fn output(&self, output: &Output) -> String {
        let star = if output.starred { "*" } else { "" };
        let value = match &output.value {
            OutputValue::Scalar(scalar, ty) => format!("{} {ty:?}", self.scalar(scalar)),
            OutputValue::One(select) => format!("one({})", self.select(select)),
            OutputValue::Many(select) => format!("many({})", self.select(select)),
            OutputValue::Spread(select) => format!("spread({})", self.select(select)),
            OutputValue::SpreadMany(select) => format!("spread many({})", self.select(select)),
            OutputValue::Aggregate(folded) => {
                let of = folded.value.as_ref().map_or_else(|| "*".to_owned(), |value| self.scalar(value));
                format!("{:?}({of}) {:?}", folded.function, folded.ty())
            }
            OutputValue::Count { select, name } => format!("count {name} ({})", self.select(select)),
        };
        format!("{star}{}: {value}", output.name)
    }

    fn pred(&self, pred: &Pred) -> String {
        let all = |preds: &[Pred], word: &str| {
            let each: Vec<String> = preds.iter().map(|pred| self.pred(pred)).collect();
            format!("({})", each.join(word))
        };
        match pred {
            Pred::Const(value) => value.to_string(),
            Pred::And(preds) => all(preds, " and "),
            Pred::Or(preds) => all(preds, " or "),
            Pred::Not(pred) => format!("not {}", self.pred(pred)),
            Pred::Compare(op, a, b) => format!("{} {} {}", self.scalar(a), sign(*op), self.scalar(b)),
            Pred::IsNull(scalar) => format!("{} is null", self.scalar(scalar)),
            Pred::IsNotNull(scalar) => format!("{} is not null", self.scalar(scalar)),
            Pred::In(scalar, values, ty) => format!("{} in {values:?} {ty:?}", self.scalar(scalar)),
            Pred::Like { value, pattern, ignore_case } => {
                format!("{} like {pattern:?} {ignore_case}", self.scalar(value))
            }
            Pred::Exists(one) => {
                format!(
                    "exists({} as {} where {})",
                    self.table(one.table),
                    one.source.0,
                    self.pred(&one.filter)
                )
            }
            Pred::NotExists(one) => {
                format!(
                    "none({} as {} where {})",
                    self.table(one.table),
                    one.source.0,
                    self.pred(&one.filter)
                )
            }
            other => format!("{other:?}"),
        }
    }

    fn scalar(&self, scalar: &Scalar) -> String {
        match scalar {
            Scalar::Column(ColumnRef { source, table, column }) => {
                format!("{}.{}", source.0, self.column(*table, *column))
            }
            Scalar::Computed(one) => format!("{}.computed{}", one.source.0, one.computed.0),
            Scalar::Bind(value, _) => format!("{value:?}"),
            Scalar::Json(inner, path) => format!("{}{path:?}", self.scalar(inner)),
            Scalar::Cast(inner, ty) => format!("cast({} {ty:?})", self.scalar(inner)),
            Scalar::Lookup(one) => format!(
                "lookup({} as {} where {} take {})",
                self.table(one.table),
                one.source.0,
                self.pred(&one.filter),
                self.scalar(&one.value)
            ),
            other => format!("{other:?}"),
        }
    }

    fn table(&self, id: TableId) -> &str {
        &self.0.table(id).name
    }

    fn column(&self, table: TableId, column: ColumnId) -> &str {
        &self.0.table(table).column(column).name
    }
}

const fn sign(op: PredOp) -> &'static str {
    match op {
        PredOp::Eq => "=",
        PredOp::Ne => "<>",
        PredOp::Lt => "<",
        PredOp::Le => "<=",
        PredOp::Gt => ">",
        PredOp::Ge => ">=",
    }
}
