//! Tests: replies → whole responses.

use super::{options, render};
use crate::parse::parse;
use crate::request::{Request, Response, Settings};
use backstay_query::reply::{Cell, Part, Rows, Shape, ShapeKind, ShapeMember};
use backstay_schema::scalar::ScalarType;
use std::fmt::Write;

fn shape() -> Shape<'static> {
    Shape { members: vec![ShapeMember { name: "id", kind: ShapeKind::Scalar(ScalarType::Int) }] }
}

fn part(ids: &[i64], total: Option<u64>, inserted: u64) -> Part {
    let count = ids.len() as u64;
    Part {
        rows: Rows { count, cells: ids.iter().map(|id| Cell::Int(*id)).collect(), text: String::new() },
        total,
        affected: count,
        inserted,
        key: (count == 1).then(|| vec!["a/1".to_owned()]),
    }
}

fn text(response: &Response) -> String {
    let mut out = response.status.to_string();
    for (name, value) in &response.headers {
        write!(out, "\n{name}: {value}").unwrap();
    }
    write!(out, "\n{}", std::str::from_utf8(&response.body).unwrap()).unwrap();
    out
}

fn answered(method: &str, query: &str, headers: &[(&str, &str)], body: &str, part: &Part) -> String {
    let request = Request { method, path: "product", query: Some(query), headers, body: body.as_bytes() };
    let mut parsed = parse(&request, &Settings::default()).unwrap();
    parsed.answer.key = vec!["id".to_owned()];
    text(&render(&parsed.answer, Some(&shape()), part))
}

const JSON: &str = "Content-Type: application/json; charset=utf-8";
const EXACT: (&str, &str) = ("Prefer", "count=exact");
const FULL: (&str, &str) = ("Prefer", "return=representation");

#[test]
fn reads() {
    let plain = answered("GET", "", &[], "", &part(&[1, 2], None, 0));
    assert_eq!(plain, format!("200\n{JSON}\nContent-Range: 0-1/*\n[{{\"id\":1}},{{\"id\":2}}]"));
    let page = answered("GET", "limit=2&offset=2", &[EXACT], "", &part(&[1, 2], Some(9), 0));
    assert_eq!(
        page,
        format!(
            "206\n{JSON}\nContent-Range: 2-3/9\nPreference-Applied: count=exact\n[{{\"id\":1}},{{\"id\":2}}]"
        )
    );
    let head = answered("HEAD", "", &[EXACT, ("Accept-Profile", "public")], "", &part(&[1], Some(1), 0));
    assert_eq!(
        head,
        format!(
            "200\n{JSON}\nContent-Range: 0-0/1\nPreference-Applied: count=exact\nContent-Profile: public\n"
        )
    );
    let none = answered("GET", "", &[EXACT], "", &part(&[], Some(0), 0));
    assert_eq!(none, format!("200\n{JSON}\nContent-Range: */0\nPreference-Applied: count=exact\n[]"));
    let empty = answered("GET", "", &[], "", &part(&[], None, 0));
    assert_eq!(empty, format!("200\n{JSON}\nContent-Range: */*\n[]"));
}

#[test]
fn an_offset_past_the_end_is_416() {
    let past = answered("GET", "offset=15", &[EXACT], "", &part(&[], Some(10), 0));
    assert_eq!(
        past,
        concat!(
            "416\nContent-Type: application/json; charset=utf-8\nProxy-Status: PostgREST; error=PGRST103\n",
            "Content-Range: */10\nPreference-Applied: count=exact\n",
            r#"{"code":"PGRST103","details":"An offset of 15 was requested, but there are only 10 rows.","#,
            r#""hint":null,"message":"Requested range not satisfiable"}"#
        )
    );
}

#[test]
fn a_single_object() {
    let accept = ("Accept", "application/vnd.pgrst.object+json;nulls=stripped");
    assert_eq!(
        answered("GET", "", &[accept], "", &part(&[1], None, 0)),
        concat!(
            "200\nContent-Type: application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8\n",
            "Content-Range: 0-0/*\n{\"id\":1}"
        )
    );
}

#[test]
fn inserts() {
    let minimal = answered("POST", "", &[], "{}", &part(&[1], None, 1));
    assert_eq!(minimal, "201\nContent-Range: */*\n");
    let full = answered("POST", "", &[FULL, EXACT], "{}", &part(&[1], None, 1));
    assert_eq!(
        full,
        format!(
            "201\n{JSON}\nContent-Range: */1\nPreference-Applied: return=representation, count=exact\n[{{\"id\":1}}]"
        )
    );
    let located = answered("POST", "", &[("Prefer", "return=headers-only")], "{}", &part(&[1], None, 1));
    assert_eq!(
        located,
        "201\nLocation: /product?id=eq.a%2F1\nContent-Range: */*\nPreference-Applied: return=headers-only\n"
    );
    let merge = ("Prefer", "resolution=merge-duplicates");
    let changed = answered("POST", "", &[merge], "{}", &part(&[1], None, 0));
    assert_eq!(changed, "200\nContent-Range: */*\nPreference-Applied: resolution=merge-duplicates\n");
    let added = answered("POST", "", &[merge], "{}", &part(&[1], None, 1));
    assert_eq!(added, "201\nContent-Range: */*\nPreference-Applied: resolution=merge-duplicates\n");
    let ignored =
        answered("POST", "", &[("Prefer", "resolution=ignore-duplicates")], "{}", &part(&[], None, 0));
    assert_eq!(ignored, "201\nContent-Range: */*\nPreference-Applied: resolution=ignore-duplicates\n");
}

#[test]
fn puts() {
    let put = |headers: &[(&str, &str)], inserted| {
        answered("PUT", "id=eq.1", headers, "{\"id\":1}", &part(&[1], None, inserted))
    };
    assert_eq!(put(&[], 1), "201\nContent-Range: */*\n");
    assert_eq!(put(&[], 0), "204\nContent-Range: */*\n");
    assert_eq!(
        put(&[FULL], 0),
        format!("200\n{JSON}\nContent-Range: */*\nPreference-Applied: return=representation\n[{{\"id\":1}}]")
    );
}

#[test]
fn changes() {
    let patch = |headers: &[(&str, &str)], query: &str, part: &Part| {
        answered("PATCH", query, headers, "{\"a\":1}", part)
    };
    assert_eq!(patch(&[], "a=eq.1", &part(&[1, 2], None, 0)), "204\nContent-Range: 0-1/*\n");
    assert_eq!(patch(&[], "a=eq.1", &part(&[], None, 0)), "204\nContent-Range: */*\n");
    assert_eq!(
        patch(&[FULL], "a=eq.1&limit=1&offset=1", &part(&[1, 2], None, 0)),
        format!(
            "200\n{JSON}\nContent-Range: 0-1/*\nPreference-Applied: return=representation\n[{{\"id\":2}}]"
        )
    );
    let delete = answered("DELETE", "a=eq.1", &[EXACT], "", &part(&[1, 2], None, 0));
    assert_eq!(delete, "204\nContent-Range: */2\nPreference-Applied: count=exact\n");
    let nothing = answered("PATCH", "", &[FULL], "{}", &part(&[], None, 0));
    assert_eq!(
        nothing,
        format!("200\n{JSON}\nContent-Range: */*\nPreference-Applied: return=representation\n[]")
    );
}

#[test]
fn options_lists_the_methods() {
    assert_eq!(text(&options()), "200\nAllow: OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE\n");
}
