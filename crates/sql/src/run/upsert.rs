//! Upserts: each row of the body is an insert or an update, told by the conflict
//! target (SEMANTICS 11).

use super::extras;
use super::insert::Inserting;
use super::refusal;
use super::update::{Target, Updating, classified_types};
use super::{Runner, key_types, text_of, unexpected};
use crate::lower::update as lower;
use crate::session::Session;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::plan::{Assign, Conflict, Insert, Update};
use backstay_query::reply::Part;
use backstay_schema::catalog::Table;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use std::collections::HashSet;

/// Rows of an upsert, as far as they are written.
#[derive(Default)]
struct Written<'p> {
    keys: Vec<Vec<Value>>,
    texts: HashSet<Vec<String>>,
    inserted: Vec<Vec<Value>>,
    updated: Vec<(Updating<'p>, Target)>,
}

impl Written<'_> {
    fn add(&mut self, key: Vec<Value>) {
        self.texts.insert(text_of(&key));
        self.keys.push(key);
    }
}

impl<S: Session> Runner<'_, S> {
    /// Runs an insert with a conflict clause.
    pub(super) async fn upsert(&mut self, insert: &Insert) -> Result<Part, Fault> {
        let catalog = self.catalog;
        let Some(conflict) = &insert.conflict else { return self.insert(insert).await };
        let inserting = self.inserting(insert, catalog.table(insert.table))?;
        let mut written = Written::default();
        for index in 0..insert.rows.len() {
            self.upsert_row(&inserting, conflict, index, &mut written).await?;
        }
        self.verify_inserted(&inserting, &written.inserted).await?;
        for (updating, target) in &written.updated {
            self.verify_updated(updating, std::slice::from_ref(target)).await?;
        }
        self.tell_inserted(inserting.table, &written.inserted).await?;
        let updated: Vec<&Target> = written.updated.iter().map(|(_, target)| target).collect();
        self.tell_updated(inserting.table, &updated).await?;
        let rows = self.answer(insert.returning.as_ref(), &inserting.table.name, &written.keys).await?;
        let key = match (insert.rows.as_slice(), written.keys.as_slice()) {
            ([_], [key]) => Some(text_of(key)),
            _ => None,
        };
        let affected = written.keys.len() as u64;
        Ok(Part { rows, total: None, affected, inserted: written.inserted.len() as u64, key })
    }

    async fn upsert_row<'p>(
        &mut self,
        inserting: &Inserting<'p>,
        conflict: &'p Conflict,
        index: usize,
        written: &mut Written<'p>,
    ) -> Result<(), Fault> {
        let empty = Vec::new();
        let row = inserting.insert.rows.get(index).unwrap_or(&empty);
        let wanted = self.prospective_values(inserting, row, &conflict.target).await?;
        let existing = if wanted.iter().any(Value::is_null) {
            None
        } else {
            self.existing(inserting, conflict, &wanted).await?
        };
        let Some(existing) = existing else {
            let row = extras::of_new_row(inserting.table, inserting.insert, row, self.extras)?;
            let key = self.insert_row(inserting, index, &row).await?;
            written.inserted.push(key.clone());
            written.add(key);
            return Ok(());
        };
        match &conflict.merge {
            Some(update) => {
                self.merge_row(inserting, (conflict, update), (index, &existing, &wanted), written).await
            }
            None if self.insert_rule_holds(inserting, row).await? => Ok(()),
            None => {
                let fault = Fault::row_security(&inserting.table.name);
                Err(self.told_given(inserting, row, fault).await?)
            }
        }
    }

    /// The row that has these values in the conflict target, as classified.
    async fn existing(
        &mut self,
        inserting: &Inserting<'_>,
        conflict: &Conflict,
        wanted: &[Value],
    ) -> Result<Option<Vec<Value>>, Fault> {
        let (catalog, dialect, table) = (self.catalog, self.dialect, inserting.table);
        let target = &conflict.target;
        let (statement, types) = match &conflict.merge {
            Some(update) => {
                let mut types = classified_types(table, update);
                types.push(ScalarType::Boolean);
                (lower::classify_conflict(catalog, dialect, update, target)?, types)
            }
            None => {
                let row = inserting.insert.row;
                (lower::find_conflict(catalog, dialect, table, row, target)?, key_types(table))
            }
        };
        let rows = self.values(&statement, wanted, &types).await.map_err(unexpected)?;
        Ok(rows.into_iter().next())
    }

    async fn merge_row<'p>(
        &mut self,
        inserting: &Inserting<'p>,
        (conflict, update): (&'p Conflict, &'p Update),
        (index, existing, wanted): (usize, &[Value], &[Value]),
        written: &mut Written<'p>,
    ) -> Result<(), Fault> {
        let Inserting { insert, table, .. } = inserting;
        let (insert, table): (&'p Insert, &'p Table) = (insert, table);
        let row = insert.rows.get(index).cloned().unwrap_or_default();
        let readable = existing.last() == Some(&Value::Bool(true));
        if !readable {
            let unique = refusal::unique_of_target(table, &conflict.target);
            let fault = refusal::unique(table, &unique, Some(wanted));
            return Err(self.refuse_insert(inserting, &row, fault).await?);
        }
        let mut target = Target::read(table, update, existing, row);
        if written.texts.contains(&text_of(&target.key)) {
            return Err(named_twice());
        }
        if !target.is_open() {
            let fault = Fault::permission("table", &table.name);
            let conflict = Some((conflict.target.as_slice(), wanted));
            return Err(self.told_stored((table, update), conflict, fault).await?);
        }
        if !conflict.replaces {
            extras::merge(table, update, &mut target, self.extras)?;
        }
        let absent = insert.absent.get(index);
        if let Some(absent) = absent {
            self.keep_absent((update, table), absent, &mut target).await?;
        }
        let updating = self.updating(update, table, |assign| match assign {
            Assign::Given(place) => !absent.and_then(|row| row.get(*place)).copied().unwrap_or(false),
            Assign::Value(_) | Assign::Scalar(_) => true,
        })?;
        if let Some(invalid) = update.invalid.iter().find(|invalid| invalid.row == index) {
            let fault = refusal::known(table, &invalid.refusal);
            return Err(self.refuse_update(&updating, &target, fault).await?);
        }
        self.take_images(table, std::slice::from_mut(&mut target)).await?;
        self.update_row(&updating, &mut target).await?;
        written.add(target.new_key.clone());
        written.updated.push((updating, target));
        Ok(())
    }

    /// What the row does not give stays as it is stored, also for what is derived from it.
    async fn keep_absent(
        &mut self,
        (update, table): (&Update, &Table),
        absent: &[bool],
        target: &mut Target,
    ) -> Result<(), Fault> {
        let kept = update.assign.iter().filter_map(|(id, assign)| match assign {
            Assign::Given(place) => absent.get(*place).copied().unwrap_or(false).then_some((*id, *place)),
            Assign::Value(_) | Assign::Scalar(_) => None,
        });
        let (columns, places): (Vec<_>, Vec<_>) = kept.unzip();
        let derives = update.assign.iter().any(|(_, assign)| matches!(assign, Assign::Scalar(_)));
        if columns.is_empty() || !derives {
            return Ok(());
        }
        let stored = self.stored_values(table, update.row, &columns, &target.key).await?;
        for (place, value) in places.into_iter().zip(stored) {
            if let Some(given) = target.given.get_mut(place) {
                *given = value;
            }
        }
        Ok(())
    }
}

fn named_twice() -> Fault {
    Fault::new(code::CARDINALITY, "ON CONFLICT DO UPDATE command cannot affect row a second time").with_hint(
        "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.",
    )
}
