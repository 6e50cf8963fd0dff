//! Reads that are answered by group. What is grouped by stands in the select list and is named
//! by its place, so that no bound value is written twice. Exact sums come as text and are
//! finished in [`crate::run::fold`]: no database adds, divides and rounds like another.

use super::Lower;
use super::select::{Gathered, Piece, Reading, Source, enter_joined, finish};
use backstay_base::fault::Fault;
use backstay_query::plan::{ColumnRef, Folded, Group, GroupOrder, OutputValue, Scalar, Select};
use backstay_schema::expr::AggregateFunction;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// A grouped read that stands alone, or once per row of another.
pub(super) fn group_level<'s>(
    mut lower: Lower<'_>,
    select: &'s Select,
    group: &'s Group,
    from: Source<'_>,
) -> Result<(Reading<'s>, Vec<ColumnRef>), Fault> {
    if !matches!(from, Source::Table) {
        return Err(Fault::internal("what a write answers with is grouped"));
    }
    let (gathered, keys) = lower.groups(select, group, from, 0)?;
    lower.group_order("", &keys, " ORDER BY ");
    lower.page(select)?;
    let (mut reading, outside) = finish(lower, gathered, (Vec::new(), Vec::new()), false);
    reading.nothing = nothing(select);
    Ok((reading, outside))
}

/// The groups of all parent rows at once; see [`super::select::per_level`].
pub(super) fn group_per_level<'s>(
    mut lower: Lower<'_>,
    (select, group): (&'s Select, &'s Group),
    parents: Source<'_>,
) -> Result<Reading<'s>, Fault> {
    lower.writer.push("SELECT q.").name("#n");
    let list = lower.writer.detach();
    let (gathered, keys) = lower.groups(select, group, parents, 1)?;
    let groups = lower.writer.detach();
    lower.writer.attach(list);
    for index in 0..gathered.cells.len() as u64 {
        lower.writer.push(", q.c").number(index);
    }
    lower.writer.push(" FROM (SELECT g.*, row_number() OVER (PARTITION BY g.").name("#n");
    lower.group_order("g.", &keys, " ORDER BY ");
    lower.writer.push(") AS ").name("#o").push(" FROM (").attach(groups).push(") AS g) AS q");
    lower.page_of_parent(select);
    lower.writer.push(" ORDER BY q.").name("#n").push(", q.").name("#o");
    let (mut reading, _) = finish(lower, gathered, (Vec::new(), Vec::new()), true);
    reading.nothing = nothing(select);
    Ok(reading)
}

/// Whether a select has one row, whatever there is.
pub(crate) fn is_one_row(select: &Select) -> bool {
    select.group.is_some()
        && select.outputs.iter().all(|output| matches!(output.value, OutputValue::Aggregate(_)))
}

/// The one row over nothing, where there is nothing to group by and the page has it.
pub(crate) fn nothing(select: &Select) -> Option<Vec<Value>> {
    select.group.as_ref()?;
    if select.offset > 0 || select.limit == Some(0) {
        return None;
    }
    let of_none = |folded: &Folded| match (folded.function, folded.then) {
        (AggregateFunction::Count, None) => Some(Value::Int(0)),
        (AggregateFunction::Count, Some(to)) => to.convert(&Default::default(), &Value::Int(0)).ok(),
        (_, _) => Some(Value::Null),
    };
    let values = select.outputs.iter().map(|output| match &output.value {
        OutputValue::Aggregate(folded) => of_none(folded),
        OutputValue::Scalar(..)
        | OutputValue::One(_)
        | OutputValue::Many(_)
        | OutputValue::SpreadMany(_)
        | OutputValue::Count { .. }
        | OutputValue::Spread(_) => None,
    });
    values.collect()
}

/// A cell that is sorted by.
#[derive(Debug, Clone, Copy)]
struct Key {
    cell: usize,
    descending: bool,
    nulls_first: bool,
}

