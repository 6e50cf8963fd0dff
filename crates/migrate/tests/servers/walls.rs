//! Both walls of PostgreSQL, held against each other: what the woven queries show and take,
//! and what the row-level security made of the same rules does.

use crate::{SHOP, compiled};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_migrate::security::wall;
use backstay_policy::caller::{Caller, RequestInfo, User};
use backstay_policy::weave;
use backstay_query::plan::{
    Assign, Audit, ColumnRef, Delete, Denials, End, Expect, Insert, Output, OutputValue, Pred, PredOp, Query,
    Scalar, Script, Select, SourceId, Sources, Step, Update,
};
use backstay_query::reply::{Cell, Reply};
use backstay_schema::catalog::{Catalog, Fill, Table};
use backstay_schema::compile::Owner;
use backstay_schema::extras::Bounds;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value};
use backstay_sql::ddl;
use backstay_testkit::database::{Database, server};
use backstay_testkit::seed::{cases, seeded};
use rand::Rng;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// Rules of every kind that a row alone can answer.
const RULED: &str = r#"
extend schema @rule(name: "staff", expr: "auth.role == 'staff'")
type Person @user @access(read: "true", update: "this == auth.user") {
  email: String
  name: String
  team: Team @access(write: "staff()")
  role: String
}
type Team @access(read: "this.open || this.people.exists(p, p == auth.user)", write: "staff()") {
  label: String!
  open: Boolean
  people: [Person!]!
}
type Doc
  @access(
    all: "staff() && auth.aal == 'aal2'"
    read: "this.owner == auth.user || (this.public && this.due > now)"
    create: "this.owner == auth.user"
    delete: "this.owner == auth.user && !(this.size >= 3)"
  )
  @deny(delete: "this.locked")
{
  owner: Person
  team: Team
  public: Boolean
  locked: Boolean
  size: Int
  price: Decimal
  due: Timestamp
  title: String @index(kind: FULLTEXT)
  secret: String @access(read: "staff()")
}
type Note @access(read: "allowed(this.doc, 'read')", update: "this.doc.owner.team == auth.user.team", create: "auth.uid != null") {
  doc: Doc
  text: String
}
type Headed @access(read: "request.headers['x-team'] == 'a'") { text: String }
"#;

const ROW: SourceId = SourceId(0);
const NOW: i64 = 1_769_850_000_000_000;

struct Walls {
    database: Database,
    client: Client,
    catalog: Arc<Catalog>,
    role: String,
    ids: Ids,
    people: Vec<Uuid>,
}

impl Walls {
    async fn up(sdl: &str, role: &str, random: &mut impl Rng) -> Self {
        let catalog = Arc::new(compiled(&[(sdl, Owner::Project)]));
        let database = Database::fresh(&Limits::default()).await;
        let statements = ddl::create_all(&catalog, database.dialect);
        database.engine.migrate(&Batch::plain(statements)).await.unwrap();
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let ids = Ids::seeded(Clock::fixed(NOW), 1);
        let mut walls = Self { database, client, catalog, role: role.to_owned(), ids, people: Vec::new() };
        walls.fill(random).await;
        let schema: String =
            walls.client.query_one("SELECT current_schema()::text", &[]).await.unwrap().get(0);
        let mut text = format!(
            "DROP SCHEMA IF EXISTS backstay_rls CASCADE; CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role};"
        );
        for statement in wall(&walls.catalog, &walls.ids, &[role.to_owned()]).unwrap() {
            text.push_str(&statement);
            text.push_str(if statement.starts_with("--") { "\n" } else { ";\n" });
        }
        walls.client.batch_execute(&text).await.unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        walls
    }

    async fn ask(&self, caller: &Caller, query: Query, end: End) -> Option<Reply> {
        let mut sources = Sources::default();
        let _ = (sources.next_id(), sources.next_id());
        let script = Script {
            steps: vec![Step { query, expect: Expect::Any }],
            end,
            sources,
            audit: Audit::Wanted,
            extras: Bounds::default(),
        };
        let info = RequestInfo { now_micros: self.now().await, ..RequestInfo::default() };
        let guarded = weave::weave(script, caller, &info, &self.catalog, &self.ids).ok()?;
        self.database.engine.run(&guarded).await.ok()
    }

