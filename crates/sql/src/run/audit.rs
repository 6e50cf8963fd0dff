//! Audits: what a step wrote, told in the table of the type's audit within the same
//! transaction. Rows before and after enter; nothing of it decides a write. Rows that go or
//! change with a deleted one are told too, as the database itself tells nobody of them.

use super::reference::foreign_keys;
use super::update::Target;
use super::{Runner, text_of, unexpected};
use crate::lower::{audit as lower, insert as lower_insert};
use crate::session::Session;
use crate::statement::Statement;
use backstay_base::fault::Fault;
use backstay_query::plan::{Author, Insert, SourceId};
use backstay_schema::audit::{ACCOUNT, AFTER, AT, BEFORE, FIELDS, OPERATION, ROLE, key_column};
use backstay_schema::catalog::{Column, ColumnId, Fill, OnDelete, Table, TableId};
use backstay_schema::scalar::list::write_json_value;
use backstay_schema::value::Value;
use backstay_schema::value::json::write_string;
use std::collections::HashSet;

/// The values of all columns of a row, in order.
pub(super) type Image = Vec<Value>;

/// What a delete takes along.
#[derive(Default)]
pub(super) struct Gone {
    /// The rows themselves, where they are audited.
    rows: Vec<Image>,
    /// Rows that refer to them.
    followers: Vec<Follower>,
}

/// A row that refers to a deleted one, directly or not.
struct Follower {
    table: TableId,
    image: Image,
    /// Columns that become NULL; empty where the row is deleted, too.
    cleared: Vec<ColumnId>,
}

/// What is told of one row.
struct Told<'t> {
    operation: &'static str,
    before: Option<&'t Image>,
    after: Option<&'t Image>,
}

