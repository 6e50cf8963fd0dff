//! What one caller may do, told from the rules alone: an operation or field whose rule folds to
//! false for the caller is not there. Where rows decide, it is. No database is asked.

use crate::caller::{Caller, RequestInfo};
use crate::compile::{Asked, Compiler, RowRef, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, SourceId, Sources};
use backstay_query::visible::{Operations, Visible, VisibleColumn, VisibleTable};
use backstay_schema::catalog::{Access, Catalog, Column, Fill, Operation, Origin, Table};

/// What `caller` may do.
///
/// # Errors
/// Internal, for a rule that cannot be compiled.
pub fn visible(catalog: &Catalog, caller: &Caller, info: &RequestInfo<'_>) -> Result<Visible, Fault> {
    let looking = Looking { catalog, caller, info };
    let mut visible = Visible::default();
    for table in catalog.tables.iter().filter(|table| table.origin != Origin::System) {
        visible.tables.extend(looking.table(table)?);
    }
    Ok(visible)
}

struct Looking<'a> {
    catalog: &'a Catalog,
    caller: &'a Caller,
    info: &'a RequestInfo<'a>,
}

impl Looking<'_> {
    fn table(&self, table: &Table) -> Result<Option<VisibleTable>, Fault> {
        let mut may = Operations {
            read: self.may(table, Operation::Read)?,
            create: self.may(table, Operation::Create)?,
            update: false,
            delete: self.may(table, Operation::Delete)?,
        };
        for column in &table.columns {
            may.update = may.update || self.updates(table, column)?;
        }
        if table.origin == Origin::Audit || table.is_view {
            may = Operations { read: may.read, ..Operations::default() };
        }
        // accounts come and go by their own door
        if self.catalog.user == Some(table.id) {
            may.create = false;
            may.delete = false;
        }
        if !may.any() {
            return Ok(None);
        }
        let mut columns = Vec::new();
        for column in &table.columns {
            let may = self.column(table, column, may)?;
            if may.any() {
                columns.push(VisibleColumn { column: column.id, may });
            }
        }
        let mut computed = Vec::new();
        for field in &table.computed {
            if may.read
                && !table.is_stored(field.id)
                && self.field_may(table, &field.access, Operation::Read)?
            {
                computed.push(field.id);
            }
        }
        Ok(Some(VisibleTable { table: table.id, may, columns, computed }))
    }

    fn column(&self, table: &Table, column: &Column, may: Operations) -> Result<Operations, Fault> {
        let given = self.gives(table, column);
        Ok(Operations {
            read: may.read && self.field_may(table, &column.access, Operation::Read)?,
            create: may.create && given && self.field_may(table, &column.access, Operation::Create)?,
            update: may.update && self.updates(table, column)?,
            delete: false,
        })
    }

    /// Whether the caller may change a column of some row.
    fn updates(&self, table: &Table, column: &Column) -> Result<bool, Fault> {
        if !self.gives(table, column) || !self.field_may(table, &column.access, Operation::Update)? {
            return Ok(false);
        }
        if matches!(self.caller, Caller::Service | Caller::System) {
            return Ok(true);
        }
        let permit = &table.access.update;
        let scope = Scope::one(RowRef::Source(ROW, table.id));
        for changed in changes(table, column) {
            let rule = self.compile(Operation::Update, &changed, |compiler| {
                let mut rule = Pred::FALSE;
                for arm in permit.allow.iter().filter(|arm| arm.covers(&[column.id])) {
                    rule = rule.or(compiler.is_true(&arm.expr, &scope)?);
                }
                for arm in &permit.deny {
                    rule = rule.and(compiler.is_false(&arm.expr, &scope)?);
                }
                Ok(rule)
            })?;
            if rule != Pred::FALSE {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the caller may give a value at all (SEMANTICS 6, 24).
    fn gives(&self, table: &Table, column: &Column) -> bool {
        if matches!(column.fill, Fill::Stored(_)) {
            return false;
        }
        let follows_account =
            self.catalog.user == Some(table.id) && matches!(column.field.as_str(), "id" | "email" | "phone");
        let set = column.set_create.is_some() || column.set_update.is_some();
        let filled = !matches!(column.fill, Fill::None | Fill::Client);
        let client = matches!(self.caller, Caller::Anon | Caller::User(_));
        !follows_account && !(client && (set || filled))
    }

    fn may(&self, table: &Table, operation: Operation) -> Result<bool, Fault> {
        let row = RowRef::Source(ROW, table.id);
        let rule = self.compile(operation, &[], |compiler| compiler.may(table.id, operation, &row))?;
        Ok(rule != Pred::FALSE)
    }

    fn field_may(&self, table: &Table, access: &Access, operation: Operation) -> Result<bool, Fault> {
        let scope = Scope::one(RowRef::Source(ROW, table.id));
        let rule = self.compile(operation, &[], |compiler| compiler.field_may(access, operation, &scope))?;
        Ok(rule != Pred::FALSE)
    }

    /// With the method that the operation would come by.
    fn compile(
        &self,
        operation: Operation,
        changed: &[String],
        rule: impl FnOnce(&mut Compiler<'_>) -> Result<Pred, Fault>,
    ) -> Result<Pred, Fault> {
        let method = match operation {
            Operation::Read => "GET",
            Operation::Create => "POST",
            Operation::Update => "PATCH",
            Operation::Delete => "DELETE",
        };
        let info = RequestInfo {
            now_micros: self.info.now_micros,
            method,
            ip: self.info.ip,
            headers: self.info.headers,
            deleted: false,
            tenant: self.info.tenant,
        };
        let mut sources = Sources::default();
        // the row's own source
        sources.next_id();
        let asked = Asked { caller: self.caller, info: &info, operation, changed };
        rule(&mut Compiler::new(self.catalog, asked, &mut sources))
    }
}

/// The row that rules are read for.
const ROW: SourceId = SourceId(0);

/// What an update of a column may change besides, as rules may ask: nothing, or all there is.
fn changes(table: &Table, column: &Column) -> [Vec<String>; 2] {
    let all = table.columns.iter().map(|column| column.field.clone()).collect();
    [vec![column.field.clone()], all]
}
