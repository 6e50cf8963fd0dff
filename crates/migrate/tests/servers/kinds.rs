//! A column that takes another type, every pair of types: rows that convert are converted alike on every engine, a
//! row that does not is refused on all, and what is there afterwards is a value of the new type.

use crate::compiled;
use crate::rows::{ROW, ask};
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine::migration::{Batch, Pace};
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::draft::draft;
use backstay_migrate::file;
use backstay_migrate::lint::lint;
use backstay_query::plan::{ColumnRef, Insert, Order, Output, OutputValue, Pred, Query, Scalar, Select};
use backstay_query::reply::Cell;
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::Owner;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value};
use backstay_sql::dialect::conversion::{is_known, told_apart};
use backstay_sql::dialect::{DIALECTS, Dialect};
use backstay_testkit::database::Database;
use backstay_testkit::seed::{cases, seeded};
use rand::Rng as _;
use rand::seq::SliceRandom;
use std::sync::Arc;
use uuid::Uuid;

const KINDS: [&str; 15] = [
    "Int",
    "BigInt",
    "Float",
    "Decimal",
    "Boolean",
    "String",
    "UUID",
    "Timestamp",
    "Date",
    "Time",
    "Duration",
    "Bytes",
    "JSON",
    "State",
    "[String!]",
];