    async fn now(&self) -> i64 {
        let row = self.client.query_one("SELECT (extract(epoch FROM now()) * 1000000)::bigint", &[]).await;
        row.unwrap().get(0)
    }

    /// Rows in the order of the references; what has no place to refer to refers to nothing.
    async fn fill(&mut self, random: &mut impl Rng) {
        let catalog = Arc::clone(&self.catalog);
        let tables: Vec<&Table> = catalog.tables.iter().collect();
        let mut keys: Vec<(backstay_schema::catalog::TableId, Vec<Uuid>)> = Vec::new();
        for table in ddl::in_order(&catalog, &tables) {
            let mut own = Vec::new();
            for _ in 0..6 {
                let id = Uuid::from_u128(random.random());
                let row: Vec<Value> = table
                    .columns
                    .iter()
                    .map(|column| match column.relation.map(|id| table.relation(id).target) {
                        Some(target) => {
                            let known = keys.iter().find(|(of, _)| *of == target).map(|(_, ids)| ids);
                            let known = known.filter(|ids| !ids.is_empty());
                            let none = column.nullable && random.random_range(0..4) == 0;
                            known.filter(|_| !none).map_or(Value::Null, |ids| {
                                Value::Uuid(ids[random.random_range(0..ids.len())])
                            })
                        }
                        None if table.key == [column.id] => Value::Uuid(id),
                        None if column.nullable && random.random_range(0..4) == 0 => Value::Null,
                        None => any(&catalog, column.ty, random),
                    })
                    .collect();
                let insert = Query::Insert(insert(table, row));
                if self.ask(&Caller::System, insert, End::Commit).await.is_some() {
                    own.push(id);
                }
            }
            if Some(table.id) == catalog.user {
                self.people.clone_from(&own);
            }
            keys.push((table.id, own));
        }
    }

    fn callers(&self) -> Vec<Caller> {
        let user = |uid: &Uuid, role: &str, aal: &str| {
            Caller::User(Arc::new(User {
                uid: *uid,
                role: role.into(),
                email: None,
                org: None,
                aal: aal.into(),
                claims: Arc::default(),
            }))
        };
        let mut callers = vec![Caller::Anon, user(&Uuid::from_u128(7), "authenticated", "aal1")];
        for (index, uid) in self.people.iter().take(4).enumerate() {
            let role = ["authenticated", "staff", "staff", "unheard of"][index];
            callers.push(user(uid, role, if index == 2 { "aal2" } else { "aal1" }));
        }
        callers
    }

    /// Begins a transaction as this caller behind the second wall.
    async fn enter(&self, caller: &Caller) {
        let claims = match caller {
            Caller::User(user) => format!(
                "{{\"sub\": \"{}\", \"aal\": \"{}\", \"app_metadata\": {{\"role\": \"{}\"}}}}",
                user.uid, user.aal, user.role
            ),
            _ => String::new(),
        };
        let text = format!(
            "BEGIN; SET LOCAL ROLE {}; SELECT set_config('request.jwt.claims', '{claims}', TRUE)",
            self.role
        );
        self.client.batch_execute(&text).await.unwrap();
    }

    async fn leave(&self) {
        self.client.batch_execute("ROLLBACK").await.unwrap();
    }

    /// Rows changed behind the second wall; none where it refuses.
    async fn try_out(&self, caller: &Caller, statement: &str) -> u64 {
        self.enter(caller).await;
        let changed = self.client.execute(statement, &[]).await.unwrap_or(0);
        self.leave().await;
        changed
    }
}

