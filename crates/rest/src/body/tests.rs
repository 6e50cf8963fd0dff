//! Tests: bodies → cells; refusals.

use super::{Rows, Rules, rows};
use backstay_base::limit::Limits;
use backstay_query::named::Input;

fn read(body: &[u8], columns: Option<&[&str]>, missing_default: bool) -> Result<Rows, String> {
    let columns: Option<Vec<String>> =
        columns.map(|columns| columns.iter().map(|column| (*column).to_owned()).collect());
    let limits = Limits { write_rows: 100, nodes: 50, ..Limits::default() };
    rows(body, Rules { columns: columns.as_deref(), missing_default, limits: &limits })
        .map_err(|f| f.to_string())
}

fn number(text: &str) -> Input {
    Input::Number(text.to_owned())
}

#[test]
fn cells_keep_what_was_written() {
    let body = br#" {"i":12345678901234567890.50,"e":1e400,"t":"a\n\u00e4\"","n":null,"b":true,
        "o":{"x": [1, {"y":"]"}]},"l":[]} "#;
    let read = read(body, None, false).unwrap();
    assert!(!read.list);
    assert_eq!(read.columns, ["i", "e", "t", "n", "b", "o", "l"]);
    assert_eq!(
        read.rows,
        [vec![
            number("12345678901234567890.50"),
            number("1e400"),
            Input::Text("a\nä\"".to_owned()),
            Input::Null,
            Input::Bool(true),
            Input::Json(r#"{"x": [1, {"y":"]"}]}"#.to_owned()),
            Input::Json("[]".to_owned()),
        ]]
    );
}

#[test]
fn of_a_repeated_key_the_last_counts() {
    let read = read(br#"[{"a":1,"a":2,"b":3},{"b":4,"\u0061":5,"b":6}]"#, None, false).unwrap();
    assert_eq!(read.columns, ["a", "b"]);
    assert_eq!(read.rows, [[number("2"), number("3")], [number("5"), number("6")]]);
}

#[test]
fn many_columns_are_found_as_few_are() {
    for count in [15, 16, 17, 40] {
        let object = |from: usize| {
            // another order, and every key twice: the second counts
            let keys = (0..count).map(|n| (n + from) % count);
            let once: Vec<String> = keys.map(|n| format!("\"c{n}\":{}", n + from)).collect();
            format!("{{\"c3\":null,{},\"c3\":7}}", once.join(","))
        };
        let body = format!("[{},{}]", object(0), object(9));
        let read = read(body.as_bytes(), None, false).unwrap();
        assert_eq!(read.columns.len(), count);
        for (row, from) in read.rows.iter().zip([0, 9]) {
            let wanted = |name: &String| match name[1..].parse::<usize>().unwrap() {
                3 => number("7"),
                n => number(&(n + from).to_string()),
            };
            assert_eq!(*row, read.columns.iter().map(wanted).collect::<Vec<_>>());
        }
        let unknown = format!("[{},{{\"other\":1}}]", object(0));
        assert_eq!(
            self::read(unknown.as_bytes(), None, false).unwrap_err(),
            "PGRST102: All object keys must match"
        );
    }
}

#[test]
fn keys_must_match_unless_columns_are_named() {
    let uneven = br#"[{"a":1},{"a":1,"b":2}]"#;
    let short = br#"[{"a":1,"b":2},{"b":2}]"#;
    assert_eq!(read(uneven, None, false).unwrap_err(), "PGRST102: All object keys must match");
    assert_eq!(read(short, None, true).unwrap_err(), "PGRST102: All object keys must match");
    let filled = read(uneven, Some(&["b"]), false).unwrap();
    assert_eq!(filled.rows, [[Input::Null], [number("2")]]);
    let defaulted = read(short, Some(&["a", "a", "b"]), true).unwrap();
    assert_eq!(defaulted.columns, ["a", "b"]);
    assert_eq!(defaulted.rows, [[number("1"), number("2")], [Input::Default, number("2")]]);
}

#[test]
fn empty_lists_and_objects_are_bodies() {
    assert_eq!(read(b"[]", None, false).unwrap(), Rows { list: true, ..Rows::default() });
    assert_eq!(read(b"[{},{}]", None, false).unwrap().rows, [vec![], vec![]]);
    assert_eq!(read(b"{}", None, false).unwrap().rows, [vec![]]);
}

#[test]
fn what_is_no_list_of_objects_is_refused() {
    for body in [
        "",
        " ",
        "nul",
        "null",
        "1",
        "\"a\"",
        "[1]",
        "[[{}]]",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "[{}",
        "{} x",
        "[{},]",
        "{\"a\":01}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":NaN}",
        "{\"a\":[1,}",
        "{\"a\":\"\\x\"}",
    ] {
        assert_eq!(
            read(body.as_bytes(), None, false).unwrap_err(),
            "PGRST102: Empty or invalid json",
            "{body}"
        );
    }
    assert_eq!(read(b"{\"a\":\"\xff\"}", None, false).unwrap_err(), "PGRST102: invalid UTF-8 in the body");
    assert_eq!(read(b"{\"a\":\"\\ud800\"}", None, false).unwrap_err(), "PGRST102: Empty or invalid json");
    assert_eq!(
        read(b"{\"a\":\"\\u0000\"}", None, false).unwrap_err(),
        "22021: text holds a NUL character, which no column can store"
    );
}

#[test]
fn rows_columns_and_nesting_are_bounded() {
    let many = format!("[{}]", vec!["{}"; 101].join(","));
    assert_eq!(
        read(many.as_bytes(), None, false).unwrap_err(),
        "54001: request passes the limit of 100 rows of one write"
    );
    let keys: Vec<String> = (0..51).map(|n| format!("\"k{n}\":1")).collect();
    assert_eq!(
        read(format!("{{{}}}", keys.join(",")).as_bytes(), None, false).unwrap_err(),
        "54001: request passes the limit of 50 columns of one write"
    );
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(
        read(deep.as_bytes(), None, false).unwrap_err(),
        "54001: request passes the limit of 128 levels of nesting in a JSON value"
    );
    let brackets_in_text = format!("{{\"a\":[\"{}\\\"{}\"]}}", "[".repeat(500), "{".repeat(500));
    assert!(read(brackets_in_text.as_bytes(), None, false).is_ok());
}
