//! Sort keys, with the primary key after them so that every order is total. It runs in the
//! direction of the last of them: an index on that column, read backwards or not, has the rows
//! of one value in the order of the key.

use super::embed::Link;
use super::field::{column, no_operator};
use super::filter::find_embed;
use super::{Resolver, Scope};
use crate::named;
use crate::plan::{Lookup, Order, Scalar};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::scalar::ScalarType;

impl<'c> Resolver<'c> {
    /// The sort keys of a select.
    pub(super) fn order(&mut self, scope: Scope<'c, '_>, keys: &[named::Order]) -> Result<Vec<Order>, Fault> {
        let mut order: Vec<Order> = Vec::with_capacity(keys.len() + scope.table.key.len());
        for key in keys {
            self.node()?;
            let by = match &key.relation {
                Some(relation) => self.related(scope, relation, &key.field)?,
                None => ordered(self.compared(scope, &key.field)?)?,
            };
            let nulls_first = key.nulls_first.unwrap_or(key.descending);
            order.push(Order { by, descending: key.descending, nulls_first });
        }
        let descending = order.last().is_some_and(|last| last.descending);
        for id in &scope.table.key {
            let by = column(scope, *id);
            if order.iter().all(|order| order.by != by) {
                order.push(Order { by, descending, nulls_first: descending });
            }
        }
        Ok(order)
    }

    /// `order=rel(col)`: the column of the row that a to-one embed leads to.
    fn related(
        &mut self,
        scope: Scope<'c, '_>,
        relation: &str,
        field: &named::Field,
    ) -> Result<Scalar, Fault> {
        let Some(embed) = find_embed(scope.items, relation) else {
            return Err(Fault::new(
                code::NOT_EMBEDDED,
                format!("'{relation}' is not an embedded resource in this request"),
            )
            .with_hint(format!("Verify that '{relation}' is included in the 'select' query parameter.")));
        };
        let link = self.link(scope.table, embed)?;
        if !link.single() {
            return Err(not_to_one(scope, relation));
        }
        let target = self.target(scope, &link, embed);
        let join = self.join(scope, &link, target);
        let filter = join.and(self.conditions(target, &embed.select)?);
        let value = ordered(self.compared(target, field)?)?;
        Ok(Scalar::Lookup(Box::new(Lookup { source: target.source, table: target.table.id, filter, value })))
    }

    /// The scope of the rows that an embed leads to: a new source.
    pub(super) fn target<'q>(
        &mut self,
        scope: Scope<'c, '_>,
        link: &Link<'c>,
        embed: &'q named::Embed,
    ) -> Scope<'c, 'q> {
        Scope {
            table: link.target,
            source: self.sources.next_id(),
            items: &embed.select.items,
            depth: scope.depth + 1,
        }
    }
}

/// What engines would order differently has no order.
fn ordered((by, ty): (Scalar, ScalarType)) -> Result<Scalar, Fault> {
    if matches!(ty, ScalarType::List(_)) {
        return Err(no_operator(ty, "<"));
    }
    Ok(by)
}

fn not_to_one(scope: Scope<'_, '_>, relation: &str) -> Fault {
    Fault::new(code::RELATED_ORDER, format!("A related order on '{relation}' is not possible")).with_details(
        format!(
            "'{}' and '{relation}' do not form a many-to-one or one-to-one relationship",
            scope.table.name
        ),
    )
}
