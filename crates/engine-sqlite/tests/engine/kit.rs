//! A database of its own, and queries by name. The tests of other engines take this file
//! and those of reads and writes as they are: what differs stands in `store`.

use crate::store::{self, Backend, Place};
use backstay_base::clock::Clock;
use backstay_base::fault::{Details, Fault};
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine::migration::Batch;
use backstay_policy::caller::{Caller, RequestInfo, User};
use backstay_policy::guarded::Guarded;
use backstay_policy::weave;
use backstay_query::named::{self, Embed, Field, Filter, Input, Item, Operand, Test};
use backstay_query::plan::{End, Expect, Query, Script};
use backstay_query::reply::{Cell, Part, Reply, Rows, Shape, ShapeKind};
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::{Access, Arm, Catalog, Fill, Permit, Span, Table};
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_schema::expr::{CompareOp, End as PathEnd, Expr, ExprKind, Path, Root, Ty};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use backstay_sql::ddl;
use std::fmt::Write as _;
use std::sync::Arc;

pub const SCHEMA: &str = r#"
type Person { id: Int!  name: String!  manager: Person  reports: [Person!]!  posts: [Post!]! }
enum State { DRAFT @next(to: [LIVE])  LIVE @next(to: [GONE])  GONE }
type Post
  @check(expr: "this.words >= 0", message: "too few words")
  @check(expr: "this.title.startsWith('x') == false", message: "no title begins with x")
{
  id: Int!
  title: String! @valid(minLength: 2, maxLength: 20)
  slug: String! @unique
  author: Person!
  state: State! @default(value: DRAFT)
  words: Int!
  price: Decimal
  score: Float
  flag: Boolean
  meta: JSON
  day: Date
  at: Timestamp
  ref: UUID
  rank: Int @valid(min: 0)
  tags: [Tag!]!
  notes: [Note!]!
}
type Tag { id: Int! label: String! posts: [Post!]! }
type Pair { id: Int! one: Person! @relation(onDelete: CASCADE) two: Person! @relation(onDelete: CASCADE) three: Post }
type Note { id: Int! post: Post! @relation(onDelete: CASCADE) text: String @unique }
"#;

pub struct Db {
    pub dir: Place,
    pub catalog: Arc<Catalog>,
    pub engine: Arc<Backend>,
}

pub fn catalog() -> Arc<Catalog> {
    let file = SourceFile { name: "schema.graphql".into(), text: SCHEMA.into(), owner: Owner::Project };
    match compile(&[file], &Settings::default()) {
        Ok(compiled) => Arc::new(compiled.catalog),
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    }
}

pub async fn open() -> Db {
    open_with(&Limits::default()).await
}

pub async fn open_with(limits: &Limits) -> Db {
    open_catalog(limits, catalog()).await
}

async fn open_catalog(limits: &Limits, catalog: Arc<Catalog>) -> Db {
    let (dir, engine, dialect) = store::open(limits).await;
    let statements = ddl::create_all(&catalog, dialect);
    engine.migrate(&Batch::plain(statements)).await.unwrap();
    Db { dir, catalog, engine }
}

pub fn guarded(catalog: &Arc<Catalog>, script: Script) -> Guarded<Script> {
    weave::system(script, 0, catalog, &Ids::seeded(Clock::fixed(0), 1)).unwrap()
}

/// `this.column op value` over a table.
pub fn rule(table: &Table, column: &str, op: CompareOp, value: Value) -> Expr {
    let column = table.column_named(column).unwrap();
    let ty = Ty::Scalar(column.ty);
    let expr = |kind, ty| Expr { kind, ty, span: Span::default() };
    let path = Path { root: Root::This, hops: Vec::new(), end: PathEnd::Column(column.id) };
    let sides = [ExprKind::Path(path), ExprKind::Const(value)].map(|kind| Box::new(expr(kind, ty.clone())));
    let [a, b] = sides;
    expr(ExprKind::Compare(op, a, b), Ty::Scalar(ScalarType::Boolean))
}

/// `this.a != this.b` over a table.
fn differ(table: &Table, a: &str, b: &str) -> Expr {
    let column = |name: &str| {
        let column = table.column_named(name).unwrap();
        let path = Path { root: Root::This, hops: Vec::new(), end: PathEnd::Column(column.id) };
        Box::new(Expr { kind: ExprKind::Path(path), ty: Ty::Scalar(column.ty), span: Span::default() })
    };
    let kind = ExprKind::Compare(CompareOp::Ne, column(a), column(b));
    Expr { kind, ty: Ty::Scalar(ScalarType::Boolean), span: Span::default() }
}

fn allow(expr: Expr) -> Permit {
    let arm = Arm {
        id: "test".into(),
        expr,
        text: String::new(),
        fields: None,
        message: None,
        span: Span::default(),
    };
    Permit { allow: vec![arm], deny: Vec::new() }
}

