//! The second wall: the rules of the schema as row-level security of PostgreSQL. Each rule
//! is woven once per kind of caller, as for a request, and what comes out is written as a
//! function over the row. What a row alone does not tell (headers, addresses, claims, a
//! verified e-mail address) stays denied behind this wall, and says so.

mod callers;
mod unsayable;

use self::callers::{Kind, caller, case, kinds, stand};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_policy::guarded::Guarded;
use backstay_policy::weave::weave;
use backstay_query::plan::{
    Audit, Delete, Denials, End, Expect, Insert, Pred, Query, Script, Select, SourceId, Sources, Step, Update,
};
use backstay_schema::catalog::{Catalog, Column, Fill, Origin, Permit, Table};
use backstay_schema::extras::Bounds;
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl::security::{self, Command, Stand};
use std::sync::Arc;

/// The row that policies judge.
const ROW: SourceId = SourceId(0);
const OLD: SourceId = SourceId(1);

/// Moments and ids that stand for others: what comes out differently with the second set was folded,
/// and cannot be said.
const STANDS: [(u128, i64); 2] = [
    (0x0000_0000_0000_4000_8000_0000_0000_0001, -50_000_000_000_000_000),
    (0xffff_ffff_ffff_4fff_bfff_ffff_ffff_fffe, 250_000_000_123_456_789),
];

/// Statements that build the wall; a line that begins with `--` tells what stays denied.
///
/// # Errors
/// When a rule cannot be woven.
pub fn wall(catalog: &Arc<Catalog>, ids: &Ids, grantees: &[String]) -> Result<Vec<String>, Fault> {
    let wall = Wall { catalog, ids };
    let mut statements: Vec<String> = security::CALLER.iter().map(|&text| text.to_owned()).collect();
    statements.extend(grantees.iter().map(|grantee| security::grant_caller(grantee)));
    for table in catalog.tables.iter().filter(|table| table.origin != Origin::System && !table.is_view) {
        statements.push(security::enable(table));
        for (command, columns) in commands(catalog, table) {
            match wall.judges(table, command)? {
                Ok(judges) if judges.is_empty() => {}
                Ok(judges) => {
                    statements.extend(judges);
                    statements.push(security::policy(table, command));
                    let grants =
                        grantees.iter().map(|grantee| security::grant(table, command, &columns, grantee));
                    statements.extend(grants);
                }
                Err(why) => statements.push(format!("-- {}: {command:?} stays denied: {why}", table.name)),
            }
        }
    }
    Ok(statements)
}

/// The operations of a table, with the columns that may be named in them: none whose field has rules
/// of its own, none that the server sets.
fn commands<'t>(catalog: &Catalog, table: &'t Table) -> Vec<(Command, Vec<&'t Column>)> {
    let free = |permit: &Permit| permit.allow.is_empty() && permit.deny.is_empty();
    let of = |keep: &dyn Fn(&Column) -> bool| table.columns.iter().filter(|column| keep(column)).collect();
    let moves = |column: &Column| match column.ty {
        ScalarType::Enum(id) => catalog.enum_type(id).transitions,
        _ => false,
    };
    let given = |column: &Column| {
        matches!(column.fill, Fill::None | Fill::Client | Fill::RowId) && column.set_create.is_none()
    };
    let changed = |column: &Column| {
        let stays =
            column.relation.is_some() || column.set_update.is_some() || table.key.contains(&column.id);
        given(column) && !stays && !moves(column) && free(&column.access.update)
    };
    vec![
        (Command::Select, of(&|column| free(&column.access.read))),
        (Command::Insert, of(&|column| given(column) && !moves(column) && free(&column.access.create))),
        (Command::UpdateStored, of(&changed)),
        (Command::Delete, Vec::new()),
    ]
}

/// What a row must hold: as stored, and, for an update, as it becomes.
type Conditions = (Pred, Option<Pred>);

struct Wall<'a> {
    catalog: &'a Arc<Catalog>,
    ids: &'a Ids,
}