impl<S: Session> Runner<'_, S> {
    /// Whether writes to a table are told.
    fn is_told(&self, table: &Table) -> bool {
        self.author.is_some() && table.audit.is_some()
    }

    /// Keeps the rows as they are before an update.
    pub(super) async fn take_images(&mut self, table: &Table, targets: &mut [Target]) -> Result<(), Fault> {
        if !self.is_told(table) {
            return Ok(());
        }
        let keys = targets.iter().map(|target| target.key.clone()).collect();
        let images = self.whole_rows(table, &table.key, keys).await?;
        for (target, image) in targets.iter_mut().zip(images) {
            target.before = Some(image);
        }
        Ok(())
    }

    /// Tells of rows that an update changed.
    pub(super) async fn tell_updated(&mut self, table: &Table, targets: &[&Target]) -> Result<(), Fault> {
        if !self.is_told(table) || targets.iter().all(|target| target.before.is_none()) {
            return Ok(());
        }
        let keys = targets.iter().map(|target| target.new_key.clone()).collect();
        let images = self.whole_rows(table, &table.key, keys).await?;
        let pairs = targets.iter().filter_map(|target| target.before.as_ref()).zip(&images);
        let told: Vec<Told<'_>> = pairs.flat_map(|(before, after)| changed(table, before, after)).collect();
        self.tell(table, &told).await
    }

    /// Tells of new rows.
    pub(super) async fn tell_inserted(&mut self, table: &Table, keys: &[Vec<Value>]) -> Result<(), Fault> {
        if !self.is_told(table) || keys.is_empty() {
            return Ok(());
        }
        let images = self.whole_rows(table, &table.key, keys.to_vec()).await?;
        let told: Vec<Told<'_>> = images.iter().map(created).collect();
        self.tell(table, &told).await
    }

    /// Looks at all that a delete will take along.
    pub(super) async fn before_deleting(
        &mut self,
        table: &Table,
        keys: &[Vec<Value>],
    ) -> Result<Gone, Fault> {
        if self.author.is_none() || !table.deletes_audited || keys.is_empty() {
            return Ok(Gone::default());
        }
        let rows = match table.audit {
            Some(_) => self.whole_rows(table, &table.key, keys.to_vec()).await?,
            None => Vec::new(),
        };
        Ok(Gone { rows, followers: self.followers(table, keys).await? })
    }

    /// Tells of what a delete took along.
    pub(super) async fn tell_deleted(&mut self, table: &Table, gone: Gone) -> Result<(), Fault> {
        let told: Vec<Told<'_>> = gone.rows.iter().map(deleted).collect();
        self.tell(table, &told).await?;
        for follower in &gone.followers {
            let of = self.catalog.table(follower.table);
            if follower.cleared.is_empty() {
                self.tell(of, &[deleted(&follower.image)]).await?;
                continue;
            }
            let mut after = follower.image.clone();
            for (value, column) in after.iter_mut().zip(&of.columns) {
                if follower.cleared.contains(&column.id) {
                    *value = Value::Null;
                }
            }
            self.tell(of, &changed(of, &follower.image, &after)).await?;
        }
        Ok(())
    }

    /// Rows that go or change with those of these keys, as the foreign keys say.
    async fn followers(&mut self, table: &Table, keys: &[Vec<Value>]) -> Result<Vec<Follower>, Fault> {
        let catalog = self.catalog;
        let mut found: Vec<Follower> = Vec::new();
        let mut doomed: HashSet<(TableId, Vec<String>)> =
            keys.iter().map(|key| (table.id, text_of(key))).collect();
        let mut open = vec![(table.id, keys.to_vec())];
        while let Some((target, keys)) = open.pop() {
            for child in &catalog.tables {
                for foreign in foreign_keys(catalog, child).filter(|foreign| foreign.target.id == target) {
                    let told = match foreign.on_delete {
                        OnDelete::Restrict => false,
                        OnDelete::Cascade => child.deletes_audited,
                        OnDelete::SetNull => child.audit.is_some(),
                    };
                    if !told {
                        continue;
                    }
                    let images = self.whole_rows(child, foreign.columns, keys.clone()).await?;
                    if foreign.on_delete == OnDelete::SetNull {
                        images.into_iter().for_each(|image| clear(&mut found, child, image, foreign.columns));
                        continue;
                    }
                    let mut next = Vec::new();
                    for image in images {
                        let key = values_of(&image, &child.key);
                        if doomed.insert((child.id, text_of(&key))) {
                            next.push(key);
                            found.push(Follower { table: child.id, image, cleared: Vec::new() });
                        }
                    }
                    if !next.is_empty() {
                        open.push((child.id, next));
                    }
                }
            }
        }
        let stays = |follower: &Follower| {
            let key = values_of(&follower.image, &catalog.table(follower.table).key);
            follower.cleared.is_empty() || !doomed.contains(&(follower.table, text_of(&key)))
        };
        found.retain(stays);
        found.retain(|follower| catalog.table(follower.table).audit.is_some());
        Ok(found)
    }

    /// Whole rows, locked, by values of some columns.
    async fn whole_rows(
        &mut self,
        table: &Table,
        by: &[ColumnId],
        values: Vec<Vec<Value>>,
    ) -> Result<Vec<Image>, Fault> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let sources = (self.new_source(), self.new_source());
        let statement = lower::rows(self.catalog, self.dialect, table, (by, values), sources)?;
        let types: Vec<_> = table.columns.iter().map(|column| column.ty).collect();
        self.values(&statement, &[], &types).await.map_err(unexpected)
    }

    /// Writes what is told of rows of a table.
    async fn tell(&mut self, table: &Table, told: &[Told<'_>]) -> Result<(), Fault> {
        let (Some(author), Some(audit)) = (self.author, table.audit) else { return Ok(()) };
        if told.is_empty() {
            return Ok(());
        }
        let audit = self.catalog.table(audit);
        let statement = self.entry(audit)?;
        let types: Vec<_> = audit.key.iter().map(|id| audit.column(*id).ty).collect();
        let answers = self.dialect.returning >= crate::dialect::Returning::InsertAndDelete;
        for one in told {
            let row = row_of(table, audit, author, one);
            let types = if answers { types.as_slice() } else { &[] };
            self.values(&statement, &row, types).await.map_err(unexpected)?;
        }
        Ok(())
    }

    /// The statement that writes one entry, its columns but the counted key in order.
    fn entry(&mut self, audit: &Table) -> Result<Statement, Fault> {
        let columns = audit.columns.iter().map(|column| column.id).filter(|id| !audit.key.contains(id));
        let row: SourceId = self.new_source();
        let insert = Insert::of(audit.id, row, columns.collect(), Vec::new());
        lower_insert::row(self.catalog, self.dialect, &insert)
    }
}

