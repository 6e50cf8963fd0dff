//! All rows of one database into another, of whatever engines: table by table in the order
//! of their references, page by page along the primary key, as System through the same
//! queries as everything else. Each page is written in one transaction with the place that
//! was reached, so that a copy which broke off goes on there. At the end both sides are
//! read again and compared.

mod page;
mod row;

use self::page::{Page, Position};
use self::row::Checksum;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_engine::Engine;
use backstay_engine::migration::Batch;
use backstay_policy::weave;
use backstay_query::plan::{Audit, End, Expect, Query, Script, Sources, Step};
use backstay_query::reply::Reply;
use backstay_schema::catalog::{Catalog, Column, ColumnId, Table};
use backstay_schema::extras::Bounds;
use backstay_schema::value::Value;
use backstay_sql::ddl;
use backstay_sql::dialect::Dialect;
use std::sync::Arc;

/// Name of the table that keeps how far a copy came; it goes when the copy is done.
pub const PROGRESS_TABLE: &str = "_backstay_copy";

/// The table of progress, to be compiled with `Owner::System` beside the project's own files.
pub const SCHEMA: &str = r#"
"How far a copy came: the key of the last row of a table that was written."
type _BackstayCopy @table(name: "_backstay_copy", key: ["part"]) {
  part: String!
  position: JSON
  done: Boolean!
}
"#;

/// Rows of one page and one transaction.
pub const PAGE_ROWS: u64 = 500;

/// A copy of a database.
pub struct Copy<'a> {
    /// Where the rows come from. Nobody else should write there meanwhile.
    pub from: &'a dyn Engine,
    /// Where they go.
    pub to: &'a dyn Engine,
    /// The dialect of that one.
    pub dialect: &'static Dialect,
    /// Both have this schema; the table of progress is among its own.
    pub catalog: &'a Arc<Catalog>,
    /// Time.
    pub clock: &'a Clock,
    /// Randomness, of which nothing that is copied needs any.
    pub ids: &'a Ids,
}

/// What was copied of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// A sum over them in no order, equal on both sides, in hexadecimal.
    pub checksum: String,
}

