//! Aggregates: a select with one is answered by group. What stands beside aggregates is what
//! is grouped by; a spread to-one relation is joined, so that its columns group and aggregate
//! like those of the row itself. As in PostgREST, a group is sorted by what it is grouped by.

use super::field::{cast, no_column};
use super::filter::find_embed;
use super::select::{Answered, add};
use super::{Resolver, Scope};
use crate::named::{self, Aggregate, Embed, Field, Item};
use crate::plan::{Folded, Group, GroupOrder, Output, OutputValue, Scalar, Select};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::{Member, Table};
use backstay_schema::expr::AggregateFunction;
use backstay_schema::scalar::{DECIMAL, ScalarType};

/// Whether a select of these items is answered by group. A bare `count` alone is an aggregate in an embed.
pub(super) fn is_grouped(scope: Scope<'_, '_>) -> bool {
    let alone = matches!(scope.items, [Item::Count { called: false, .. }]);
    folds(scope.items) || (alone && scope.depth > 0 && !has_count(scope.table))
}

/// Whether aggregates stand there, or come with a spread.
fn folds(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Field { aggregate, .. } => aggregate.is_some(),
        Item::Count { called, .. } => *called,
        Item::Embed(embed) => embed.spread && folds(&embed.select.items),
        Item::Star => false,
    })
}

/// Whether `count` is a field of the table.
pub(super) fn has_count(table: &Table) -> bool {
    matches!(table.members.get("count"), Some(Member::Column(_) | Member::Computed(_)))
}

/// The field that a bare `count` names.
pub(super) fn count_field() -> Field {
    Field { name: "count".to_owned(), path: Vec::new() }
}

/// Outputs of a grouped select in the making.
#[derive(Default)]
struct Gathered<'c, 'q> {
    outputs: Vec<Output>,
    joined: Vec<Select>,
    /// Spreads, and the rows that they lead to.
    spread: Vec<(&'q Embed, Scope<'c, 'q>)>,
}

impl<'c> Resolver<'c> {
    /// The outputs and the order of a select that is answered by group.
    pub(super) fn grouped(
        &mut self,
        scope: Scope<'c, '_>,
        select: &named::Select,
    ) -> Result<Answered, Fault> {
        let mut gathered = Gathered::default();
        self.gather(scope, &select.items, &mut gathered)?;
        let order = select.order.iter().map(|key| self.group_order(scope, key, &gathered));
        let order = order.collect::<Result<_, Fault>>()?;
        let group = Some(Group { joined: gathered.joined, order });
        Ok(Answered { outputs: gathered.outputs, order: Vec::new(), group })
    }

    fn gather<'q>(
        &mut self,
        scope: Scope<'c, '_>,
        items: &'q [Item],
        gathered: &mut Gathered<'c, 'q>,
    ) -> Result<(), Fault> {
        for item in items {
            self.node()?;
            match item {
                Item::Star => return Err(star_among_aggregates()),
                Item::Field { field, alias, cast, aggregate: None } => {
                    let output = self.group_value(scope, field, alias.as_ref(), cast.as_deref())?;
                    add(&mut gathered.outputs, output);
                }
                Item::Field { field, alias, cast, aggregate: Some(aggregate) } => {
                    let (value, of) = self.cast_field(scope, field, cast.as_deref())?;
                    gathered.outputs.push(folded((value, of), alias.as_ref(), aggregate)?);
                }
                Item::Count { alias, called, cast } if *called || !has_count(scope.table) => {
                    if !called && (items.len() > 1 || scope.depth == 0) {
                        return Err(no_column(scope.table, "count"));
                    }
                    gathered.outputs.push(counted(alias.as_ref(), cast.as_deref())?);
                }
                Item::Count { alias, cast, .. } => {
                    let output = self.field_output(scope, &count_field(), alias.as_ref(), cast.as_deref())?;
                    add(&mut gathered.outputs, output);
                }
                Item::Embed(embed) if embed.spread => self.joined(scope, embed, gathered)?,
                Item::Embed(embed) => {
                    let Some(output) = self.embed(scope, embed)? else { continue };
                    if !is_plain(&output.value) {
                        return Err(embed_among_aggregates(embed));
                    }
                    gathered.outputs.push(output);
                }
            }
        }
        Ok(())
    }

    /// A value to group by.
    fn group_value(
        &self,
        scope: Scope<'c, '_>,
        field: &Field,
        alias: Option<&String>,
        cast: Option<&str>,
    ) -> Result<Output, Fault> {
        let output = self.field_output(scope, field, alias, cast)?;
        if is_plain(&output.value) {
            return Ok(output);
        }
        Err(Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented")
            .with_details(format!("\"{}\" is a list, and lists are not grouped by", field.name)))
    }