fn created(after: &Image) -> Told<'_> {
    Told { operation: "CREATE", before: None, after: Some(after) }
}

fn deleted(before: &Image) -> Told<'_> {
    Told { operation: "DELETE", before: Some(before), after: None }
}

/// A changed row. One that was marked as deleted reads so; one that has another key or tenant
/// now went there and came here.
fn changed<'t>(table: &Table, before: &'t Image, after: &'t Image) -> Vec<Told<'t>> {
    if before == after {
        return Vec::new();
    }
    let moves = |id: &ColumnId| value_of(before, *id) != value_of(after, *id);
    if table.key.iter().chain(&table.tenant).any(moves) {
        return vec![deleted(before), created(after)];
    }
    let marked =
        table.soft_delete.is_some_and(|id| value_of(before, id).is_null() && !value_of(after, id).is_null());
    let operation = if marked { "DELETE" } else { "UPDATE" };
    vec![Told { operation, before: Some(before), after: Some(after) }]
}

/// The columns of a row that became NULL with a reference, added to what is known of the row.
fn clear(found: &mut Vec<Follower>, child: &Table, image: Image, columns: &[ColumnId]) {
    let known = found
        .iter_mut()
        .find(|known| known.table == child.id && !known.cleared.is_empty() && known.image == image);
    match known {
        Some(known) => known.cleared.extend(columns),
        None => found.push(Follower { table: child.id, image, cleared: columns.to_vec() }),
    }
}

fn value_of(image: &Image, id: ColumnId) -> &Value {
    image.get(usize::from(id.0)).unwrap_or(&Value::Null)
}

fn values_of(image: &Image, columns: &[ColumnId]) -> Vec<Value> {
    columns.iter().map(|id| value_of(image, *id).clone()).collect()
}

/// The values of an entry, in the order of the audit's columns without its key.
fn row_of(table: &Table, audit: &Table, author: &Author, told: &Told<'_>) -> Vec<Value> {
    let image = told.before.or(told.after);
    let differs = |column: &&Column| {
        let of =
            |image: Option<&'_ Image>| image.map_or(Value::Null, |image| value_of(image, column.id).clone());
        !matches!(column.fill, Fill::Stored(_)) && of(told.before) != of(told.after)
    };
    let fields: Vec<&Column> = table.columns.iter().filter(differs).collect();
    let kept = |column: &Column| {
        let of_row = table.columns.iter().find(|of| key_column(&of.name) == column.name)?;
        Some(value_of(image?, of_row.id).clone())
    };
    let value = |column: &Column| match column.name.as_str() {
        AT => Value::Timestamp(author.at),
        OPERATION => Value::Text(told.operation.to_owned()),
        ACCOUNT => author.account.clone(),
        ROLE => Value::Text(author.role.clone()),
        FIELDS => Value::List(fields.iter().map(|field| Value::Text(field.name.clone())).collect()),
        BEFORE => document(&fields, told.before),
        AFTER => document(&fields, told.after),
        _ => kept(column).unwrap_or(Value::Null),
    };
    audit.columns.iter().filter(|column| !audit.key.contains(&column.id)).map(value).collect()
}

/// The values of these columns; NULL where there is no row. What a read rule guards is left out.
fn document(fields: &[&Column], image: Option<&Image>) -> Value {
    let Some(image) = image else { return Value::Null };
    let mut out = String::from("{");
    for column in fields.iter().filter(|column| !column.has_read_rule()) {
        if out.len() > 1 {
            out.push(',');
        }
        write_string(&column.name, &mut out);
        out.push(':');
        write_json_value(value_of(image, column.id), &mut out);
    }
    out.push('}');
    Value::Json(out)
}