impl Copy<'_> {
    /// Copies everything. With `resume`, what a copy that broke off has written stays.
    ///
    /// # Errors
    /// 23505 when the target has rows and `resume` does not say that they are those; 55000 when the two
    /// sides differ in the end; whatever a statement is refused with.
    pub async fn run(&self, resume: bool) -> Result<Vec<Copied>, Fault> {
        let tables: Vec<&Table> = self
            .catalog
            .tables
            .iter()
            .filter(|table| table.name != PROGRESS_TABLE && !table.is_view)
            .collect();
        let order = ddl::in_order(self.catalog, &tables);
        self.begin(&order, resume).await?;
        for (index, table) in order.iter().enumerate() {
            let later = order.get(index..).unwrap_or_default();
            self.rows(table, &late_columns(table, later)).await?;
        }
        for (index, table) in order.iter().enumerate() {
            let late = late_columns(table, order.get(index..).unwrap_or_default());
            if !late.is_empty() {
                self.references(table, &late).await?;
            }
        }
        let mut copied = Vec::with_capacity(order.len());
        for table in order {
            self.go_on_counting(table).await?;
            copied.push(self.compare(table).await?);
        }
        self.to.migrate(&Batch::plain(vec![ddl::drop_table(self.dialect, PROGRESS_TABLE)])).await?;
        Ok(copied)
    }

    async fn begin(&self, tables: &[&Table], resume: bool) -> Result<(), Fault> {
        let live = self.to.introspect().await?;
        let begun = live.tables.iter().any(|table| table.name == PROGRESS_TABLE);
        if begun && !resume {
            return Err(Fault::new(code::UNIQUE_VIOLATION, "an earlier copy into this database broke off")
                .with_hint("go on with it: --resume; or begin again with an empty database"));
        }
        if begun {
            return Ok(());
        }
        for table in tables {
            let page = self.page(self.to, table, None, 1).await?;
            if !page.rows.is_empty() {
                let message = format!("the target has rows of {} already", table.name);
                return Err(
                    Fault::new(code::UNIQUE_VIOLATION, message).with_hint("copy into an empty database")
                );
            }
        }
        let progress = self.progress()?;
        self.to
            .migrate(&Batch::plain(vec![ddl::create_table(self.catalog, self.dialect, progress, &[])]))
            .await
    }

    fn progress(&self) -> Result<&Table, Fault> {
        let missing = || Fault::internal("the table of progress is not in the catalog");
        self.catalog.any_table(PROGRESS_TABLE).ok_or_else(missing)
    }

    /// All rows of a table; `late` columns stay NULL, because what they refer to may not be there yet.
    async fn rows(&self, table: &Table, late: &[ColumnId]) -> Result<(), Fault> {
        let Some(mut position) = self.reached(&table.name).await? else { return Ok(()) };
        loop {
            let mut page = self.page(self.from, table, position.as_ref(), PAGE_ROWS).await?;
            let last = page.last(table);
            let is_last = (page.rows.len() as u64) < PAGE_ROWS;
            page.clear(late);
            let mut steps = self.reach(&table.name, last.as_ref(), is_last)?;
            if !page.rows.is_empty() {
                steps.push(page::insert(table, page));
            }
            self.write(steps).await?;
            if is_last {
                return Ok(());
            }
            position = last;
        }
    }

    /// The references that had to wait.
    async fn references(&self, table: &Table, late: &[ColumnId]) -> Result<(), Fault> {
        let part = format!("{}/references", table.name);
        let Some(mut position) = self.reached(&part).await? else { return Ok(()) };
        loop {
            let page = self.page(self.from, table, position.as_ref(), PAGE_ROWS).await?;
            let is_last = (page.rows.len() as u64) < PAGE_ROWS;
            let last = page.last(table);
            let mut steps = self.reach(&part, last.as_ref(), is_last)?;
            let referring = page.rows.iter().filter(|row| page::refers(row, late));
            steps.extend(referring.map(|row| page::refer(table, row, late)));
            self.write(steps).await?;
            if is_last {
                return Ok(());
            }
            position = last;
        }
    }

    /// Where a part broke off; none where it is done.
    async fn reached(&self, part: &str) -> Result<Option<Option<Position>>, Fault> {
        let progress = self.progress()?;
        let before = Position::of(vec![Value::Text(part.to_owned())]);
        let script = alone(page::one(progress, &before));
        let found = page::read(self.catalog, progress, &self.ask(self.to, script).await?)?;
        let Some(row) = found.rows.first() else { return Ok(Some(None)) };
        match (row.get(1), row.get(2)) {
            (_, Some(Value::Bool(true))) => Ok(None),
            (Some(Value::Json(text)), _) => {
                let table = self.catalog.any_table(part.split('/').next().unwrap_or(part));
                let table = table.ok_or_else(|| Fault::internal("progress of a table that is not there"))?;
                Ok(Some(Some(Position::read(self.catalog, table, text)?)))
            }
            _ => Ok(Some(None)),
        }
    }

    /// The steps that say how far a part came.
    fn reach(&self, part: &str, last: Option<&Position>, done: bool) -> Result<Vec<Step>, Fault> {
        let progress = self.progress()?;
        let position = last.map_or(Value::Null, |last| Value::Json(last.write()));
        let row = vec![Value::Text(part.to_owned()), position, Value::Bool(done)];
        let key = Position::of(vec![Value::Text(part.to_owned())]);
        Ok(vec![page::delete(progress, &key), page::insert(progress, Page { rows: vec![row] })])
    }

    async fn page(
        &self,
        engine: &dyn Engine,
        table: &Table,
        after: Option<&Position>,
        limit: u64,
    ) -> Result<Page, Fault> {
        let script = alone(page::select(table, after, limit));
        page::read(self.catalog, table, &self.ask(engine, script).await?)
    }

    async fn write(&self, steps: Vec<Step>) -> Result<(), Fault> {
        let script = Script {
            steps,
            end: End::Commit,
            sources: page::sources(),
            audit: Audit::Off,
            extras: Bounds::default(),
        };
        self.ask(self.to, script).await.map(drop)
    }

    async fn ask(&self, engine: &dyn Engine, script: Script) -> Result<Reply, Fault> {
        let guarded = weave::system(script, self.clock.now_micros(), self.catalog, self.ids)?;
        engine.run(&guarded).await
    }

    /// A key that the database counts goes on after the largest that was copied.
    async fn go_on_counting(&self, table: &Table) -> Result<(), Fault> {
        let Some(column) = table.columns.iter().find(|column| ddl::column::is_counted(table, column)) else {
            return Ok(());
        };
        let script = alone(page::largest(table));
        let page = page::read(self.catalog, table, &self.ask(self.from, script).await?)?;
        let value = page.rows.first().and_then(|row| row.get(usize::from(column.id.0)));
        let Some(Value::Int(largest)) = value else { return Ok(()) };
        let next = u64::try_from(largest.saturating_add(1)).unwrap_or(1);
        match ddl::alter::count_from(self.dialect, table, column, next) {
            Some(statement) => self.to.migrate(&Batch::plain(vec![statement])).await,
            None => Ok(()),
        }
    }

    /// Reads both sides again.
    async fn compare(&self, table: &Table) -> Result<Copied, Fault> {
        let (from, to) = (self.sum(self.from, table).await?, self.sum(self.to, table).await?);
        if from != to {
            let message = format!(
                "{} differs: {} rows ({}) became {} rows ({})",
                table.name,
                from.rows,
                from.hexadecimal(),
                to.rows,
                to.hexadecimal()
            );
            return Err(Fault::new(code::COPY_DIFFERS, message).with_hint(
                "did somebody write to one of them meanwhile? copy again into an empty database",
            ));
        }
        Ok(Copied { table: table.name.clone(), rows: from.rows, checksum: from.hexadecimal() })
    }

    async fn sum(&self, engine: &dyn Engine, table: &Table) -> Result<Checksum, Fault> {
        let mut sum = Checksum::default();
        let mut position = None;
        loop {
            let page = self.page(engine, table, position.as_ref(), PAGE_ROWS).await?;
            page.rows.iter().for_each(|row| sum.add(row));
            if (page.rows.len() as u64) < PAGE_ROWS {
                return Ok(sum);
            }
            position = page.last(table);
        }
    }
}

fn alone(query: Query) -> Script {
    let steps = vec![Step { query, expect: Expect::Any }];
    Script {
        steps,
        end: End::Commit,
        sources: Sources::default(),
        audit: Audit::Off,
        extras: Bounds::default(),
    }
}

/// Columns of references to this table itself or to one that is copied later, where NULL is allowed.
fn late_columns(table: &Table, later: &[&Table]) -> Vec<ColumnId> {
    let is_late = |column: &&Column| {
        let relation = column.relation.map(|id| table.relation(id));
        relation.is_some_and(|relation| later.iter().any(|other| other.id == relation.target))
    };
    let columns = table.columns.iter().filter(is_late).filter(|column| column.nullable);
    columns.map(|column| column.id).collect()
}