    /// `...rel(…)`: its columns are read like those of the row.
    fn joined<'q>(
        &mut self,
        scope: Scope<'c, '_>,
        embed: &'q Embed,
        gathered: &mut Gathered<'c, 'q>,
    ) -> Result<(), Fault> {
        self.deep(scope.depth + 1)?;
        let link = self.link(scope.table, embed)?;
        if !link.single() {
            return Err(spread_of_many(embed));
        }
        let target = self.target(scope, &link, embed);
        let filter = self.join(scope, &link, target).and(self.conditions(target, &embed.select)?);
        gathered.joined.push(Select {
            source: target.source,
            table: target.table.id,
            outputs: Vec::new(),
            filter,
            order: Vec::new(),
            limit: None,
            offset: 0,
            count: false,
            group: None,
        });
        gathered.spread.push((embed, target));
        self.gather(target, &embed.select.items, gathered)
    }

    /// A sort key: one of the values that are grouped by.
    fn group_order(
        &mut self,
        scope: Scope<'c, '_>,
        key: &named::Order,
        gathered: &Gathered<'c, '_>,
    ) -> Result<GroupOrder, Fault> {
        self.node()?;
        let scope = match &key.relation {
            None => scope,
            Some(relation) => {
                let embed = find_embed(scope.items, relation);
                let found = gathered
                    .spread
                    .iter()
                    .find(|(spread, _)| embed.is_some_and(|e| std::ptr::eq(e, *spread)));
                found.map(|(_, target)| *target).ok_or_else(|| not_grouped(scope.table, relation))?
            }
        };
        let by = self.field(scope, &key.field)?.0;
        let is_it =
            |output: &Output| matches!(&output.value, OutputValue::Scalar(scalar, _) if *scalar == by);
        let output = gathered.outputs.iter().position(is_it);
        let output = output.ok_or_else(|| not_grouped(scope.table, &key.field.name))?;
        let nulls_first = key.nulls_first.unwrap_or(key.descending);
        Ok(GroupOrder { output, descending: key.descending, nulls_first })
    }
}

fn counted(alias: Option<&String>, to: Option<&str>) -> Result<Output, Fault> {
    let then = to.map(|to| cast(Scalar::Null(ScalarType::BigInt), ScalarType::BigInt, to)).transpose()?;
    let then = then.map(|(_, ty)| ty);
    let folded = Folded { function: AggregateFunction::Count, value: None, of: ScalarType::BigInt, then };
    let name = alias.cloned().unwrap_or_else(|| "count".to_owned());
    Ok(Output { name, starred: false, spilled: false, value: OutputValue::Aggregate(folded) })
}

fn folded(
    (value, of): (Scalar, ScalarType),
    alias: Option<&String>,
    aggregate: &Aggregate,
) -> Result<Output, Fault> {
    let function = aggregate.function;
    if !applies(function, of) {
        let message = format!("function {}({}) does not exist", name(function), of.sql_name());
        return Err(Fault::new(code::UNDEFINED_OPERATOR, message).with_hint(
            "No function matches the given name and argument types. You might need to add explicit type casts.",
        ));
    }
    let mut folded = Folded { function, value: Some(value), of, then: None };
    let result = folded.ty();
    if let Some(to) = aggregate.cast.as_deref() {
        let to = cast(Scalar::Null(result), result, to)?.1;
        // a decimal that is cast to a decimal has the digits that a cast gives
        folded.then = Some(if matches!(to, ScalarType::Decimal { .. }) { DECIMAL } else { to });
    }
    let name = alias.cloned().unwrap_or_else(|| name(function).to_owned());
    Ok(Output { name, starred: false, spilled: false, value: OutputValue::Aggregate(folded) })
}

/// As PostgreSQL has them: ids, booleans and documents have no least.
const fn applies(function: AggregateFunction, of: ScalarType) -> bool {
    match function {
        AggregateFunction::Count => true,
        AggregateFunction::Sum | AggregateFunction::Avg => of.is_number(),
        AggregateFunction::Min | AggregateFunction::Max => {
            of.is_ordered() || matches!(of, ScalarType::Enum(_))
        }
    }
}

const fn name(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "count",
        AggregateFunction::Sum => "sum",
        AggregateFunction::Min => "min",
        AggregateFunction::Max => "max",
        AggregateFunction::Avg => "avg",
    }
}

/// Whether an embed is values of one row alone, which can be grouped by.
fn is_plain(value: &OutputValue) -> bool {
    match value {
        OutputValue::Scalar(_, ty) => !matches!(ty, ScalarType::List(_)),
        OutputValue::One(select) | OutputValue::Spread(select) => {
            select.group.is_none() && select.outputs.iter().all(|output| is_plain(&output.value))
        }
        OutputValue::Many(_)
        | OutputValue::SpreadMany(_)
        | OutputValue::Count { .. }
        | OutputValue::Aggregate(_) => false,
    }
}

fn not_grouped(table: &Table, field: &str) -> Fault {
    let name = &table.name;
    let message = format!(
        "column \"{name}.{field}\" must appear in the GROUP BY clause or be used in an aggregate function"
    );
    Fault::new(code::GROUPING, message).with_hint(format!("add \"{field}\" to select"))
}

fn star_among_aggregates() -> Fault {
    Fault::new(code::GROUPING, "\"*\" cannot stand beside an aggregate")
        .with_hint("name the columns to group by")
}

fn spread_of_many(embed: &Embed) -> Fault {
    Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented").with_details(format!(
        "Aggregates are not implemented for one-to-many or many-to-many spreads: '{}'",
        embed.target
    ))
}

fn embed_among_aggregates(embed: &Embed) -> Fault {
    Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented")
        .with_details(format!(
            "'{}' stands beside an aggregate and is no single row to group by",
            embed.target
        ))
        .with_hint("ask for the rows and for the aggregate in two requests")
}