/// People but Cy are readable; posts of less than 100 words may be made, of less than 50
/// read, of less than 30 whose title is not their slug changed; drafts may be deleted; everything else is open.
fn ruled_catalog() -> Arc<Catalog> {
    let mut catalog = Arc::unwrap_or_clone(catalog());
    let always = Expr {
        kind: ExprKind::Const(Value::Bool(true)),
        ty: Ty::Scalar(ScalarType::Boolean),
        span: Span::default(),
    };
    for table in &mut catalog.tables {
        let all = || allow(always.clone());
        table.access = Access { read: all(), create: all(), update: all(), delete: all() };
        if table.name != "note" {
            table
                .columns
                .iter_mut()
                .filter(|column| column.name == "id")
                .for_each(|id| id.fill = Fill::Client);
        }
        if table.name == "person" {
            table.access.read = allow(rule(table, "name", CompareOp::Ne, text("Cy")));
        }
        if table.name == "post" {
            let words = |most| allow(rule(table, "words", CompareOp::Lt, Value::Int(most)));
            let short = rule(table, "words", CompareOp::Lt, Value::Int(30));
            let titled = differ(table, "title", "slug");
            let ty = short.ty.clone();
            let both = ExprKind::And(Box::new(short), Box::new(titled));
            let update = allow(Expr { kind: both, ty, span: Span::default() });
            let delete = allow(rule(table, "state", CompareOp::Eq, text("DRAFT")));
            table.access = Access { read: words(50), create: words(100), update, delete };
        }
    }
    Arc::new(catalog)
}

impl Db {
    /// As [`Db::filled`], with access rules; Cy is hidden.
    pub async fn ruled() -> Self {
        Self::fill(open_catalog(&Limits::default(), ruled_catalog()).await).await
    }

    /// With three people, two posts and three notes.
    pub async fn filled() -> Self {
        Self::fill(open().await).await
    }

    async fn fill(db: Self) -> Self {
        for (table, columns, rows) in [
            (
                "person",
                "id name manager_id",
                vec![vec!["1", "Ann", ""], vec!["2", "Bob", "1"], vec!["3", "Cy", "1"]],
            ),
            (
                "post",
                "id title slug author_id state words price flag meta",
                vec![
                    vec![
                        "1",
                        "First",
                        "first",
                        "1",
                        "DRAFT",
                        "10",
                        "9.5",
                        "true",
                        r#"{"a":{"b":[1,"x"],"c":12345678901234567890.10,"n":null}}"#,
                    ],
                    vec!["2", "Second", "second", "2", "LIVE", "20", "", "", ""],
                ],
            ),
            (
                "note",
                "id post_id text",
                vec![vec!["1", "1", "n1"], vec!["2", "1", "n2"], vec!["3", "2", "n3"]],
            ),
            ("tag", "id label", vec![vec!["1", "red"], vec!["2", "blue"]]),
            ("post_tag", "post_id tag_id", vec![vec!["1", "1"], vec!["1", "2"], vec!["2", "2"]]),
        ] {
            db.run(named::Query::Insert(insert(table, columns, &rows))).await.unwrap();
        }
        db
    }

    pub fn script(&self, query: named::Query) -> Script {
        self.script_of(&[(query, Expect::Any)], End::Commit)
    }

    pub fn script_of(&self, steps: &[(named::Query, Expect)], end: End) -> Script {
        resolve(&self.catalog, steps, end, Reach::Public, &Limits::default()).unwrap()
    }

    pub async fn execute(&self, script: Script) -> Result<Reply, Fault> {
        self.engine.run(&guarded(&self.catalog, script)).await
    }

    pub async fn run(&self, query: named::Query) -> Result<Part, Fault> {
        let script = self.script(query);
        Ok(self.execute(script).await?.parts.remove(0))
    }

    /// Runs a script as a signed-in user.
    pub async fn execute_as_user(&self, script: Script) -> Result<Reply, Fault> {
        let user = User {
            uid: uuid::Uuid::nil(),
            role: "authenticated".into(),
            email: None,
            org: None,
            aal: "aal1".into(),
            claims: Arc::default(),
        };
        let ids = Ids::seeded(Clock::fixed(0), 1);
        let caller = Caller::User(Arc::new(user));
        let guarded = weave::weave(script, &caller, &RequestInfo::default(), &self.catalog, &ids)?;
        self.engine.run(&guarded).await
    }

    /// Runs a query as a signed-in user.
    pub async fn as_user(&self, query: named::Query) -> Result<Part, Fault> {
        let script = self.script(query);
        Ok(self.execute_as_user(script).await?.parts.remove(0))
    }