fn any(catalog: &Catalog, ty: ScalarType, random: &mut impl Rng) -> Value {
    match ty {
        ScalarType::Boolean => Value::Bool(random.random()),
        ScalarType::Int | ScalarType::BigInt => Value::Int(random.random_range(1..6)),
        ScalarType::Float => Value::Float(f64::from(random.random_range(0..9))),
        ScalarType::Decimal { scale, .. } => Value::Decimal(Decimal { units: 12_345, scale }),
        ScalarType::String => Value::Text(format!("t{}", random.random::<u32>())),
        ScalarType::Enum(id) => {
            let members = &catalog.enum_type(id).members;
            Value::Text(members[random.random_range(0..members.len())].name.clone())
        }
        ScalarType::Uuid => Value::Uuid(Uuid::from_u128(random.random())),
        ScalarType::Timestamp => Value::Timestamp(NOW + random.random_range(-1..2) * 90_000_000_000_000),
        ScalarType::Time => Value::Time(random.random_range(0..86_400_000_000)),
        ScalarType::Duration => Value::Duration(random.random()),
        ScalarType::Bytes => Value::Bytes(random.random::<u32>().to_be_bytes().to_vec()),
        ScalarType::Date => Value::Null,
        ScalarType::Json => Value::Json("{}".to_owned()),
        ScalarType::List(_) => Value::List(Vec::new()),
    }
}

fn insert(table: &Table, row: Vec<Value>) -> Insert {
    Insert::of(table.id, ROW, table.columns.iter().map(|column| column.id).collect(), vec![row])
}

fn column(table: &Table, id: backstay_schema::catalog::ColumnId) -> Scalar {
    Scalar::Column(ColumnRef { source: ROW, table: table.id, column: id })
}

fn keys(table: &Table) -> Query {
    let outputs = table.key.iter().map(|id| Output {
        name: table.column(*id).name.clone(),
        starred: false,
        spilled: false,
        value: OutputValue::Scalar(column(table, *id), table.column(*id).ty),
    });
    Query::Select(Select {
        source: ROW,
        table: table.id,
        outputs: outputs.collect(),
        filter: Pred::TRUE,
        order: Vec::new(),
        limit: None,
        offset: 0,
        count: false,
        group: None,
    })
}

fn texts(reply: &Reply, width: usize) -> BTreeSet<String> {
    let rows = &reply.parts[0].rows;
    let text = |cell: &Cell| match cell {
        Cell::Text { start, len } => rows.slice(*start, *len).to_owned(),
        other => format!("{other:?}"),
    };
    rows.cells.chunks(width).map(|cells| cells.iter().map(text).collect::<Vec<_>>().join("|")).collect()
}

async fn hold(walls: &Walls, counts: &mut [u64; 4]) {
    for table in &walls.catalog.tables {
        let all = walls.ask(&Caller::System, keys(table), End::Commit).await.unwrap();
        let all = texts(&all, table.key.len());
        // what reads headers stays denied behind the second wall
        if table.name == "headed" {
            continue;
        }
        for caller in walls.callers() {
            let told = format!("{} as {caller:?}", table.name);
            let woven = walls.ask(&caller, keys(table), End::Commit).await;
            let woven = woven.map(|reply| texts(&reply, table.key.len())).unwrap_or_default();
            let names: Vec<String> =
                table.key.iter().map(|id| format!("\"{}\"::text", table.column(*id).name)).collect();
            let text = format!("SELECT concat_ws('|', {}) FROM \"{}\"", names.join(", "), table.name);
            walls.enter(&caller).await;
            let rows = walls.client.query(&text, &[]).await;
            walls.leave().await;
            let behind: BTreeSet<String> =
                rows.unwrap_or_default().iter().map(|row| row.get::<_, String>(0)).collect();
            assert_eq!(woven, behind, "reading {told}");
            counts[0] += behind.len() as u64;
            if table.key.len() == 1 && Some(table.id) != walls.catalog.user {
                for id in &all {
                    writes(walls, table, (&caller, id), &told, counts).await;
                }
            }
        }
    }
}

