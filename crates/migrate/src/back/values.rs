//! Whether there are values that the way back would lose: rows of tables, and values of columns, that
//! were not there before the file. What the file itself gave to rows is not lost.

use super::origins::TableOrigin;
use super::{Place, WayBack, cannot, catalog};
use crate::file::MigrationFile;
use backstay_base::fault::Fault;
use backstay_engine::live::LiveTable;
use backstay_policy::weave;
use backstay_query::plan::{
    Audit, ColumnRef, End, Expect, Output, OutputValue, Pred, PredOp, Query, Scalar, Script, Select,
    SourceId, Sources, Step,
};
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_schema::extras::Bounds;
use backstay_schema::scalar::ScalarType;
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
        let (copies, missing) = (copies(live, origin), missing(live, origin, way));
        if origin.name.is_some() && new.is_empty() && copies.is_empty() && missing.is_empty() {
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
        let find = |name: &str| table.columns.iter().find(|column| column.name == name).ok_or_else(unsaid);
        for (name, was) in copies {
            let differs = differs(table, (find(name)?, find(was)?));
            if holds(place, &catalog, table, differs).await? {
                let message = format!("{0}.{name} has values by now that {0}.{was} cannot hold", table.name);
                return Err(cannot(file, &message));
            }
        }
        for name in missing {
            let column = ColumnRef { source: ROW, table: table.id, column: find(name)?.id };
            if holds(place, &catalog, table, Pred::IsNull(Scalar::Column(column))).await? {
                let message = format!("{}.{name} required a value, which rows lack by now", table.name);
                return Err(cannot(file, &message));
            }
        }
        for (name, given) in new {
            let column = find(name)?;
            if holds(place, &catalog, table, has_value(&catalog, table, column, given)).await? {
                let message = format!("it made {}.{name}, which has values by now", table.name);
                return Err(cannot(file, &message));
            }
        }
    }
    Ok(())
}

/// Columns that are kept alike with one that was there before and still is, in another type: (name, the other's).
fn copies<'l>(live: &'l LiveTable, origin: &'l TableOrigin) -> Vec<(&'l str, &'l str)> {
    let column = |name: &str| live.columns.iter().find(|column| column.name == name);
    let copies = live.columns.iter().filter_map(|copy| {
        let was = origin.columns.get(&copy.name)?.name.as_deref()?;
        let other = column(was).filter(|other| other.name != copy.name && other.ty != copy.ty)?;
        Some((copy.name.as_str(), other.name.as_str()))
    });
    copies.collect()
}

/// Columns that required a value before a file that made room for two versions.
fn missing<'l>(live: &'l LiveTable, origin: &TableOrigin, way: &WayBack) -> Vec<&'l str> {
    let base = way.base.tables.iter().find(|table| Some(&table.name) == origin.name.as_ref());
    let Some(base) = base.filter(|_| !way.origins.triggers.is_empty()) else { return Vec::new() };
    let required = |name: &str| base.columns.iter().any(|column| column.name == name && !column.nullable);
    let loose = live.columns.iter().filter(|column| column.nullable && required(&column.name));
    loose.map(|column| column.name.as_str()).collect()
}

/// The value is not what the other column has: numbers are compared, of other types nothing is known.
fn differs(table: &Table, (copy, other): (&Column, &Column)) -> Pred {
    let read =
        |column: &Column| Scalar::Column(ColumnRef { source: ROW, table: table.id, column: column.id });
    let number = |ty: ScalarType| {
        matches!(ty, ScalarType::Int | ScalarType::BigInt | ScalarType::Float | ScalarType::Decimal { .. })
    };
    let there = Pred::IsNotNull(read(copy));
    if !number(copy.ty) || !number(other.ty) {
        return there;
    }
    let as_copy = Scalar::Cast(Box::new(read(other)), copy.ty);
    there.and(Pred::IsNotTrue(Box::new(Pred::Compare(PredOp::Eq, read(copy), as_copy))))
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
        extras: Bounds::default(),
    };
    let guarded = weave::system(script, place.clock.now_micros(), catalog, place.ids)?;
    let reply = place.engine.run(&guarded).await?;
    Ok(reply.parts.iter().any(|part| !part.rows.cells.is_empty()))
}