/// Two schemas, and what leads from nothing to the one and from there to the other, per engine.
struct Way {
    old: Arc<Catalog>,
    new: Arc<Catalog>,
    made: Vec<(&'static str, Vec<String>)>,
    changed: Vec<(&'static str, Vec<String>)>,
    loses: Vec<bool>,
}

fn sdl(kind: &str) -> String {
    format!("enum State {{ ONE TWO }}\ntype T {{ x: {kind} }}")
}

impl Way {
    async fn of(scratch: &Sqlite, (from, to): (&str, &str)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = [from, to].map(|kind| Arc::new(compiled(&[(&sdl(kind), Owner::Project)])));
        let first = draft(scratch, &old, &[]).await.unwrap();
        file::write(folder.path(), "from", &first).unwrap();
        let second = draft(scratch, &new, &file::read(folder.path()).unwrap()).await.unwrap();
        let statements = |draft: &backstay_migrate::draft::Draft| {
            draft.plans.iter().map(|(engine, plan)| (*engine, plan.statements())).collect()
        };
        let written = file::write(folder.path(), "to", &second).unwrap();
        for (engine, plan) in &second.plans {
            assert_eq!(written.statements(engine), plan.statements(), "{from} {to}");
            let unread = lint(&file::read(folder.path()).unwrap(), 0, engine);
            assert!(unread.iter().all(|finding| finding.rule.code != "BM100"), "{from} {to} {unread:?}");
        }
        let loses = second.plans.iter().map(|(_, plan)| plan.is_destructive()).collect();
        Self { old, new, made: statements(&first), changed: statements(&second), loses }
    }

    /// The value after the change; none where it is refused.
    async fn goes(
        &self,
        engine: &dyn Engine,
        dialect: &'static Dialect,
        values: &[Value],
    ) -> Option<Vec<String>> {
        let own = |all: &[(&'static str, Vec<String>)]| {
            let mine = all.iter().find(|(name, _)| *name == dialect.name);
            Batch { pace: Pace::Whole, ..Batch::plain(mine.unwrap().1.clone()) }
        };
        engine.migrate(&own(&self.made)).await.unwrap();
        let table = &self.old.tables[0];
        let columns = table.columns.iter().map(|column| column.id).collect();
        let id = |number: usize| Value::Uuid(Uuid::from_u128(number as u128 + 1));
        let rows = values.iter().enumerate().map(|(number, value)| {
            let cell = |column: &backstay_schema::catalog::Column| {
                if column.name == "x" { value.clone() } else { id(number) }
            };
            table.columns.iter().map(cell).collect()
        });
        let insert = Insert::of(table.id, ROW, columns, rows.collect());
        ask(engine, &self.old, Query::Insert(insert)).await;
        let done = engine.migrate(&own(&self.changed)).await;
        let read = match done {
            Ok(()) => Some(self.read(engine).await),
            Err(_) => None,
        };
        engine.migrate(&Batch::plain(vec!["DROP TABLE t".into()])).await.unwrap();
        read
    }

    async fn read(&self, engine: &dyn Engine) -> Vec<String> {
        let table = &self.new.tables[0];
        let named = |name: &str| table.columns.iter().find(|column| column.name == name).unwrap();
        let read =
            |name: &str| Scalar::Column(ColumnRef { source: ROW, table: table.id, column: named(name).id });
        let x = Output {
            name: "x".into(),
            starred: false,
            spilled: false,
            value: OutputValue::Scalar(read("x"), named("x").ty),
        };
        let select = Query::Select(Select {
            source: ROW,
            table: table.id,
            outputs: vec![x],
            filter: Pred::TRUE,
            order: vec![Order { by: read("id"), descending: false, nulls_first: false }],
            limit: None,
            offset: 0,
            count: false,
            group: None,
        });
        let reply = ask(engine, &self.new, select).await;
        let rows = &reply.parts[0].rows;
        let text = |cell: &Cell| match cell {
            Cell::Text { start, len } | Cell::Raw { start, len } => rows.slice(*start, *len).to_owned(),
            other => format!("{other:?}"),
        };
        rows.cells.iter().map(text).collect()
    }
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| Value::Text((*text).to_owned())).collect()
}

/// A text, and what it becomes; nothing where it is refused.
type Read = (&'static str, Option<&'static str>);

/// Texts by the type that they become.
const TEXTS: &[(&str, &[Read])] = &[
    (
        "Date",
        &[
            ("2024-02-29", Some("2024-02-29")),
            ("0001-01-01", Some("0001-01-01")),
            ("9999-12-31", Some("9999-12-31")),
            ("2023-02-29", None),
            ("2024-1-5", None),
            ("20240105", None),
            ("0000-01-01", None),
            ("2024-00-01", None),
            ("2024-01-00", None),
            ("2024-13-01", None),
            ("2024-01-05 ", None),
            (" 2024-01-05", None),
            ("", None),
            ("2024-01-05\n", None),
            ("abc", None),
            ("now", None),
            ("infinity", None),
            ("2024-01-05T00:00:00", None),
            ("05/01/2024", None),
            ("10000-01-01", None),
            ("-001-01-01", None),
            ("٢٠٢٤-٠١-٠٥", None),
        ],
    ),
    (
        "Time",
        &[
            ("09:30", Some("09:30:00")),
            ("09:30:05", Some("09:30:05")),
            ("09:30:05.500", Some("09:30:05.5")),
            ("10:00:00.000000", Some("10:00:00")),
            ("24:00:00", Some("24:00:00")),
            ("00:00:00.000001", Some("00:00:00.000001")),
            ("24:00", None),
            ("24:00:01", None),
            ("9:30", None),
            ("093000", None),
            ("7", None),
            ("-01:00:00", None),
            ("09:60:00", None),
            ("09:30:60", None),
            ("09:30:05.", None),
            ("09:30:05.1234567", None),
            ("09:30:00Z", None),
            ("09:30\n", None),
            ("allballs", None),
            ("", None),
            ("25:00", None),
            ("2", None),
            ("99:00:00", None),
        ],
    ),
    (
        "Timestamp",
        &[
            ("2024-01-05T09:30:00+00:00", Some("2024-01-05T09:30:00+00:00")),
            ("2024-01-05 09:30:00.120Z", Some("2024-01-05T09:30:00.12+00:00")),
            ("2024-01-05T09:30:00.000000", Some("2024-01-05T09:30:00+00:00")),
            ("2024-01-05T09:30:00.123456+00", Some("2024-01-05T09:30:00.123456+00:00")),
            ("2024-01-05T23:59:59", Some("2024-01-05T23:59:59+00:00")),
            ("2024-01-05", None),
            ("2024-01-05T09:30", None),
            ("2024-01-05T24:00:00", None),
            ("2024-01-05T09:30:60Z", None),
            ("2024-01-05T09:30:00+02:00", None),
            ("2024-01-05T09:30:00 UTC", None),
            ("2024-02-30T09:30:00Z", None),
            ("2024-01-05T09:30:00.1234567Z", None),
            ("2024-01-05T09:30:00.Z", None),
            ("2024-01-05T09:30:00ZZ", None),
            ("2024-01-05t09:30:00z", None),
            ("0000-01-05T09:30:00Z", None),
            ("2024-01-05T09:30:00Z\n", None),
            ("", None),
            ("epoch", None),
            ("2024-01-05T09:30:00.12+00:00:00", None),
            ("2024-01-05T25:30:00Z", None),
        ],
    ),
    (
        "UUID",
        &[
            ("6F9619FF-8B86-D011-B42D-00CF4FC964FF", Some("6f9619ff-8b86-d011-b42d-00cf4fc964ff")),
            ("6f9619ff-8b86-d011-b42d-00cf4fc964ff", Some("6f9619ff-8b86-d011-b42d-00cf4fc964ff")),
            ("6f9619ff8b86d011b42d00cf4fc964ff", None),
            ("{6f9619ff-8b86-d011-b42d-00cf4fc964ff}", None),
            ("6f9619ff-8b86-d011-b42d-00cf4fc964fg", None),
            ("6f9619ff8b86-d011-b42d-00cf-4fc964ff", None),
            ("6f9619ff-8b86-d011-b42d-00cf4fc964f", None),
            ("6f9619ff-8b86-d011-b42d-00cf4fc964ff\n", None),
            ("6f96-9ff-8b86-d011-b42d-00cf4fc964ff", None),
            ("", None),
            ("abc", None),
            ("0123456789abcdef", None),
        ],
    ),
    (
        "Int",
        &[
            ("7", Some("Int(7)")),
            ("-7", Some("Int(-7)")),
            ("007", Some("Int(7)")),
            ("2147483647", Some("Int(2147483647)")),
            ("-2147483648", Some("Int(-2147483648)")),
            ("2147483648", None),
            ("-2147483649", None),
            ("1.0", None),
            ("1e3", None),
            ("0x1F", None),
            ("1_000", None),
            (" 7", None),
            ("7 ", None),
            ("+7", None),
            ("", None),
            ("-", None),
            ("--7", None),
            ("7\n", None),
            ("99999999999999999999", None),
            ("abc", None),
            ("٧", None),
            ("1-", None),
        ],
    ),
    (
        "BigInt",
        &[
            ("9223372036854775807", Some("Int(9223372036854775807)")),
            ("-9223372036854775808", Some("Int(-9223372036854775808)")),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("1.0", None),
            ("true", None),
            ("7\n", None),
        ],
    ),
    (
        "Float",
        &[
            ("1.5", Some("Float(1.5)")),
            ("-0.25", Some("Float(-0.25)")),
            ("1e3", Some("Float(1000.0)")),
            ("2E-3", Some("Float(0.002)")),
            ("0.1", Some("Float(0.1)")),
            ("1e99", Some("Float(1e99)")),
            ("007.50", Some("Float(7.5)")),
            ("1e400", None),
            ("1e-400", None),
            (".5", None),
            ("5.", None),
            ("+5", None),
            ("NaN", None),
            ("Infinity", None),
            ("-0.0", Some("Float(0.0)")),
            ("-0", Some("Float(0.0)")),
            ("1,5", None),
            (" 1", None),
            ("1 ", None),
            ("1e", None),
            ("1e+", None),
            ("--1", None),
            ("1.2.3", None),
            ("", None),
            ("0x1", None),
            ("1e1e1", None),
            ("1-2", None),
            ("1e99\n", None),
            ("-e5", None),
            ("1+1", None),
        ],
    ),
    (
        "Decimal",
        &[
            ("7", Some("7.0000")),
            ("-7.5", Some("-7.5000")),
            ("0.0001", Some("0.0001")),
            ("-0.0001", Some("-0.0001")),
            ("1.50000000", Some("1.5000")),
            ("007.25", Some("7.2500")),
            ("-0", Some("0.0000")),
            ("-0.00", Some("0.0000")),
            ("99999999999999.9999", Some("99999999999999.9999")),
            ("-99999999999999.9999", Some("-99999999999999.9999")),
            ("00000000000000000000000000000000000000001", Some("1.0000")),
            ("0.1", Some("0.1000")),
            // no digit is lost
            ("1.00005", None),
            ("0.00001", None),
            ("100000000000000", None),
            ("-100000000000000", None),
            ("99999999999999999999999999", None),
            ("1e3", None),
            ("1E-3", None),
            (".5", None),
            ("5.", None),
            ("-.5", None),
            ("+5", None),
            ("--5", None),
            ("5-", None),
            ("1-2", None),
            ("1.2.3", None),
            ("1..2", None),
            ("1,5", None),
            (" 1", None),
            ("1 ", None),
            ("1\n", None),
            ("", None),
            ("-", None),
            (".", None),
            ("NaN", None),
            ("Infinity", None),
            ("0x1F", None),
            ("1_000", None),
            ("$5", None),
            ("٧", None),
            ("abc", None),
        ],
    ),
    (
        "Boolean",
        &[
            ("true", Some("Bool(true)")),
            ("false", Some("Bool(false)")),
            ("1", Some("Bool(true)")),
            ("0", Some("Bool(false)")),
            ("TRUE", None),
            ("t", None),
            ("yes", None),
            ("on", None),
            ("2", None),
            ("", None),
            ("true ", None),
            ("true\n", None),
            ("01", None),
        ],
    ),
    (
        "JSON",
        &[
            ("{\"a\":1}", Some("{\"a\":1}")),
            ("\"x\"", Some("\"x\"")),
            ("null", Some("null")),
            ("[1,[2]]", Some("[1,[2]]")),
            ("abc", None),
            ("", None),
            ("{a:1}", None),
            ("{\"a\":1", None),
            ("'x'", None),
            ("[1,]", None),
            ("01", None),
            ("NaN", None),
            ("{\"a\":1} x", None),
            ("\"\\x\"", None),
            ("\"a\\\\n\\u00e9 1. \"", Some("\"a\\\\n\\u00e9 1. \"")),
            (" [ 1.5, -0 ] ", Some(" [ 1.5, -0 ] ")),
            ("1.", None),
            ("[1.]", None),
            ("1.e5", None),
            (".5", None),
            ("+1", None),
            ("\"\\u12\"", None),
            ("\"a\nb\"", None),
            ("\"a", None),
            ("\"\\\"", None),
            ("{\"a\" 1}", None),
            ("[1 2]", None),
            ("1 1", None),
            ("nullx", None),
            ("0x1", None),
        ],
    ),
    ("State", &[("ONE", Some("ONE")), ("one", None), ("THREE", None), ("", None), ("ONE ", None)]),
];

#[tokio::test]
async fn a_text_is_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let scratch = Sqlite::open(&folder.path().join("scratch.db"), &limits).unwrap();
    let database = Database::fresh(&limits).await;
    let mut wrong = Vec::new();
    for (to, cells) in TEXTS {
        let way = Way::of(&scratch, ("String", to)).await;
        let (read, refused): (Vec<_>, Vec<_>) = cells.iter().partition(|(_, becomes)| becomes.is_some());
        let given: Vec<&str> = read.iter().map(|(text, _)| *text).collect();
        let wanted: Vec<String> = read.iter().filter_map(|(_, becomes)| becomes.map(str::to_owned)).collect();
        let values: Vec<Value> = texts(&given).into_iter().chain([Value::Null]).collect();
        let wanted: Vec<String> = wanted.into_iter().chain(["Null".to_owned()]).collect();
        let found = way.goes(&*database.engine, database.dialect, &values).await;
        if found != Some(wanted) {
            wrong.push(format!("{to} {given:?}: {found:?}"));
        }
        for (text, _) in refused {
            if let Some(found) = way.goes(&*database.engine, database.dialect, &texts(&[text])).await {
                wrong.push(format!("{to} {text:?}: {found:?}, but is to be refused"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Values of every type that are at its edges.
#[expect(clippy::too_many_lines, reason = "a table")]
fn hostile(ty: ScalarType) -> Vec<Value> {
    let decimal = |units| Value::Decimal(Decimal { units, scale: 4 });
    match ty {
        ScalarType::Int => [0, 1, -1, 7, i64::from(i32::MAX), i64::from(i32::MIN), 20_260_131, 123_456]
            .map(Value::Int)
            .into(),
        ScalarType::BigInt => {
            [0, 1, -1, 7, i64::MAX, i64::MIN + 1, 1 << 31, -(1 << 31) - 1, (1 << 53) + 1, 20_260_131]
                .map(Value::Int)
                .into()
        }
        ScalarType::Float => [
            0.0,
            1.0,
            -1.0,
            1.5,
            0.1 + 0.2,
            1.005,
            -2.5,
            1e14,
            1e15,
            1e22,
            1e-4,
            1e-5,
            3e9,
            9.3e18,
            123_456_789_012.345_67,
        ]
        .map(Value::Float)
        .into(),
        ScalarType::Decimal { .. } => [
            0,
            10_000,
            -10_000,
            5_000,
            -5_000,
            15_000,
            99_999_999_999_999_999,
            1,
            30_000_000_000_000,
            9_007_199_254_740_993,
        ]
        .map(decimal)
        .into(),
        ScalarType::Boolean => vec![Value::Bool(true), Value::Bool(false)],
        ScalarType::Uuid => vec![Value::Uuid(Uuid::nil()), Value::Uuid(Uuid::from_u128(u128::MAX / 3))],
        ScalarType::Timestamp => [
            0,
            1,
            -1,
            1_700_000_000_123_456,
            1_700_000_000_500_000,
            -62_135_596_800_000_000,
            253_402_300_799_999_999,
        ]
        .map(Value::Timestamp)
        .into(),
        ScalarType::Date => [0, -719_162, 2_932_896, 19_782].map(Value::Date).into(),
        ScalarType::Time => [0, 1, 34_200_500_000, 86_399_999_999, 86_400_000_000].map(Value::Time).into(),
        ScalarType::Duration => [0, 1, -1, 90_061_000_001, i64::MAX].map(Value::Duration).into(),
        ScalarType::Bytes => vec![Value::Bytes(vec![]), Value::Bytes(vec![0, 255])],
        ScalarType::Json => [
            "{\"a\":1}",
            "7",
            "1.5",
            "true",
            "null",
            "\"ONE\"",
            "\"2026-01-31\"",
            "20260131",
            "[]",
            "1e3",
            "-0",
        ]
        .map(|text| Value::Json(text.into()))
        .into(),
        ScalarType::Enum(_) => texts(&["ONE", "TWO"]),
        ScalarType::List(_) => vec![Value::List(vec![]), Value::List(texts(&["a", "{"]))],
        ScalarType::String => {
            texts(&["", "ONE", "1", "2026-01-31", "09:00", "\"x\"", "it's \\ \"", "\u{1F600}", "1e3", "{}"])
        }
    }
}

/// What a cell of a type looks like that is whole: its text is read as the value, and the value has that text.
fn is_valid(catalog: &Catalog, ty: ScalarType, text: &str) -> bool {
    match ty {
        ScalarType::Uuid
        | ScalarType::Timestamp
        | ScalarType::Date
        | ScalarType::Time
        | ScalarType::Enum(_) => ty.parse_text(catalog, text).is_ok_and(|value| value.to_text() == text),
        ScalarType::Json => ty.parse_text(catalog, text).is_ok(),
        ScalarType::Int => {
            text.strip_prefix("Int(").is_some_and(|text| text.trim_end_matches(')').parse::<i32>().is_ok())
        }
        ScalarType::BigInt => text.starts_with("Int("),
        ScalarType::Boolean => text.starts_with("Bool("),
        ScalarType::Float => text.starts_with("Float("),
        _ => true,
    }
}

/// A decimal as text is that of the wire, and becomes the same decimal again: random ones of random scales.
#[tokio::test]
async fn decimals_are_kept_there_and_back() {
    let mut random = seeded("decimals", 20_261_124);
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let scratch = Sqlite::open(&folder.path().join("scratch.db"), &limits).unwrap();
    let database = Database::fresh(&limits).await;
    for scale in [0_u8, 1, 2, 4, 9, 17, 18] {
        let digits = random.random_range(scale.max(1)..=18);
        let kind = format!("Decimal @column(digits: {digits}, scale: {scale})");
        let most = 10_i128.pow(u32::from(digits)) - 1;
        let unit = 10_i128.pow(u32::from(scale));
        let mut units = vec![0, 1, -1, most, -most, unit.min(most), -unit.min(most), (unit / 10).min(most)];
        for _ in 0..cases(40) {
            let size = 10_i128.pow(random.random_range(0..=u32::from(digits))) - 1;
            units.push(random.random_range(-size..=size));
        }
        let decimal = |units: &i128| Decimal { units: *units, scale };
        let values: Vec<Value> = units.iter().map(|units| Value::Decimal(decimal(units))).collect();
        let wanted: Vec<String> = units.iter().map(|units| decimal(units).to_string()).collect();
        let there = Way::of(&scratch, (&kind, "String")).await;
        let found = there.goes(&*database.engine, database.dialect, &values).await;
        assert_eq!(found.as_ref(), Some(&wanted), "{kind}");
        let back = Way::of(&scratch, ("String", &kind)).await;
        let given: Vec<Value> = wanted.iter().cloned().map(Value::Text).collect();
        let found = back.goes(&*database.engine, database.dialect, &given).await;
        assert_eq!(found, Some(wanted), "{kind}");
    }
}

#[tokio::test]
async fn every_type_becomes_every_other_alike_or_is_refused() {
    let mut random = seeded("kinds", 20_261_123);
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let [scratch, sqlite] =
        ["scratch.db", "rows.db"].map(|name| Sqlite::open(&folder.path().join(name), &limits).unwrap());
    let database = Database::fresh(&limits).await;
    let is_server = database.dialect.name != "sqlite";
    let all: Vec<(&str, &str)> = KINDS.iter().flat_map(|from| KINDS.map(|to| (*from, to))).collect();
    let mut pairs: Vec<(&str, &str)> = all.into_iter().filter(|(from, to)| from != to).collect();
    pairs.shuffle(&mut random);
    pairs.truncate(usize::try_from(cases(if is_server { 40 } else { 210 })).unwrap());
    let (mut wrong, mut kept, mut refused) = (Vec::new(), 0, 0);
    for pair in pairs {
        let way = Way::of(&scratch, pair).await;
        let ty = |catalog: &Catalog| {
            catalog.tables[0].columns.iter().find(|column| column.name == "x").unwrap().ty
        };
        let (from, to) = (ty(&way.old), ty(&way.new));
        let known = is_known(told_apart(from), to) || told_apart(from) == told_apart(to);
        if !known {
            // made anew, on every engine, with the consent of somebody
            assert!(way.loses.iter().all(|loses| *loses), "{pair:?} {:?}", way.changed);
            continue;
        }
        let sqlite_words = DIALECTS.iter().find(|dialect| dialect.name == "sqlite").unwrap();
        let (mut given, mut wanted, mut left) = (vec![Value::Null], vec!["Null".to_owned()], Vec::new());
        for value in hostile(from) {
            match way.goes(&sqlite, sqlite_words, std::slice::from_ref(&value)).await {
                Some(found) => {
                    if !is_valid(&way.new, to, &found[0]) {
                        wrong.push(format!("{pair:?} {value:?}: {found:?}"));
                    }
                    wanted.extend(found);
                    given.push(value);
                }
                None => left.push(value),
            }
        }
        (kept, refused) = (kept + wanted.len(), refused + left.len());
        let found = way.goes(&*database.engine, database.dialect, &given).await;
        if found.as_ref() != Some(&wanted) {
            wrong.push(format!("{pair:?} {given:?}: {found:?}, not {wanted:?}"));
        }
        left.shuffle(&mut random);
        for value in left.into_iter().take(if is_server { 3 } else { 0 }) {
            let found = way.goes(&*database.engine, database.dialect, std::slice::from_ref(&value)).await;
            if let Some(found) = found {
                wrong.push(format!("{pair:?} {value:?}: {found:?}, which SQLite refuses"));
            }
        }
    }
    println!("kinds: {kept} cells kept, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
