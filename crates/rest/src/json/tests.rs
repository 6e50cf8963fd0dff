//! Tests: what is written reads back the same with `serde_json`.

use super::{Form, float, int, rows, text};
use backstay_query::reply::{Cell, Rows, Shape, ShapeKind, ShapeMember};
use backstay_schema::scalar::ScalarType;

const LIST: Form = Form { singular: false, strip_nulls: false, skip: 0, take: u64::MAX };

fn member<'q>(name: &'q str, kind: ShapeKind<'q>) -> ShapeMember<'q> {
    ShapeMember { name, kind }
}

fn scalar(name: &str) -> ShapeMember<'_> {
    member(name, ShapeKind::Scalar(ScalarType::String))
}

fn shape(members: Vec<ShapeMember<'_>>) -> Shape<'_> {
    Shape { members }
}

fn written(make: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    make(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn text_round_trips() {
    let mut cases: Vec<String> = (0..0x300).filter_map(char::from_u32).map(|c| format!("a{c}b")).collect();
    cases.extend(
        ["", "\"", "\\", "a\"\\\u{8}\u{c}\n\r\t\u{1f}", "ä€🦀\u{2028}\u{7f}", "plain"].map(str::to_owned),
    );
    for case in cases {
        let json = written(|out| text(out, &case));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), case);
        assert_eq!(json, serde_json::to_string(&case).unwrap());
    }
}

#[test]
fn numbers_round_trip() {
    for case in [0, 1, -1, 9, 10, 99, 100, i64::MIN, i64::MAX, -1_000_000_007] {
        assert_eq!(written(|out| int(out, case)), case.to_string());
    }
    let seed = 11_u64;
    let mut state = seed;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        let case = f64::from_bits(state);
        if case.is_finite() {
            let json = written(|out| float(out, case));
            assert_eq!(json.parse::<f64>().unwrap().to_bits(), case.to_bits(), "seed {seed}: {json}");
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "seed {seed}: {json}");
        }
    }
    let cases = [
        (1.0, "1"),
        (-0.5, "-0.5"),
        (0.1, "0.1"),
        (1e-4, "0.0001"),
        (1.5e-5, "1.5e-05"),
        (1e14, "100000000000000"),
        (1e15, "1e+15"),
        (1.5e300, "1.5e+300"),
        (f64::NAN, "null"),
    ];
    for (case, json) in cases {
        assert_eq!(written(|out| float(out, case)), json);
    }
}

/// Two products: one with seller, items and spread home; one with nothing.
fn nested() -> (Rows, Shape<'static>) {
    let seller = shape(vec![scalar("name")]);
    let item = shape(vec![scalar("n"), member("p", ShapeKind::One(shape(vec![scalar("x")])))]);
    let home = shape(vec![scalar("city"), member("land", ShapeKind::Spread(shape(vec![scalar("iso")])))]);
    let shape = shape(vec![
        scalar("id"),
        member("seller", ShapeKind::One(seller)),
        member("items", ShapeKind::Many(item)),
        member("tags", ShapeKind::Count("count")),
        member("home", ShapeKind::Spread(home)),
        scalar("end"),
    ]);
    let mut rows = Rows { count: 2, ..Rows::default() };
    rows.cells.extend([Cell::Int(1), Cell::Row]);
    rows.push_text("An\"n");
    rows.cells.extend([Cell::List(2), Cell::Float(0.5), Cell::Null, Cell::Bool(true), Cell::Row]);
    rows.push_raw("{\"j\": [1]}");
    rows.cells.extend([Cell::Int(7), Cell::Row]);
    rows.push_text("Ulm");
    rows.cells.extend([Cell::Row]);
    rows.push_text("de");
    rows.push_raw("12.50");
    rows.cells.extend([Cell::Int(2), Cell::Null, Cell::List(0), Cell::Int(0), Cell::Null, Cell::Null]);
    (rows, shape)
}

#[test]
fn nested_rows_are_written_in_the_order_of_their_shape() {
    let (reply, shape) = nested();
    let json = String::from_utf8(rows(&reply, &shape, LIST)).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"[{"id":1,"seller":{"name":"An\"n"},"items":[{"n":0.5,"p":null},{"n":true,"p":{"x":{"j": [1]}}}],"#,
            r#""tags":[{"count":7}],"city":"Ulm","iso":"de","end":12.50},"#,
            r#"{"id":2,"seller":null,"items":[],"tags":[{"count":0}],"city":null,"iso":null,"end":null}]"#
        )
    );
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}

#[test]
fn stripped_singular_and_paged() {
    let (reply, shape) = nested();
    let one = Form { singular: true, strip_nulls: true, skip: 1, take: 1 };
    assert_eq!(rows(&reply, &shape, one), br#"{"id":2,"items":[],"tags":[{"count":0}]}"#);
    assert_eq!(rows(&reply, &shape, Form { skip: 2, ..LIST }), b"[]");
    assert_eq!(rows(&reply, &shape, Form { skip: u64::MAX, take: 0, ..LIST }), b"[]");
    assert_eq!(rows(&Rows::default(), &shape, Form { singular: true, ..LIST }), b"null");
}

#[test]
fn rows_without_members_are_empty_objects() {
    let reply = Rows { count: 2, ..Rows::default() };
    assert_eq!(rows(&reply, &Shape::default(), LIST), b"[{},{}]");
}

#[test]
fn a_reply_that_ends_early_does_not_panic() {
    let (mut reply, shape) = nested();
    while reply.cells.pop().is_some() {
        let json = rows(&reply, &shape, LIST);
        assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
    }
}
