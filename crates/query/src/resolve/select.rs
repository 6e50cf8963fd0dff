//! Selects: outputs in the order asked for, embeds as selects of their own.

use super::aggregate::{count_field, has_count, is_grouped};
use super::embed::Link;
use super::field::{cast, column, no_column};
use super::{Resolver, Scope};
use crate::named::{self, Embed, Field, Item, JsonKey};
use crate::plan::{Group, Order, Output, OutputValue, Pred, Scalar, Select, SourceId};
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
        let rows = self.rows(scope, select)?;
        let page = (select.limit, select.offset);
        Ok(rows.select(scope, filter, page, select.count))
    }

    /// What is answered with, in which order.
    fn rows(&mut self, scope: Scope<'c, '_>, select: &named::Select) -> Result<Answered, Fault> {
        if is_grouped(scope) {
            return self.grouped(scope, select);
        }
        let outputs = self.outputs(scope, &select.items)?;
        Ok(Answered { outputs, order: self.order(scope, &select.order)?, group: None })
    }

    fn outputs(&mut self, scope: Scope<'c, '_>, items: &[Item]) -> Result<Vec<Output>, Fault> {
        let mut outputs = Vec::with_capacity(scope.table.columns.len().max(items.len()));
        for item in items {
            self.node()?;
            match item {
                // columns differ from each other
                Item::Star if outputs.is_empty() => outputs.extend(starred(scope)),
                Item::Star => starred(scope).for_each(|output| add(&mut outputs, output)),
                Item::Field { field, alias, cast, .. } => {
                    let output = self.field_output(scope, field, alias.as_ref(), cast.as_deref())?;
                    add(&mut outputs, output);
                }
                Item::Count { alias, cast, .. } => {
                    let output = self.field_output(scope, &count_field(), alias.as_ref(), cast.as_deref())?;
                    add(&mut outputs, output);
                }
                Item::Embed(embed) => outputs.extend(self.embed(scope, embed)?),
            }
        }
        Ok(outputs)
    }

    /// The output of a field.
    pub(super) fn field_output(
        &self,
        scope: Scope<'c, '_>,
        field: &Field,
        alias: Option<&String>,
        to: Option<&str>,
    ) -> Result<Output, Fault> {
        let (scalar, ty) = self.cast_field(scope, field, to)?;
        let name = alias.cloned().unwrap_or_else(|| default_name(field));
        Ok(Output { name, starred: false, spilled: false, value: OutputValue::Scalar(scalar, ty) })
    }

    pub(super) fn cast_field(
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
    pub(super) fn embed(&mut self, scope: Scope<'c, '_>, embed: &Embed) -> Result<Option<Output>, Fault> {
        self.hop()?;
        self.deep(scope.depth + 1)?;
        let link = self.link(scope.table, embed)?;
        let single = link.single();
        let target = self.target(scope, &link, embed);
        let named = &embed.select;
        let counted = match named.items.as_slice() {
            [Item::Count { alias, called, cast: None }]
                if !single && !embed.spread && (*called || !has_count(target.table)) =>
            {
                Some(alias.clone().unwrap_or_else(|| "count".to_owned()))
            }
            _ => None,
        };
        let mut select = self.embedded(scope, &link, target, named, counted.is_some())?;
        if embed.spread {
            // which names they have, the row alone knows
            select.outputs.retain(|output| !output.spilled);
        }
        if embed.spread && select.group.is_some() {
            return Err(no_column(target.table, "count"));
        }
        if named.items.is_empty() {
            return Ok(None);
        }
        let select = Box::new(select);
        let value = match (counted, embed.spread, single) {
            (Some(name), _, _) => OutputValue::Count { select, name },
            (None, true, true) => OutputValue::Spread(select),
            (None, true, false) => OutputValue::SpreadMany(select),
            (None, false, true) => OutputValue::One(select),
            (None, false, false) => OutputValue::Many(select),
        };
        let name = embed.alias.clone().unwrap_or_else(|| embed.target.clone());
        Ok(Some(Output { name, starred: false, spilled: false, value }))
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
        let mut rows = if counted { Answered::default() } else { self.rows(target, named)? };
        if !paged {
            rows.order = Vec::new();
        }
        let page = if paged { (named.limit, named.offset) } else { (None, 0) };
        Ok(rows.select(target, filter, page, false))
    }
}

/// What the rows of a select are answered with, and their order.
#[derive(Default)]
pub(super) struct Answered {
    pub(super) outputs: Vec<Output>,
    pub(super) order: Vec<Order>,
    pub(super) group: Option<Group>,
}

impl Answered {
    fn select(
        self,
        scope: Scope<'_, '_>,
        filter: Pred,
        (limit, offset): (Option<u64>, u64),
        count: bool,
    ) -> Select {
        let Self { outputs, order, group } = self;
        let (source, table) = (scope.source, scope.table.id);
        Select { source, table, outputs, filter, order, limit, offset, count, group }
    }
}

/// What `*` stands for.
fn starred<'c>(scope: Scope<'c, '_>) -> impl Iterator<Item = Output> {
    scope.table.columns.iter().map(move |one| Output {
        name: one.name.clone(),
        starred: true,
        spilled: scope.table.extras == Some(one.id),
        value: OutputValue::Scalar(column(scope, one.id), one.ty),
    })
}

/// Adds an output. One that is there already is not written twice; naming it makes it named.
pub(super) fn add(outputs: &mut Vec<Output>, output: Output) {
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