impl Wall<'_> {
    /// The functions of an operation; none where nobody may do it, an explanation where it cannot be said.
    fn judges(&self, table: &Table, command: Command) -> Result<Result<Vec<String>, &'static str>, Fault> {
        if let Some(why) = self.unsayable(table, command) {
            return Ok(Err(why));
        }
        let mut bodies = Vec::new();
        for stand in STANDS.map(stand) {
            match self.bodies(table, command, &stand)? {
                Ok(found) => bodies.push(found),
                Err(why) => return Ok(Err(why)),
            }
        }
        let [first, second] = bodies.as_slice() else { return Ok(Err("it cannot be woven")) };
        if first != second {
            return Ok(Err("it asks the time or the account in a way that is decided before any row"));
        }
        let (stored, new) = first;
        if stored == "FALSE" {
            return Ok(Ok(Vec::new()));
        }
        let mut judges = vec![security::judge(table, command, ROW, stored)];
        judges.extend(new.iter().map(|body| security::judge(table, Command::UpdateNew, ROW, body)));
        Ok(Ok(judges))
    }

    /// Texts over all kinds of caller.
    fn bodies(
        &self,
        table: &Table,
        command: Command,
        stand: &Stand,
    ) -> Result<Result<(String, Option<String>), &'static str>, Fault> {
        let mut stored: Vec<(Kind<'_>, String)> = Vec::new();
        let mut new: Vec<(Kind<'_>, String)> = Vec::new();
        for kind in kinds(self.catalog) {
            let caller = caller(kind, stand);
            let Some(demanded) = self.conditions(table, command, &caller, stand.now_micros)? else {
                return Ok(Err("several rules may allow it, and one of them has to hold before and after"));
            };
            let text = |pred: &Pred| security::condition(self.catalog, ROW, pred, stand);
            stored.push((kind, text(&demanded.0)?));
            new.extend(demanded.1.as_ref().map(text).transpose()?.map(|text| (kind, text)));
        }
        Ok(Ok((case(&stored), (!new.is_empty()).then(|| case(&new)))))
    }

    /// What weaving demands of a caller; none where an update has more than one way.
    fn conditions(
        &self,
        table: &Table,
        command: Command,
        caller: &Caller,
        now_micros: i64,
    ) -> Result<Option<Conditions>, Fault> {
        let script = script(table, command, self.catalog);
        let info = RequestInfo { now_micros, ..RequestInfo::default() };
        let woven = match weave(script, caller, &info, self.catalog, self.ids) {
            Ok(woven) => woven,
            Err(fault) if fault.code == code::DENIED => {
                let new = (command == Command::UpdateStored).then_some(Pred::FALSE);
                return Ok(Some((Pred::FALSE, new)));
            }
            Err(fault) => return Err(fault),
        };
        Ok(demanded(&woven))
    }
}

fn script(table: &Table, command: Command, catalog: &Catalog) -> Script {
    let given = || {
        let found = commands(catalog, table).into_iter().find(|(other, _)| *other == command);
        found.map(|(_, columns)| columns).unwrap_or_default()
    };
    let query = match command {
        Command::Select => Query::Select(Select {
            source: ROW,
            table: table.id,
            outputs: Vec::new(),
            filter: Pred::TRUE,
            order: Vec::new(),
            limit: None,
            offset: 0,
            count: false,
            group: None,
        }),
        Command::Insert => Query::Insert(Insert::of(
            table.id,
            ROW,
            given().iter().filter(|c| c.fill != Fill::RowId).map(|column| column.id).collect(),
            Vec::new(),
        )),
        Command::UpdateStored | Command::UpdateNew => Query::Update(Update {
            table: table.id,
            row: ROW,
            old: OLD,
            filter: Pred::TRUE,
            filtered: true,
            given: Vec::new(),
            assign: Vec::new(),
            stored: Vec::new(),
            arms: Vec::new(),
            references: Vec::new(),
            checks: Vec::new(),
            rule: Pred::TRUE,
            denials: Denials::default(),
            keep: Vec::new(),
            transitions: Vec::new(),
            invalid: Vec::new(),
            returning: None,
        }),
        Command::Delete => Query::Delete(Delete {
            table: table.id,
            row: ROW,
            filter: Pred::TRUE,
            filtered: true,
            rule: Pred::TRUE,
            denials: Denials::default(),
            returning: None,
        }),
    };
    let mut sources = Sources::default();
    let _ = (sources.next_id(), sources.next_id());
    Script {
        steps: vec![Step { query, expect: Expect::Any }],
        end: End::Commit,
        sources,
        audit: Audit::Off,
        extras: Bounds::default(),
    }
}

/// What weaving has put in; none for an update that may be allowed in several ways.
fn demanded(woven: &Guarded<Script>) -> Option<Conditions> {
    match &woven.inner().steps.first()?.query {
        Query::Select(select) => Some((select.filter.clone(), None)),
        Query::Insert(insert) => {
            let references = insert.references.iter().map(|reference| {
                let table = woven.catalog().table(insert.table);
                let absent = reference.columns.iter().map(|id| {
                    let column =
                        backstay_query::plan::ColumnRef { source: ROW, table: table.id, column: *id };
                    Pred::IsNull(backstay_query::plan::Scalar::Column(column))
                });
                absent.fold(reference.allowed.clone(), Pred::or)
            });
            Some((references.fold(insert.rule.clone(), Pred::and), None))
        }
        Query::Update(update) => {
            let open = |pred: &Pred| *pred != Pred::FALSE;
            let mut ways =
                update.stored.iter().zip(&update.arms).filter(|(stored, arm)| open(stored) && open(arm));
            let Some((stored, arm)) = ways.next() else { return Some((Pred::FALSE, Some(Pred::FALSE))) };
            // a way that is open to every row makes the others needless
            let free = std::iter::once((stored, arm))
                .chain(ways.clone())
                .any(|(a, b)| *a == Pred::TRUE && *b == Pred::TRUE);
            if (ways.next().is_some() && !free) || !update.keep.is_empty() {
                return None;
            }
            let (stored, arm) = if free { (&Pred::TRUE, &Pred::TRUE) } else { (stored, arm) };
            let new = arm.clone().and(update.rule.clone());
            Some((update.filter.clone().and(stored.clone()), Some(new)))
        }
        Query::Delete(delete) => Some((delete.filter.clone().and(delete.rule.clone()), None)),
    }
}