async fn writes(
    walls: &Walls,
    table: &Table,
    (caller, id): (&Caller, &String),
    told: &str,
    counts: &mut [u64; 4],
) {
    let key = table.key[0];
    let bind = Scalar::Bind(Value::Uuid(id.parse().unwrap()), ScalarType::Uuid);
    let filter = Pred::Compare(PredOp::Eq, column(table, key), bind);
    let delete = Delete {
        table: table.id,
        row: ROW,
        filter: filter.clone(),
        filtered: true,
        rule: Pred::TRUE,
        denials: Denials::default(),
        returning: None,
    };
    let affected = |reply: Option<Reply>| reply.map_or(0, |reply| reply.parts[0].affected);
    let woven = affected(walls.ask(caller, Query::Delete(delete), End::Rollback).await);
    let text = format!("DELETE FROM \"{}\" WHERE \"id\" = '{id}'", table.name);
    let behind = walls.try_out(caller, &text).await;
    assert_eq!(woven, behind, "deleting {id} of {told}");
    counts[1] += behind;
    let plain = table.columns.iter().find(|column| {
        let free = column.access.update.allow.is_empty() && column.access.update.deny.is_empty();
        column.ty == ScalarType::String
            && free
            && column.fill == Fill::None
            && column.set_update.is_none()
            && column.set_create.is_none()
    });
    let Some(plain) = plain else { return };
    let update = Update {
        table: table.id,
        row: ROW,
        old: SourceId(1),
        filter,
        filtered: true,
        given: Vec::new(),
        assign: vec![(plain.id, Assign::Value(Value::Text("new text".into())))],
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
    };
    let woven = affected(walls.ask(caller, Query::Update(update), End::Rollback).await);
    let text = format!("UPDATE \"{}\" SET \"{}\" = 'new text' WHERE \"id\" = '{id}'", table.name, plain.name);
    let behind = walls.try_out(caller, &text).await;
    assert_eq!(woven, behind, "changing {id} of {told}");
    counts[2] += behind;
}

/// Inserts of documents by everybody for everybody.
async fn inserts(walls: &Walls, counts: &mut [u64; 4]) {
    let doc = walls.catalog.public_table("doc").unwrap();
    for caller in walls.callers() {
        for owner in &walls.people {
            let columns = ["id", "owner_id", "title"].map(|name| doc.column_named(name).unwrap().id);
            let id = Uuid::from_u128(owner.as_u128() ^ 0xffff);
            let row = [Value::Uuid(id), Value::Uuid(*owner), Value::Text("made".into())];
            let made = Insert {
                columns: columns[1..].to_vec(),
                rows: vec![row[1..].to_vec()],
                ..insert(doc, Vec::new())
            };
            let woven = walls
                .ask(&caller, Query::Insert(made), End::Rollback)
                .await
                .map_or(0, |r| r.parts[0].affected);
            let text = format!("INSERT INTO doc (id, owner_id, title) VALUES ('{id}', '{owner}', 'made')");
            let behind = walls.try_out(&caller, &text).await;
            assert_eq!(woven, behind, "making a document of {owner} as {caller:?}");
            counts[3] += behind;
        }
    }
}

#[tokio::test]
async fn both_walls_let_the_same_through() {
    if !server().is_some_and(|url| url.starts_with("postgres")) {
        eprintln!("skipped: row-level security is PostgreSQL's");
        return;
    }
    let mut random = seeded("walls", 20_260_301);
    let mut counts = [0_u64; 4];
    for case in 0..cases(3) {
        let role = format!("bs_walls_{}", std::process::id());
        for (sdl, inserting) in [(RULED, true), (SHOP, false)] {
            let walls = Walls::up(sdl, &role, &mut random).await;
            hold(&walls, &mut counts).await;
            if inserting {
                inserts(&walls, &mut counts).await;
            }
            let drop = format!("DROP SCHEMA backstay_rls CASCADE; DROP OWNED BY {role}; DROP ROLE {role}");
            walls.client.batch_execute(&drop).await.unwrap();
        }
        let _ = case;
    }
    println!("walls: rows read, deleted, changed, made behind both: {counts:?}");
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}: too little was let through to say anything");
}
