//! Arithmetic at the edges of every type: the database and the evaluator in memory agree
//! on every value and on what is unknown.

use crate::kit::Db;
use crate::reads::scalars;
use backstay_policy::constant::arithmetic;
use backstay_query::plan::Scalar;
use backstay_schema::expr::ArithmeticOp;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const DECIMAL: ScalarType = ScalarType::Decimal { digits: 18, scale: 4 };

/// Most units of a decimal: beyond them the evaluator goes on for a little while.
const MOST_UNITS: i128 = 999_999_999_999_999_999;

type Case = (ArithmeticOp, Value, Value, ScalarType);

fn decimal(units: i128) -> Value {
    Value::Decimal(Decimal { units, scale: 4 })
}

/// Edges of a type and a few values between them.
fn values(ty: ScalarType, random: &mut StdRng) -> Vec<Value> {
    match ty {
        ScalarType::Int => {
            [i64::from(i32::MIN), -7, -1, 0, 1, 2, 3, i64::from(i32::MAX)].map(Value::Int).to_vec()
        }
        ScalarType::BigInt => {
            let edges = [i64::MIN, i64::MIN + 1, -3, -1, 0, 1, 2, 3_037_000_500, i64::MAX];
            let between = (0..4).map(|_| random.random::<i64>() >> random.random_range(0..63));
            edges.into_iter().chain(between).map(Value::Int).collect()
        }
        ScalarType::Float => {
            let edges =
                [f64::MIN, -1e200, -1.5, -1e-200, 0.0, 5e-324, 1e-200, 0.1, 3.0, 1e200, 1e308, f64::MAX];
            edges.map(Value::Float).to_vec()
        }
        DECIMAL => {
            let edges = [-MOST_UNITS, -70_000, -10_000, -1, 0, 1, 3, 10_000, 20_000, 30_001, MOST_UNITS];
            let between = (0..4).map(|_| i128::from(random.random::<i64>() >> random.random_range(5..63)));
            edges.into_iter().chain(between).map(decimal).collect()
        }
        _ => Vec::new(),
    }
}

fn cases(random: &mut StdRng) -> Vec<Case> {
    use ArithmeticOp::{Add, Div, Mul, Rem, Sub};
    let mut cases = Vec::new();
    for ty in [ScalarType::Int, ScalarType::BigInt, ScalarType::Float, DECIMAL] {
        let whole = matches!(ty, ScalarType::Int | ScalarType::BigInt);
        let values = values(ty, random);
        for op in [Add, Sub, Mul, Div].into_iter().chain(whole.then_some(Rem)) {
            let pairs = values.iter().flat_map(|a| values.iter().map(move |b| (a.clone(), b.clone())));
            cases.extend(pairs.map(|(a, b)| (op, a, b, ty)));
        }
    }
    let times = [-62_135_596_800_000_000, -1, 0, 1_769_850_000_120_001, 253_402_300_799_999_999];
    let lengths = [
        0,
        1,
        -1,
        86_400_000_000,
        -31_556_952_000_001,
        315_537_897_599_999_999,
        -315_537_897_599_999_999,
        i64::MAX,
    ];
    for (op, time, length) in [Add, Sub].into_iter().flat_map(|op| {
        times.into_iter().flat_map(move |time| lengths.into_iter().map(move |length| (op, time, length)))
    }) {
        cases.push((op, Value::Timestamp(time), Value::Duration(length), ScalarType::Timestamp));
    }
    cases
}

/// What the evaluator says; years beyond 1 to 9999 are for the database to leave out.
fn judged((op, a, b, ty): &Case) -> String {
    let made = arithmetic(*op, a, b, Some(*ty)).filter(|made| match made {
        Value::Timestamp(micros) => (-62_135_596_800_000_000..=253_402_300_799_999_999).contains(micros),
        Value::Decimal(decimal) => decimal.units.abs() <= MOST_UNITS,
        _ => true,
    });
    match made {
        None => "null".to_owned(),
        // zero has no sign that anybody is shown
        Some(Value::Float(number)) => format!("{:?}", number + 0.0),
        Some(value @ Value::Timestamp(_)) => format!("{:?}", value.to_text()),
        Some(value) => value.to_text(),
    }
}

#[tokio::test]
async fn the_edges_of_every_type_are_the_same_in_memory_and_in_the_database() {
    let seed = 20_260_131;
    println!("seed {seed}");
    let db = Db::filled().await;
    let cases = cases(&mut StdRng::seed_from_u64(seed));
    for some in cases.chunks(60) {
        let found = scalars(&db, |_| {
            let of = |(op, a, b, ty): &Case| {
                let (a, b) = (Scalar::Bind(a.clone(), *ty), Scalar::Bind(b.clone(), *ty));
                (Scalar::Arithmetic(*op, Box::new(a), Box::new(b), *ty), *ty)
            };
            some.iter().map(of).collect()
        });
        let found = found.await.replace(":-0.0,", ":0.0,").replace(":-0.0}", ":0.0}");
        let cells = found.trim_start_matches("[{").trim_end_matches("}]").split(",v");
        for (case, cell) in some.iter().zip(cells) {
            let (_, cell) = cell.split_once(':').unwrap();
            assert_eq!(cell, judged(case), "{case:?}");
        }
    }
}
