//! Arithmetic, functions, tests of text and conversions of rules, each asked of the database
//! with thousands of values and compared with what it means.

use crate::kit::{Db, eq, select, text};
use backstay_base::fault::Fault;
use backstay_query::named::{self, JsonKey, JsonStep};
use backstay_query::plan::{Output, OutputValue, Pred, PredOp, Query, Scalar};
use backstay_query::reply::{Cell, Rows};
use backstay_schema::expr::{ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value, calendar, json};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

const DECIMAL: ScalarType = ScalarType::Decimal { digits: 18, scale: 4 };

/// Scalars of one statement.
const AT_ONCE: usize = 60;

/// What is asked, of which type, and the answer.
type Question = (Scalar, ScalarType, Option<Value>);

#[expect(clippy::print_stdout, reason = "a property test prints its seed")]
fn seeded() -> StdRng {
    let seed = std::env::vars().find(|(name, _)| name == "BACKSTAY_SEED");
    let seed = seed.and_then(|(_, seed)| seed.parse().ok()).unwrap_or(5);
    println!("scalars: BACKSTAY_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

fn bind(value: Value, ty: ScalarType) -> Scalar {
    Scalar::Bind(value, ty)
}

fn cells(rows: &Rows) -> Vec<String> {
    let cell = |cell: &Cell| match *cell {
        Cell::Null => "null".to_owned(),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Int(number) => number.to_string(),
        Cell::Float(number) => Value::Float(number).to_text(),
        Cell::Text { start, len } | Cell::Raw { start, len } => rows.slice(start, len).to_owned(),
        Cell::Row | Cell::List(_) => unreachable!(),
    };
    rows.cells.iter().map(cell).collect()
}

async fn answers(db: &Db, questions: &[Question]) -> Result<Vec<String>, Fault> {
    let one = named::Select { filters: vec![eq("id", "1")], ..select("post", "id") };
    let mut script = db.script(named::Query::Select(one));
    let Query::Select(select) = &mut script.steps[0].query else { unreachable!() };
    let outputs = questions.iter().enumerate().map(|(index, (scalar, ty, _))| Output {
        name: format!("v{index}"),
        starred: false,
        spilled: false,
        value: OutputValue::Scalar(scalar.clone(), *ty),
    });
    select.outputs = outputs.collect();
    Ok(cells(&db.execute(script).await?.parts[0].rows))
}

async fn agree(questions: Vec<Question>) {
    let db = Db::filled().await;
    let mut wrong = Vec::new();
    for chunk in questions.chunks(AT_ONCE) {
        let found = answers(&db, chunk).await.unwrap();
        for ((scalar, _, expected), found) in chunk.iter().zip(found) {
            let expected = expected.as_ref().map_or_else(|| "null".to_owned(), Value::to_text);
            // nothing keeps the sign of zero everywhere
            if found != expected && !(found == "-0" && expected == "0") {
                let asked = format!("{scalar:?}");
                let end = asked.char_indices().rev().nth(400).map_or(0, |(at, _)| at);
                wrong.push(format!("…{}\n  is {found}, not {expected}", &asked[end..]));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        questions.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}

fn operation(op: ArithmeticOp, (a, b): (Value, Value), ty: ScalarType, expected: Option<Value>) -> Question {
    (Scalar::Arithmetic(op, Box::new(bind(a, ty)), Box::new(bind(b, ty)), ty), ty, expected)
}

const OPS: [ArithmeticOp; 5] =
    [ArithmeticOp::Add, ArithmeticOp::Sub, ArithmeticOp::Mul, ArithmeticOp::Div, ArithmeticOp::Rem];

fn whole(op: ArithmeticOp, a: i64, b: i64) -> Option<i64> {
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Sub => a.checked_sub(b),
        ArithmeticOp::Mul => a.checked_mul(b),
        ArithmeticOp::Div => a.checked_div(b),
        ArithmeticOp::Rem => a.checked_rem(b),
    }
}

/// A number of any size.
fn any(rng: &mut StdRng, bits: u32) -> i64 {
    let edge = (1_i64 << (bits - 2)) - 1 + (1_i64 << (bits - 2));
    match rng.random_range(0..8) {
        0 => *[0, 1, -1, 2, 7, -7, 10].choose(rng).unwrap(),
        1 => *[edge, edge - 1, -edge, -edge - 1].choose(rng).unwrap(),
        _ => {
            let shift = rng.random_range(64 - bits..64);
            rng.random::<i64>() >> shift
        }
    }
}

#[tokio::test]
async fn whole_numbers() {
    let mut rng = seeded();
    let mut questions = Vec::new();
    for _ in 0..500 {
        for op in OPS {
            let (a, b) = (any(&mut rng, 64), any(&mut rng, 64));
            // whether the rest of this is out of range is a matter of taste
            if op != ArithmeticOp::Rem || b != -1 {
                let expected = whole(op, a, b).map(Value::Int);
                questions.push(operation(op, (Value::Int(a), Value::Int(b)), ScalarType::BigInt, expected));
            }
            let (a, b) = (any(&mut rng, 32), any(&mut rng, 32));
            if op != ArithmeticOp::Rem || b != -1 {
                let expected = whole(op, a, b).filter(|number| i32::try_from(*number).is_ok());
                let expected = expected.map(Value::Int);
                questions.push(operation(op, (Value::Int(a), Value::Int(b)), ScalarType::Int, expected));
            }
        }
        for (bits, ty) in [(32, ScalarType::Int), (64, ScalarType::BigInt)] {
            let number = any(&mut rng, bits);
            let fits = |number: &i64| bits == 64 || i32::try_from(*number).is_ok();
            let expected = number.checked_neg().filter(fits).map(Value::Int);
            let scalar = Scalar::Negate(Box::new(bind(Value::Int(number), ty)), ty);
            questions.push((scalar, ty, expected));
        }
    }
    agree(questions).await;
}

#[tokio::test]
async fn floats() {
    let mut rng = seeded();
    let mut questions = Vec::new();
    for _ in 0..600 {
        let mut number = || match rng.random_range(0..4) {
            0 => *[0.5, 1.0, -3.0, 1e-300, 0.1, 1e15, 1.0 / 3.0].choose(&mut rng).unwrap(),
            _ => rng.random_range(-1e9..1e9) * 10_f64.powi(rng.random_range(-20..20)),
        };
        let (a, b) = (number(), number());
        for op in OPS {
            let result = match op {
                ArithmeticOp::Add => a + b,
                ArithmeticOp::Sub => a - b,
                ArithmeticOp::Mul => a * b,
                ArithmeticOp::Div => a / b,
                ArithmeticOp::Rem => a % b,
            };
            // nothing keeps the sign of zero
            let expected =
                Some(result).filter(|result| result.is_finite()).map(|result| Value::Float(result + 0.0));
            questions.push(operation(op, (Value::Float(a), Value::Float(b)), ScalarType::Float, expected));
        }
    }
    let most = f64::MAX;
    for (op, a, b, expected) in [
        (ArithmeticOp::Add, most, most, None),
        (ArithmeticOp::Add, most, most / 1e17, Some(most)),
        (ArithmeticOp::Sub, -most, most, None),
        (ArithmeticOp::Sub, most, most, Some(0.0)),
        (ArithmeticOp::Div, 1.0, 0.0, None),
        (ArithmeticOp::Div, 0.0, 0.0, None),
        (ArithmeticOp::Rem, 1.0, 0.0, None),
    ] {
        let expected = expected.map(Value::Float);
        questions.push(operation(op, (Value::Float(a), Value::Float(b)), ScalarType::Float, expected));
    }
    agree(questions).await;
}

/// Half away from zero.
fn rounded(units: i128, by: i128) -> i128 {
    let (quotient, rest) = (units / by, units % by);
    if rest.unsigned_abs() * 2 < by.unsigned_abs() {
        return quotient;
    }
    if (units < 0) == (by < 0) { quotient + 1 } else { quotient - 1 }
}

#[tokio::test]
async fn decimals() {
    let mut rng = seeded();
    let mut questions = Vec::new();
    let one = 10_i128.pow(4);
    let limit = 10_i128.pow(18);
    for _ in 0..700 {
        let mut units = || match rng.random_range(0..8) {
            0 => limit - 1,
            1 => 1 - limit,
            2 => *[0, 1, -1, 5, 10_000, -10_000, 30_000, 70_000].choose(&mut rng).unwrap(),
            _ => i128::from(rng.random::<i64>() >> rng.random_range(5..60)),
        };
        let (a, b) = (units(), units());
        for op in OPS {
            let result = match op {
                ArithmeticOp::Add => Some(a + b),
                ArithmeticOp::Sub => Some(a - b),
                ArithmeticOp::Mul => Some(rounded(a * b, one)),
                ArithmeticOp::Div => (b != 0).then(|| rounded(a * one, b)),
                ArithmeticOp::Rem => (b != 0).then(|| a % b),
            };
            let value = |units| Value::Decimal(Decimal { units, scale: 4 });
            let expected = result.filter(|units| units.abs() < limit).map(value);
            questions.push(operation(op, (value(a), value(b)), DECIMAL, expected));
        }
    }
    agree(questions).await;
}

#[tokio::test]
async fn times() {
    let mut rng = seeded();
    let mut questions = Vec::new();
    let (first, last) = (-62_135_596_800_000_000_i64, 253_402_300_799_999_999_i64);
    let call = |function, micros| {
        let of = bind(Value::Timestamp(micros), ScalarType::Timestamp);
        (Scalar::Call(function, vec![of]), ScalarType::Int)
    };
    for _ in 0..400 {
        let micros = match rng.random_range(0..6) {
            0 => first,
            1 => last,
            _ => rng.random_range(first..=last),
        };
        let length = match rng.random_range(0..4) {
            0 => *[0, 1, -1, 86_400_000_000].choose(&mut rng).unwrap(),
            _ => rng.random::<i64>() >> rng.random_range(6..50),
        };
        for op in [ArithmeticOp::Add, ArithmeticOp::Sub] {
            let moved = if op == ArithmeticOp::Add { micros + length } else { micros - length };
            let expected = (first..=last).contains(&moved).then_some(Value::Timestamp(moved));
            let at = Box::new(bind(Value::Timestamp(micros), ScalarType::Timestamp));
            let by = Box::new(bind(Value::Duration(length), ScalarType::BigInt));
            questions.push((
                Scalar::Arithmetic(op, at, by, ScalarType::Timestamp),
                ScalarType::Timestamp,
                expected,
            ));
        }
        let (year, month, day) = calendar::civil(micros.div_euclid(86_400_000_000));
        let seconds = micros.rem_euclid(86_400_000_000) / 1_000_000;
        for (function, expected) in [
            (Function::Year, year),
            (Function::Month, month - 1),
            (Function::DayOfMonth, day - 1),
            (Function::DayOfWeek, (micros.div_euclid(86_400_000_000) + 4).rem_euclid(7)),
            (Function::Hours, seconds / 3600),
            (Function::Minutes, seconds / 60 % 60),
            (Function::Seconds, seconds % 60),
        ] {
            let (scalar, ty) = call(function, micros);
            questions.push((scalar, ty, Some(Value::Int(expected))));
        }
    }
    agree(questions).await;
}

const TEXTS: &[&str] = &[
    "", " ", "  ", "a", "A", "a ", " a", "ab", "aB", "abc", "ABC", "a%", "a_c", "a\\", "\\", "%", "_", "\\%",
    "ä", "Ä", "äÖß", "ΑΣ", "σς", "İ", "ı", "K", "😀", "😀😀", "e\u{301}", "é", "ẞ", "ß", "Ⅳ", "ⅳ", "Ა", "ა",
    "𐐀", "𐐨", "a\nb", "\t", "'", "\"", "`", "?", ":a", "$1", "--", "null", "0", "ÿ", "\u{1}", "\u{ffff}",
    "Ꭰ", "ꭰ",
];

fn is_like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|from| is_like(&text[from..], rest)),
        Some(('_', rest)) => text.split_first().is_some_and(|(_, text)| is_like(text, rest)),
        Some(('\\', rest)) if !rest.is_empty() => {
            text.first() == rest.first() && is_like(&text[1..], &rest[1..])
        }
        Some((wanted, rest)) => text.first() == Some(wanted) && is_like(&text[1..], rest),
    }
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[tokio::test]
async fn texts() {
    let string = |value: &str| bind(text(value), ScalarType::String);
    let test =
        |pred, expected| (Scalar::Test(Box::new(pred)), ScalarType::Boolean, Some(Value::Bool(expected)));
    let mut questions: Vec<Question> = Vec::new();
    for a in TEXTS {
        let call = |function| Scalar::Call(function, vec![string(a)]);
        let size = i64::try_from(a.chars().count()).unwrap();
        questions.push((call(Function::Size), ScalarType::Int, Some(Value::Int(size))));
        questions.push((call(Function::LowerAscii), ScalarType::String, Some(text(&a.to_ascii_lowercase()))));
        questions.push((call(Function::UpperAscii), ScalarType::String, Some(text(&a.to_ascii_uppercase()))));
        for b in TEXTS {
            let pair = |function| Pred::Text(function, string(a), string(b));
            questions.push(test(pair(Function::StartsWith), a.starts_with(b)));
            questions.push(test(pair(Function::EndsWith), a.ends_with(b)));
            questions.push(test(pair(Function::Contains), a.contains(b)));
            questions.push(test(Pred::Compare(PredOp::Eq, string(a), string(b)), a == b));
            questions.push(test(Pred::Compare(PredOp::Lt, string(a), string(b)), a < b));
            let lowered = Pred::Compare(PredOp::Eq, call(Function::LowerAscii), string(b));
            questions.push(test(lowered, a.to_ascii_lowercase() == *b));
            let joined = Scalar::Concat(Box::new(string(a)), Box::new(string(b)));
            questions.push((joined, ScalarType::String, Some(text(&[*a, *b].concat()))));
            questions.push(test(Pred::In(string(a), vec![text(b), text("zz")], ScalarType::String), a == b));
            for ignore_case in [false, true] {
                let like = |value: Scalar| Pred::Like { value, pattern: (*b).to_owned(), ignore_case };
                let (value, pattern) =
                    if ignore_case { (lower(a), lower(b)) } else { ((*a).into(), (*b).into()) };
                let chars = |text: &str| text.chars().collect::<Vec<char>>();
                questions.push(test(like(string(a)), is_like(&chars(&value), &chars(&pattern))));
            }
        }
    }
    agree(questions).await;
}

#[tokio::test]
async fn patterns() {
    let patterns = [
        "^a",
        "a$",
        "^$",
        "^a.c$",
        "[[:alpha:]]+",
        "\\d{2,}",
        "(?i)ABC",
        "\\pL",
        "^\\s*$",
        "a|b",
        "(ab)+c?",
        "[^a]",
        "\\bab\\b",
        "x*",
        "^.{2}$",
        "\\\\",
        "😀",
        "ä+",
        "[à-ü]",
        "(?s)a.b",
        "a.b",
        "(?m)^b",
        "\\w",
        "é",
        "[[:^digit:]]",
        "\\x{1F600}",
        "^(?:a|A)$",
        "\\.",
        "[\\]\\[^-]",
        "(?i)ß",
        "(?i)σ",
        "(?i)k",
    ];
    let mut questions = Vec::new();
    for pattern in patterns {
        let regex = regex::Regex::new(pattern).unwrap();
        for value in TEXTS {
            let bound = |value: &str| bind(text(value), ScalarType::String);
            let pred = Pred::Text(Function::Matches, bound(value), bound(pattern));
            let expected = Some(Value::Bool(regex.is_match(value)));
            questions.push((Scalar::Test(Box::new(pred)), ScalarType::Boolean, expected));
        }
    }
    agree(questions).await;
}

#[tokio::test]
async fn widening() {
    let mut rng = seeded();
    let mut questions: Vec<Question> = Vec::new();
    // a cast inside of something is the database's
    let inside = |of: Scalar, to: ScalarType| {
        Scalar::Case(
            vec![(Pred::IsNotNull(of.clone()), Scalar::Cast(Box::new(of.clone()), to))],
            Box::new(Scalar::Null(to)),
        )
    };
    for _ in 0..300 {
        let number = any(&mut rng, 64);
        let of = bind(Value::Int(number), ScalarType::BigInt);
        let fitted = Decimal::from_int(number).fit(18, 4).ok().map(Value::Decimal);
        questions.push((inside(of.clone(), DECIMAL), DECIMAL, fitted));
        #[expect(clippy::cast_precision_loss, reason = "that is what it means")]
        let float = Value::Float(number as f64);
        questions.push((inside(of, ScalarType::Float), ScalarType::Float, Some(float)));

        let units = i128::from(number >> 5);
        let decimal = Decimal { units, scale: 4 };
        let of = bind(Value::Decimal(decimal), DECIMAL);
        let float = Value::Decimal(decimal).as_float().map(Value::Float);
        questions.push((inside(of.clone(), ScalarType::Float), ScalarType::Float, float));
        for scale in [0, 2, 9] {
            let to = ScalarType::Decimal { digits: 18, scale };
            questions.push((inside(of.clone(), to), to, decimal.fit(18, scale).ok().map(Value::Decimal)));
        }
    }
    for (a, b) in [(19_999, 2), (20_000, 2), (20_001, 2), (-20_000, -2)] {
        let decimal = bind(Value::Decimal(Decimal { units: a, scale: 4 }), DECIMAL);
        let int = bind(Value::Int(b), ScalarType::Int);
        for (op, expected) in [
            (PredOp::Eq, a == i128::from(b) * 10_000),
            (PredOp::Lt, a < i128::from(b) * 10_000),
            (PredOp::Ge, a >= i128::from(b) * 10_000),
        ] {
            let pred = Pred::Compare(op, decimal.clone(), int.clone());
            questions.push((Scalar::Test(Box::new(pred)), ScalarType::Boolean, Some(Value::Bool(expected))));
        }
    }
    agree(questions).await;
}

#[tokio::test]
async fn members_of_any_name() {
    let more = ["\n", "\r\n", "\u{8}", "\u{7f}", "*", "**", "$.a", "[0]", "a.b", "a-1"];
    // MariaDB refuses these
    let reached = |name: &&str| !name.starts_with('-');
    let names: Vec<&str> = TEXTS.iter().copied().chain(more).filter(reached).collect();
    let mut document = String::from("{");
    for (index, name) in names.iter().enumerate() {
        document.push_str(if index > 0 { "," } else { "" });
        json::write_string(name, &mut document);
        document.push_str(&format!(":[{index},\"x\\ny\"]"));
    }
    document.push('}');
    let document = bind(Value::Json(document), ScalarType::Json);
    let member = |steps: &[JsonKey], as_text: bool| {
        let last = steps.len() - 1;
        let steps = steps.iter().enumerate();
        let steps =
            steps.map(|(index, key)| JsonStep { key: key.clone(), as_text: as_text && index == last });
        Scalar::Json(Box::new(document.clone()), steps.collect())
    };
    let mut questions: Vec<Question> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let name = JsonKey::Member((*name).to_owned());
        let whole = Value::Json(format!("[{index},\"x\\ny\"]"));
        questions.push((member(std::slice::from_ref(&name), false), ScalarType::Json, Some(whole)));
        for (place, expected) in [
            (0, Some(index.to_string())),
            (-2, Some(index.to_string())),
            (1, Some("x\ny".into())),
            (-1, Some("x\ny".into())),
            (2, None),
            (-3, None),
        ] {
            let steps = [name.clone(), JsonKey::Index(place)];
            let expected = expected.map(|expected: String| text(&expected));
            questions.push((member(&steps, true), ScalarType::String, expected));
        }
        let steps = [name, JsonKey::Index(0), JsonKey::Index(0)];
        questions.push((member(&steps, false), ScalarType::Json, None));
    }
    for name in ["b", "A ", "nothing", "\\u0061", "a.", "\u{2}"] {
        questions.push((member(&[JsonKey::Member(name.to_owned())], true), ScalarType::String, None));
    }
    agree(questions).await;
}
