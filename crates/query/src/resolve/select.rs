//! Selects: outputs in the order asked for, embeds as selects of their own.

use super::embed::Link;
use super::field::{cast, column};
use super::{Resolver, Scope};
use crate::named::{self, Embed, Field, Item, JsonKey};
use crate::plan::{Output, OutputValue, Pred, Scalar, Select, SourceId};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::Table;
use backstay_schema::scalar::ScalarType;

impl<'c> Resolver<'c> {
    /// The select of a request.
    pub(super) fn top_select(&mut self, select: &named::Select) -> Result<Select, Fault> {
        let table = self.table(&select.table)?;
        let source = self.sources.next_id();
        self.select_of(select, table, source)
    }

    /// A select over a source that is there already (what a write answers with).
    pub(super) fn select_of(
        &mut self,
        select: &named::Select,
        table: &'c Table,
        source: SourceId,
    ) -> Result<Select, Fault> {
        let scope = Scope { table, source, items: &select.items, depth: 0 };
        let filter = self.conditions(scope, select)?;
        let outputs = self.outputs(scope, &select.items)?;
        Ok(Select {
            source,
            table: table.id,
            outputs,
            filter,
            order: self.order(scope, &select.order)?,
            limit: select.limit,
            offset: select.offset,
            count: select.count,
        })
    }

    fn outputs(&mut self, scope: Scope<'c, '_>, items: &[Item]) -> Result<Vec<Output>, Fault> {
        let mut outputs = Vec::new();
        for item in items {
            self.node()?;
            match item {
                Item::Star => {
                    let all = scope.table.columns.iter().map(|one| Output {
                        name: one.name.clone(),
                        starred: true,
                        value: OutputValue::Scalar(column(scope, one.id), one.ty),
                    });
                    all.for_each(|output| add(&mut outputs, output));
                }
                Item::Field { field, alias, cast, aggregate } => {
                    if aggregate.is_some() {
                        return Err(aggregates_off());
                    }
                    let (scalar, ty) = self.output(scope, field, cast.as_deref())?;
                    let name = alias.clone().unwrap_or_else(|| default_name(field));
                    add(
                        &mut outputs,
                        Output { name, starred: false, value: OutputValue::Scalar(scalar, ty) },
                    );
                }
                Item::Count { alias } => {
                    let field = Field { name: "count".to_owned(), path: Vec::new() };
                    if !scope.table.members.contains_key("count") {
                        return Err(aggregates_off());
                    }
                    let (scalar, ty) = self.field(scope, &field)?;
                    let name = alias.clone().unwrap_or(field.name);
                    add(
                        &mut outputs,
                        Output { name, starred: false, value: OutputValue::Scalar(scalar, ty) },
                    );
                }
                Item::Embed(embed) => outputs.extend(self.embed(scope, embed)?),
            }
        }
        Ok(outputs)
    }

    fn output(
        &self,
        scope: Scope<'c, '_>,
        field: &Field,
        to: Option<&str>,
    ) -> Result<(Scalar, ScalarType), Fault> {
        let (scalar, ty) = self.field(scope, field)?;
        match to {
            Some(name) => cast(scalar, ty, name),
            None => Ok((scalar, ty)),
        }
    }

    /// The output of an embed; none for `rel()`, which only filters.
    fn embed(&mut self, scope: Scope<'c, '_>, embed: &Embed) -> Result<Option<Output>, Fault> {
        self.deep(scope.depth + 1)?;
        let link = self.link(scope.table, embed)?;
        let single = link.single();
        if embed.spread && !single {
            return Err(spread_many(scope, embed));
        }
        let target = self.target(scope, &link, embed);
        let named = &embed.select;
        let counted = match named.items.as_slice() {
            [Item::Count { alias }] if !target.table.members.contains_key("count") => {
                Some(alias.clone().unwrap_or_else(|| "count".to_owned()))
            }
            _ => None,
        };
        if counted.is_some() && embed.spread {
            return Err(aggregates_off());
        }
        if counted.is_some() && single {
            return Err(count_of_one(embed));
        }
        let select = self.embedded(scope, &link, target, named, counted.is_some())?;
        if named.items.is_empty() {
            return Ok(None);
        }
        let select = Box::new(select);
        let value = match (counted, embed.spread, single) {
            (Some(name), _, _) => OutputValue::Count { select, name },
            (None, true, _) => OutputValue::Spread(select),
            (None, false, true) => OutputValue::One(select),
            (None, false, false) => OutputValue::Many(select),
        };
        let name = embed.alias.clone().unwrap_or_else(|| embed.target.clone());
        Ok(Some(Output { name, starred: false, value }))
    }

    /// The rows of an embed. At most one row needs neither order nor page.
    fn embedded(
        &mut self,
        scope: Scope<'c, '_>,
        link: &Link<'c>,
        target: Scope<'c, '_>,
        named: &named::Select,
        counted: bool,
    ) -> Result<Select, Fault> {
        let filter: Pred = self.join(scope, link, target).and(self.conditions(target, named)?);
        let paged = !link.single() && !counted;
        let outputs = if counted { Vec::new() } else { self.outputs(target, &named.items)? };
        let order = self.order(target, &named.order)?;
        Ok(Select {
            source: target.source,
            table: target.table.id,
            outputs,
            filter,
            order: if paged { order } else { Vec::new() },
            limit: named.limit.filter(|_| paged),
            offset: if paged { named.offset } else { 0 },
            count: false,
        })
    }
}

/// Adds an output. One that is there already is not written twice; naming it makes it named.
fn add(outputs: &mut Vec<Output>, output: Output) {
    let same = outputs.iter_mut().find(|one| one.name == output.name && one.value == output.value);
    match same {
        Some(one) => one.starred &= output.starred,
        None => outputs.push(output),
    }
}

/// The last member of a JSON path, else the field.
fn default_name(field: &Field) -> String {
    let member = field.path.iter().rev().find_map(|step| match &step.key {
        JsonKey::Member(name) => Some(name),
        JsonKey::Index(_) => None,
    });
    member.unwrap_or(&field.name).clone()
}

fn aggregates_off() -> Fault {
    Fault::new(code::AGGREGATES_OFF, "Use of aggregate functions is not allowed")
}

/// The rows of a to-one embed are counted by whether it is null.
fn count_of_one(embed: &Embed) -> Fault {
    Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented")
        .with_details(format!("'{}' leads to at most one row, which is not counted", embed.target))
        .with_hint(format!("select a column of it, or filter with \"{}=not.is.null\"", embed.target))
}

fn spread_many(scope: Scope<'_, '_>, embed: &Embed) -> Fault {
    Fault::new(code::NOT_IMPLEMENTED, format!("A spread operation on '{}' is not possible", embed.target))
        .with_details(format!(
            "'{}' and '{}' do not form a many-to-one or one-to-one relationship",
            scope.table.name, embed.target
        ))
}
