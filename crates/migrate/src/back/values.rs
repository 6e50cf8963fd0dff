//! Whether there are values that the way back would lose: rows of tables, and values of columns, that
//! were not there before the file. What the file itself gave to rows is not lost.

use super::{Place, WayBack, cannot, catalog};
use crate::file::MigrationFile;
use backstay_base::fault::Fault;
use backstay_policy::weave;
use backstay_query::plan::{
    Audit, ColumnRef, End, Expect, Output, OutputValue, Pred, PredOp, Query, Scalar, Script, Select,
    SourceId, Sources, Step,
};
use backstay_schema::catalog::{Catalog, Column, Table};
use std::sync::Arc;

/// The occurrence that every query here reads.
const ROW: SourceId = SourceId(0);

/// Refuses where something would be lost.
pub(super) async fn none_is_lost(place: Place<'_>, file: &MigrationFile, way: &WayBack) -> Result<(), Fault> {
    let unsaid = || cannot(file, "what it made cannot be said in the schema language");
    let mut known: Option<Arc<Catalog>> = None;
    for live in &way.top.tables {
        let Some(origin) = way.origins.tables.get(&live.name) else { continue };
        let new: Vec<(&str, Option<&str>)> = live
            .columns
            .iter()
            .filter(|column| !column.generated)
            .filter_map(|column| Some((column.name.as_str(), origin.columns.get(&column.name)?)))
            .filter(|(_, from)| from.name.is_none())
            .map(|(name, from)| (name, from.given.as_deref()))
            .collect();
        if origin.name.is_some() && new.is_empty() {
            continue;
        }
        let catalog = match &known {
            Some(catalog) => Arc::clone(catalog),
            None => Arc::clone(known.insert(Arc::new(catalog(place.dialect, &way.top).ok_or_else(unsaid)?))),
        };
        let table = catalog.tables.iter().find(|table| table.name == live.name).ok_or_else(unsaid)?;
        if origin.name.is_none() {
            if holds(place, &catalog, table, Pred::TRUE).await? {
                return Err(cannot(file, &format!("it made {}, which has rows by now", table.name)));
            }
            continue;
        }
        for (name, given) in new {
            let column = table.columns.iter().find(|column| column.name == name).ok_or_else(unsaid)?;
            if holds(place, &catalog, table, has_value(&catalog, table, column, given)).await? {
                let message = format!("it made {}.{name}, which has values by now", table.name);
                return Err(cannot(file, &message));
            }
        }
    }
    Ok(())
}

/// A value that no migration gave.
fn has_value(catalog: &Catalog, table: &Table, column: &Column, given: Option<&str>) -> Pred {
    let read = || Scalar::Column(ColumnRef { source: ROW, table: table.id, column: column.id });
    let there = Pred::IsNotNull(read());
    match given.and_then(|given| column.ty.parse_text(catalog, given).ok()) {
        Some(value) => there.and(Pred::Compare(PredOp::Ne, read(), Scalar::Bind(value, column.ty))),
        None => there,
    }
}

async fn holds(place: Place<'_>, catalog: &Arc<Catalog>, table: &Table, filter: Pred) -> Result<bool, Fault> {
    let key = table.key.iter().map(|id| table.column(*id));
    let outputs = key.map(|column| Output {
        name: column.name.clone(),
        starred: false,
        spilled: false,
        value: OutputValue::Scalar(
            Scalar::Column(ColumnRef { source: ROW, table: table.id, column: column.id }),
            column.ty,
        ),
    });
    let query = Query::Select(Select {
        source: ROW,
        table: table.id,
        outputs: outputs.collect(),
        filter,
        order: Vec::new(),
        limit: Some(1),
        offset: 0,
        count: false,
        group: None,
    });
    let mut sources = Sources::default();
    let _ = sources.next_id();
    let script = Script {
        steps: vec![Step { query, expect: Expect::Any }],
        end: End::Commit,
        sources,
        audit: Audit::Off,
    };
    let guarded = weave::system(script, place.clock.now_micros(), catalog, place.ids)?;
    let reply = place.engine.run(&guarded).await?;
    Ok(reply.parts.iter().any(|part| !part.rows.cells.is_empty()))
}