    /// The rows of a select, as JSON.
    pub async fn json(&self, select: named::Select) -> String {
        let script = self.script(named::Query::Select(select));
        let shape = match &script.steps[0].query {
            Query::Select(select) => Shape::of(select),
            _ => unreachable!(),
        };
        let reply = self.execute(script.clone()).await.unwrap();
        render(&reply.parts[0].rows, &shape)
    }

    /// Columns of a whole table.
    pub async fn dump(&self, table: &str, columns: &str) -> String {
        self.json(select(table, columns)).await
    }
}

pub fn field(name: &str) -> Field {
    Field { name: name.into(), path: Vec::new() }
}

pub fn items(columns: &str) -> Vec<Item> {
    let one = |name: &str| Item::Field { field: field(name), alias: None, cast: None, aggregate: None };
    columns.split_whitespace().map(one).collect()
}

pub fn select(table: &str, columns: &str) -> named::Select {
    named::Select { table: table.into(), items: items(columns), ..named::Select::default() }
}

pub fn embed(target: &str, inner: named::Select) -> Item {
    let select = named::Select { table: String::new(), ..inner };
    Item::Embed(Embed { target: target.into(), hint: None, alias: None, inner: false, spread: false, select })
}

pub fn compare(name: &str, comparison: named::Comparison, value: &str) -> Filter {
    Filter::Field(field(name), Test::Compare(comparison, Operand::Text(value.into())))
}

pub fn eq(name: &str, value: &str) -> Filter {
    compare(name, named::Comparison::Eq, value)
}

/// Empty cells are NULL.
pub fn insert(table: &str, columns: &str, rows: &[Vec<&str>]) -> named::Insert {
    let cell = |text: &&str| match text.chars().next() {
        None => Input::Null,
        Some('{') => Input::Json((*text).into()),
        Some(_) => Input::Text((*text).into()),
    };
    named::Insert {
        table: table.into(),
        columns: columns.split_whitespace().map(Into::into).collect(),
        rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        ..named::Insert::default()
    }
}

pub fn update(table: &str, assign: &[(&str, &str)], filters: Vec<Filter>) -> named::Update {
    let cell = |text: &str| if text.is_empty() { Input::Null } else { Input::Text(text.into()) };
    named::Update {
        table: table.into(),
        assign: assign.iter().map(|(name, value)| ((*name).into(), cell(value))).collect(),
        filters,
        ..named::Update::default()
    }
}

pub fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    let fault = result.expect_err("a refusal");
    let details = match &fault.details {
        Some(Details::Text(text) | Details::Json(text)) => text.clone(),
        None => String::new(),
    };
    let source = fault.source.as_ref().map(|source| format!(" <{source}>")).unwrap_or_default();
    format!(
        "{} | {} | {details}{}",
        fault.code.text,
        fault.message,
        if fault.code.text == "XX000" { source } else { String::new() }
    )
}

/// Compact JSON of rows.
pub fn render(rows: &Rows, shape: &Shape<'_>) -> String {
    let mut out = String::new();
    let mut cells = rows.cells.iter().copied();
    list(rows, shape, rows.count, &mut cells, &mut out);
    assert!(cells.next().is_none(), "cells are left over");
    out
}

type Cells<'c> = std::iter::Copied<std::slice::Iter<'c, Cell>>;

fn list(rows: &Rows, shape: &Shape<'_>, count: u64, cells: &mut Cells<'_>, out: &mut String) {
    out.push('[');
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        object(rows, shape, cells, out);
    }
    out.push(']');
}

fn object(rows: &Rows, shape: &Shape<'_>, cells: &mut Cells<'_>, out: &mut String) {
    out.push('{');
    for (index, member) in shape.members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write!(out, "{}:", member.name).unwrap();
        match (&member.kind, cells.next().expect("a cell")) {
            (_, Cell::Null) => out.push_str("null"),
            (ShapeKind::One(inner) | ShapeKind::Spread(inner), Cell::Row) => object(rows, inner, cells, out),
            (ShapeKind::Many(inner), Cell::List(count)) => list(rows, inner, count.into(), cells, out),
            (ShapeKind::Scalar(_) | ShapeKind::Count(_), Cell::Bool(value)) => {
                write!(out, "{value}").unwrap()
            }
            (ShapeKind::Scalar(_) | ShapeKind::Count(_), Cell::Int(value)) => write!(out, "{value}").unwrap(),
            (ShapeKind::Scalar(_), Cell::Float(value)) => write!(out, "{value:?}").unwrap(),
            (ShapeKind::Scalar(_), Cell::Text { start, len }) => {
                write!(out, "{:?}", rows.slice(start, len)).unwrap()
            }
            (ShapeKind::Scalar(_), Cell::Raw { start, len }) => out.push_str(rows.slice(start, len)),
            (kind, cell) => panic!("{cell:?} for {kind:?}"),
        }
    }
    out.push('}');
}

pub fn text(value: &str) -> Value {
    Value::Text(value.into())
}