impl Lower<'_> {
    /// `SELECT … FROM … GROUP BY …` and what its order is; `before` columns stand before the cells.
    fn groups<'s>(
        &mut self,
        select: &'s Select,
        group: &'s Group,
        from: Source<'_>,
        before: usize,
    ) -> Result<(Gathered<'s>, Vec<Key>), Fault> {
        let mut gathered = Gathered { named: true, folds: Some(Vec::new()), ..Gathered::default() };
        self.enter(select.source);
        group.joined.iter().for_each(|joined| self.enter(joined.source));
        enter_joined(self, &select.outputs);
        self.writer.push("SELECT ");
        if let Source::Parents(source, _) = &from {
            self.writer.alias(*source).push(".").name("#n").push(", ");
        }
        let mut starts = Vec::with_capacity(select.outputs.len());
        for output in &select.outputs {
            starts.push(gathered.cells.len());
            self.outputs(std::slice::from_ref(output), &mut gathered)?;
        }
        self.from(select, &gathered, from)?;
        let folds = gathered.folds.as_deref().unwrap_or_default();
        let keys: Vec<usize> = (0..gathered.cells.len()).filter(|cell| !folds.contains(cell)).collect();
        let places = (0..before).chain(keys.iter().map(|cell| cell + before));
        for (index, place) in places.enumerate() {
            self.writer.push(if index == 0 { " GROUP BY " } else { ", " }).number(place as u64 + 1);
        }
        let order = in_order(&group.order, &starts, &keys);
        Ok((gathered, order))
    }

    /// The number of groups.
    pub(super) fn count_groups(&mut self, select: &Select, group: &Group) -> Result<(), Fault> {
        self.groups(select, group, Source::Table, 0)?;
        let groups = self.writer.detach();
        self.writer.push("SELECT count(*) FROM (").attach(groups).push(") AS q");
        Ok(())
    }

    /// ` ORDER BY c1 DESC NULLS LAST, c0`: cells are named, for the database may name nothing else here.
    fn group_order(&mut self, of: &'static str, keys: &[Key], keyword: &'static str) {
        for (index, key) in keys.iter().enumerate() {
            self.writer.push(if index == 0 { keyword } else { ", " });
            let cell = key.cell as u64;
            if !self.dialect.nulls_sayable {
                self.writer.push("(").push(of).push("c").number(cell);
                self.writer.push(if key.nulls_first { " IS NOT NULL), " } else { " IS NULL), " });
            }
            self.writer.push(of).push("c").number(cell);
            self.writer.push(if key.descending { " DESC" } else { "" });
            if self.dialect.nulls_sayable {
                self.writer.push(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
    }

    /// A value that is grouped by. Casts that tell all values apart are done when the groups are
    /// there, on every database; the others make the groups.
    pub(super) fn group_value(
        &mut self,
        scalar: &Scalar,
        ty: ScalarType,
        gathered: &mut Gathered<'_>,
    ) -> Result<(), Fault> {
        self.separate(gathered.cells.len());
        if let Scalar::Cast(of, to) = scalar {
            let from = self.type_of(of)?;
            if tells_apart(from, *to) {
                return self.plain_value(of, from, Some(*to), gathered);
            }
            self.scalar_as(of, *to)?;
            self.cell(*to, gathered);
            gathered.layout.push(Piece::Cell);
            return self.refuse(of, *to, gathered);
        }
        self.plain_value(scalar, ty, None, gathered)
    }

    /// Documents are grouped by their text.
    fn plain_value(
        &mut self,
        scalar: &Scalar,
        ty: ScalarType,
        then: Option<ScalarType>,
        gathered: &mut Gathered<'_>,
    ) -> Result<(), Fault> {
        if ty == ScalarType::Json {
            self.scalar_as(scalar, ScalarType::String)?;
            self.cell(ScalarType::String, gathered);
            gathered.layout.push(Piece::Cast(then.unwrap_or(ScalarType::Json)));
            return Ok(());
        }
        self.compared(scalar, ty)?;
        self.cell(ty, gathered);
        gathered.layout.push(then.map_or(Piece::Cell, Piece::Cast));
        Ok(())
    }

    /// A scalar in its type, text by its bytes.
    fn compared(&mut self, scalar: &Scalar, ty: ScalarType) -> Result<(), Fault> {
        self.scalar_as(scalar, ty)?;
        if !matches!(scalar, Scalar::Column(_)) {
            self.collate(ty);
        }
        Ok(())
    }

    /// An aggregate: one cell, two for a mean.
    pub(super) fn fold(&mut self, folded: &Folded, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
        let Folded { function, of, then, .. } = *folded;
        let Some(value) = &folded.value else {
            self.separate(gathered.cells.len());
            self.writer.push("count(*)");
            self.folded_cell(ScalarType::BigInt, gathered);
            gathered.layout.push(then.map_or(Piece::Cell, Piece::Cast));
            return Ok(());
        };
        match function {
            AggregateFunction::Count => {
                self.fold_cell(
                    (self.dialect.aggregate)(function, of),
                    value,
                    of,
                    ScalarType::BigInt,
                    gathered,
                )?;
                gathered.layout.push(then.map_or(Piece::Cell, Piece::Cast));
            }
            AggregateFunction::Min | AggregateFunction::Max => {
                self.fold_cell((self.dialect.aggregate)(function, of), value, of, of, gathered)?;
                gathered.layout.push(then.map_or(Piece::Cell, Piece::Cast));
            }
            AggregateFunction::Sum | AggregateFunction::Avg => {
                self.fold_cell((self.dialect.exact_sum)(of), value, of, ScalarType::String, gathered)?;
                if function == AggregateFunction::Avg {
                    let count = (self.dialect.aggregate)(AggregateFunction::Count, of);
                    self.fold_cell(count, value, of, ScalarType::BigInt, gathered)?;
                }
                gathered.layout.push(Piece::Fold(function, of, then));
            }
        }
        match value {
            Scalar::Cast(inner, to) => self.refuse(inner, *to, gathered),
            _ => Ok(()),
        }
    }

    fn fold_cell(
        &mut self,
        template: &'static str,
        value: &Scalar,
        of: ScalarType,
        cell: ScalarType,
        gathered: &mut Gathered<'_>,
    ) -> Result<(), Fault> {
        let (_, scale) = crate::dialect::digits_and_scale(of);
        self.separate(gathered.cells.len());
        self.template(template, &mut |lower, marker| {
            if marker == 's' {
                lower.writer.number(u64::from(scale));
                return Ok(());
            }
            lower.compared(value, of)
        })?;
        self.folded_cell(cell, gathered);
        Ok(())
    }

    fn folded_cell(&mut self, ty: ScalarType, gathered: &mut Gathered<'_>) {
        let cell = gathered.cells.len();
        gathered.folds.get_or_insert_default().push(cell);
        self.cell(ty, gathered);
    }

    /// Where a conversion that cannot be is NULL: the least value that is lost by it.
    fn refuse(&mut self, of: &Scalar, to: ScalarType, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
        let from = self.type_of(of)?;
        if tells_apart(from, to) {
            return Ok(());
        }
        gathered.casts = true;
        if !self.dialect.casts_are_null {
            return Ok(());
        }
        self.separate(gathered.cells.len());
        self.writer.push("MIN(CASE WHEN ");
        self.scalar(of)?;
        self.writer.push(" IS NOT NULL AND ");
        self.scalar_as(of, to)?;
        self.writer.push(" IS NULL THEN ");
        self.scalar(of)?;
        self.writer.push(" END)");
        self.folded_cell(from, gathered);
        gathered.layout.push(Piece::Refuse);
        Ok(())
    }
}

/// Whether different values stay different.
const fn tells_apart(from: ScalarType, to: ScalarType) -> bool {
    use ScalarType::{BigInt, Boolean, Date, Decimal, Float, Int, String, Timestamp};
    matches!(
        (from, to),
        (_, String) | (Date, Timestamp) | (Boolean, _) | (Int, BigInt | Float | Decimal { .. })
    )
}

/// The keys asked for, then all others.
fn in_order(asked: &[GroupOrder], starts: &[usize], keys: &[usize]) -> Vec<Key> {
    let mut order: Vec<Key> = Vec::with_capacity(keys.len());
    for key in asked {
        let cell = starts.get(key.output).copied().unwrap_or_default();
        order.push(Key { cell, descending: key.descending, nulls_first: key.nulls_first });
    }
    for cell in keys {
        if order.iter().all(|key| key.cell != *cell) {
            order.push(Key { cell: *cell, descending: false, nulls_first: false });
        }
    }
    order
}
