//! Tests: request → named query, and every refusal in full.

use super::{Parsed, parse};
use crate::request::{Request, Settings};
use backstay_base::fault::{Details, Fault};
use backstay_base::limit::Limits;
use backstay_query::named::{Filter, Input, Item, Query, Select};
use backstay_query::plan::{End, Expect};
use std::fmt::Write;

const NONE: &[(&str, &str)] = &[];

fn request<'a>(
    method: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
) -> Request<'a> {
    Request { method, path: "product", query: Some(query), headers, body: body.as_bytes() }
}

fn settings() -> Settings {
    Settings { tx_rollback_allowed: true, aggregates_allowed: true, ..Settings::default() }
}

fn get(query: &str) -> Result<Parsed, Fault> {
    parse(&request("GET", query, NONE, ""), &settings())
}

fn selected(query: &str) -> Select {
    match get(query).unwrap().query {
        Query::Select(select) => select,
        other => panic!("not a select: {other:?}"),
    }
}

/// `status-free` text of a refusal: code, message, details, hint.
fn refusal(result: Result<Parsed, Fault>) -> String {
    let fault = result.expect_err("is refused");
    let details = match fault.details {
        Some(Details::Text(text) | Details::Json(text)) => text,
        None => "-".to_owned(),
    };
    format!(
        "{} | {} | {} | {}",
        fault.code.text,
        fault.message,
        details,
        fault.hint.as_deref().unwrap_or("-")
    )
}

fn table_of(cases: &[&str], show: impl Fn(&str) -> String) -> String {
    cases.iter().fold(String::new(), |mut out, case| {
        writeln!(out, "{case}\n    {}", show(case)).unwrap();
        out
    })
}

#[test]
fn filters() {
    let cases = [
        "price=gte.5&price=lt.10",
        "title=eq.a+b%2Cc",
        "title=eq.\"quoted\"",
        "title=eq.",
        "title=neq.x",
        "title=not.like.*a%25*",
        "title=ilike.%C3%A4*",
        "id=in.(1,\"b,c\",\"d\\\"e\\\\\")",
        "id=in.()",
        "id=in.(\"\")",
        "id=not.in.(1)",
        "done=is.NULL",
        "done=is.not_null",
        "done=not.is.true",
        "done=is.Unknown",
        "a=isdistinct.5",
        "a=not.isdistinct.5",
        "a=like(any).{x*,\"y,*\"}",
        "a=eq(all).{1}",
        "data->>key=eq.v",
        "data->0->-1->>\"a.b\"=eq.v",
        "data->1x->>y=eq.v",
        "\"column whitespace\"=eq.x",
        "%22or%22=eq.x",
        "column name=eq.x",
        "dash-ed=eq.x",
        "or=(a.eq.1,b.gt.2)",
        "and=( a.eq.1 , or( b.is.null , c.in.(1,2) ) )",
        "not.or=(a.eq.\"1,2)\",not.and(b.not.eq.2,c.like.*x*))",
        "or=(tags.eq.{a,b},d->>x.eq.y)",
        "or=(or.eq.1,not.is.null,and(not.eq.2))",
    ];
    insta::assert_snapshot!(table_of(&cases, |case| format!("{:?}", selected(case).filters)));
}

#[test]
fn selections() {
    let cases = [
        "",
        "select=",
        "select=*",
        "select=a,b,*",
        "select=x:a",
        "select=\"a b\":\"c,d\"",
        "select=a::text",
        "select=x:a::character varying",
        "select=data->a->>b",
        "select=k:data->0",
        "select=data->>b::int",
        "select=seller(name,...home(city))",
        "select=s:seller(*)",
        "select=s:seller!seller_id(*)",
        "select=seller!inner(*)",
        "select=seller!fk!inner()",
        "select=seller!inner!fk(a(b(c)))",
        "select=seller!left(id)",
        "select=...seller(x:name)",
        "select=items(count)",
        "select=items(n:count())",
        "select=price.sum()",
        "select=x:price::int.avg()::text",
        "select= a , b ( c ) ",
    ];
    insta::assert_snapshot!(table_of(&cases, |case| format!("{:?}", selected(case).items)));
}

#[test]
fn orders_and_pages() {
    let cases = [
        "order=a",
        "order=a.desc.nullslast,b.asc,c.nullsfirst",
        "order=rel(col).desc",
        "order=data->>k.asc",
        "limit=5&offset=10",
        "limit=0",
        "limit=999999999999999999999999",
        "select=items(*)&items.order=a.desc&items.limit=3&items.offset=1",
        "select=x:items(*,y:tags(*))&x.y.order=a&items.tags.limit=2",
        "select=items(*)&items.or=(a.eq.1,b.eq.2)&not.items.and=(c.eq.1)&items.not.or=(d.eq.1)&items.a=eq.1",
        "select=items()&items=is.null&not.and=(items.is.null)",
    ];
    insta::assert_snapshot!(table_of(&cases, |case| {
        let select = selected(case);
        format!(
            "order {:?} limit {:?} offset {} filters {:?} items {:?}",
            select.order, select.limit, select.offset, select.filters, select.items
        )
    }));
}

#[test]
fn hostile_queries_are_refused_with_place_and_reason() {
    let cases = [
        "a=noop.0",
        "a=not.noop.0",
        "a=eq",
        "a=",
        "a",
        "a=EQ.1",
        "a=eq(some).{1}",
        "a=eq(any).x",
        "a=is.maybe",
        "a=in.1",
        "a=in.(1",
        "a=in.(\"1)",
        "a=in.(1)x",
        "a=sl.{1}",
        "a=fts(english.x",
        "a->=eq.1",
        "=eq.1",
        "a..b=eq.1",
        ".a=eq.1",
        "a.b=eq.1",
        "\"a=eq.1",
        "a;drop=eq.1",
        "or=a.eq.1",
        "or=()",
        "or=(a.eq.1",
        "or=(a.eq.1))",
        "or=(a.eq.1,)",
        "or=(a)",
        "or=(a.noop.1)",
        "nope.or=(a.eq.1)",
        "a=eq.%FF",
        "a=eq.%00",
        "select=a,",
        "select=,a",
        "select=a(b",
        "select=a)b",
        "select=a(b))",
        "select=a!x!y(b)",
        "select=a:",
        "select=a::",
        "select=a->",
        "select=a.median()",
        "select=a.sum",
        "select=count()::",
        "select=a.sum()::",
        "select=a.sum()x",
        "select=a.sum().avg()",
        "a=neq(any).{1}",
        "a=match(any)",
        "select=...a",
        "select=a b!c",
        "order=",
        "order=a.up",
        "order=a.desc.nullslasttt",
        "order=a.desc.x",
        "order=a(b",
        "limit=-1",
        "offset=-1",
        "limit=x",
        "limit=",
        "rel.limit=1",
        "columns=a,,b",
    ];
    insta::assert_snapshot!(table_of(&cases, |case| refusal(get(case))));
}

/// Off unless the project says otherwise; the number of an embed's rows is always there.
#[test]
fn aggregates_are_refused_unless_allowed() {
    let off = |query: &str| {
        let settings = Settings { aggregates_allowed: false, ..settings() };
        parse(&request("GET", query, NONE, ""), &settings)
    };
    for query in [
        "select=count()",
        "select=a.sum()",
        "select=id,r(a.max())",
        "select=id,r(id,count())",
        "select=...r(count())",
        "select=id,r(s(a.count()))",
    ] {
        assert_eq!(
            refusal(off(query)),
            "PGRST123 | Use of aggregate functions is not allowed | - | -",
            "{query}"
        );
    }
    for query in ["select=count", "select=id,r(count)", "select=id,r(n:count())"] {
        assert!(off(query).is_ok(), "{query}");
    }
}

#[test]
fn depth_nodes_lists_and_length_are_bounded() {
    let deep = format!("or=(a.eq.1,{}b.eq.1{})", "or(and(".repeat(200), "))".repeat(200));
    let deeper = format!("or=({}a.eq.1{})", "and(".repeat(60_000 / 5), ")".repeat(60_000 / 5));
    let embeds = format!("select={}id{}", "a(".repeat(200), ")".repeat(200));
    let columns = format!("select={}", vec!["a"; 2_001].join(","));
    let list = format!("a=in.({})", vec!["1"; 1_001].join(","));
    let long = format!("a=eq.{}", "x".repeat(70_000));
    for case in [deep, deeper, embeds, columns, list, long] {
        let fault = get(&case).expect_err("is refused");
        assert_eq!(fault.code.text, "54001", "{:.60}: {}", case, fault.message);
    }
    let at_limit = format!("or=({}a.eq.1{})", "and(".repeat(15), ")".repeat(15));
    assert!(get(&at_limit).is_ok());
}

#[test]
fn the_range_header_counts_on_reads_alone_and_meets_the_query() {
    let page = |method: &str, query: &str, range: &str| {
        let headers = [("Range", range), ("Range-Unit", "items")];
        match parse(&request(method, query, &headers, ""), &settings()).map(|parsed| parsed.query) {
            Ok(Query::Select(select)) => format!("{}+{}", select.offset, select.limit.unwrap()),
            Ok(other) => format!("{other:?}"),
            Err(fault) => fault.to_string(),
        }
    };
    assert_eq!(page("GET", "", "0-9"), "0+10");
    assert_eq!(page("HEAD", "", "items=5-"), "5+1000");
    assert_eq!(page("GET", "limit=3&offset=2", "0-9"), "2+3");
    assert_eq!(page("GET", "limit=30", "10-19"), "10+10");
    assert_eq!(page("GET", "limit=5", "10-19"), "10+0");
    assert_eq!(page("GET", "limit=5000", "bytes"), "0+1000");
    assert_eq!(page("GET", "", "9-0"), "PGRST103: Requested range not satisfiable");
    assert_eq!(page("GET", "", "0-18446744073709551615"), "0+1000");
    assert_eq!(
        page("DELETE", "id=eq.1", "9-0"),
        format!("{:?}", parse(&request("DELETE", "id=eq.1", NONE, ""), &settings()).unwrap().query)
    );
}

#[test]
fn methods_paths_profiles_and_media() {
    let at = |method: &'static str, path: &'static str, headers: &'static [(&'static str, &'static str)]| {
        refusal(parse(&Request { method, path, query: None, headers, body: b"{}" }, &settings()))
    };
    assert_eq!(at("TRACE", "a", NONE), "PGRST117 | Unsupported HTTP method: TRACE | - | -");
    assert_eq!(at("get", "a", NONE), "PGRST117 | Unsupported HTTP method: get | - | -");
    assert_eq!(at("GET", "", NONE), "PGRST126 | Accessing the schema via the REST root is disabled | - | -");
    assert_eq!(at("GET", "a/b", NONE), "PGRST125 | Invalid path specified in request URL | - | -");
    assert_eq!(
        at("POST", "rpc/f", NONE),
        "PGRST202 | Could not find the function public.f in the schema cache | - | -"
    );
    let schema = "PGRST106 | Invalid schema: auth | - | Only the following schemas are exposed: public";
    assert_eq!(at("GET", "a", &[("Accept-Profile", "auth")]), schema);
    assert_eq!(at("POST", "a", &[("content-profile", "auth")]), schema);
    assert_eq!(
        at("GET", "a", &[("Accept", "application/geo+json, image/*;q=0.9")]),
        "PGRST107 | None of these media types are available: application/geo+json, image/*;q=0.9 | - | -"
    );
    assert_eq!(
        at("POST", "a", &[("Content-Type", "text/html")]),
        "PGRST102 | Content-Type not acceptable: text/html | - | send the body as application/json"
    );
    assert!(parse(&request("GET", "", &[("Accept", "text/html,*/*;q=0.1")], ""), &settings()).is_ok());
    assert!(parse(&request("GET", "", &[("Accept", "application/json;q=0")], ""), &settings()).is_ok());
}

#[test]
fn a_path_is_decoded_but_plus_stays() {
    let request = Request { method: "GET", path: "a%20b+c", query: None, headers: NONE, body: b"" };
    assert_eq!(parse(&request, &settings()).unwrap().answer.table, "a b+c");
}

#[test]
fn unfiltered_writes_are_refused_unless_configured() {
    let patch = request("PATCH", "select=a", NONE, "{\"a\":1}");
    let delete = request("DELETE", "select=items(*)&items.a=eq.1", NONE, "");
    assert_eq!(refusal(parse(&patch, &settings())), "21000 | UPDATE requires a WHERE clause | - | -");
    assert_eq!(refusal(parse(&delete, &settings())), "21000 | DELETE requires a WHERE clause | - | -");
    let open = Settings { unfiltered_writes_allowed: true, ..settings() };
    assert!(parse(&patch, &open).is_ok());
    assert!(parse(&delete, &open).is_ok());
}

#[test]
fn inserts_take_columns_defaults_and_conflicts() {
    let headers = [
        ("Prefer", "resolution=merge-duplicates, missing=default"),
        ("prefer", "return=representation,count=planned,tx=rollback"),
    ];
    let query = "columns=%22id%22,title&on_conflict=slug,id&select=id&order=id.desc&limit=1";
    let parsed = parse(
        &request("POST", query, &headers, "[{\"id\":1,\"x\":2},{\"title\":\"t\",\"id\":null}]"),
        &settings(),
    )
    .unwrap();
    let Query::Insert(insert) = &parsed.query else { panic!("not an insert") };
    assert_eq!(insert.columns, ["id", "title"]);
    assert_eq!(
        insert.rows,
        [vec![Input::Number("1".to_owned()), Input::Default], vec![Input::Null, Input::Text("t".to_owned())]]
    );
    insta::assert_debug_snapshot!((&insert.conflict, &insert.returning, parsed.expect, parsed.end));
    assert_eq!(
        parsed.answer.applied.as_deref(),
        Some(
            "resolution=merge-duplicates, missing=default, return=representation, count=planned, tx=rollback"
        )
    );
    let closed = Settings { tx_rollback_allowed: false, ..settings() };
    let kept = parse(&request("POST", "", &[("Prefer", "tx=rollback")], "{}"), &closed).unwrap();
    assert_eq!((kept.end, kept.answer.applied), (End::Commit, None));
}

#[test]
fn an_empty_patch_touches_nothing() {
    for body in ["{}", "[]", "[{}]"] {
        let parsed = parse(&request("PATCH", "", NONE, body), &settings()).unwrap();
        let Query::Select(select) = parsed.query else { panic!("not a select") };
        assert_eq!((select.limit, select.items, parsed.expect), (Some(0), vec![Item::Star], Expect::Any));
    }
    let two = parse(&request("PATCH", "a=eq.1", NONE, "[{\"a\":1},{\"a\":2}]"), &settings());
    assert_eq!(
        refusal(two),
        "PGRST102 | an update takes one object | - | send one object whose members are the new values"
    );
}

#[test]
fn expectations_come_from_accept_and_prefer() {
    let expect = |method: &str, headers: &[(&str, &str)]| {
        parse(&request(method, "a=eq.1", headers, "{\"a\":1}"), &settings()).map(|parsed| parsed.expect)
    };
    let object = ("Accept", "application/vnd.pgrst.object+json");
    assert_eq!(expect("GET", &[object]).unwrap(), Expect::Singular);
    assert_eq!(expect("PATCH", &[object]).unwrap(), Expect::Singular);
    let strict = ("Prefer", "handling=strict, max-affected=3");
    assert_eq!(expect("DELETE", &[strict]).unwrap(), Expect::AtMost(3));
    assert_eq!(expect("POST", &[strict]).unwrap(), Expect::Any);
    assert_eq!(expect("DELETE", &[("Prefer", "max-affected=3")]).unwrap(), Expect::Any);
    let unknown = parse(
        &request("GET", "", &[("Prefer", "handling=strict, anything, foo=bar"), ("Prefer", "tx=maybe")], ""),
        &settings(),
    );
    assert_eq!(
        refusal(unknown),
        "PGRST122 | Invalid preferences given with handling=strict | Invalid preferences: anything, foo=bar, tx=maybe | -"
    );
    assert!(parse(&request("GET", "", &[("Prefer", "anything")], ""), &settings()).is_ok());
}

#[test]
fn put_takes_one_row_by_its_key() {
    let put = |query: &str, body: &str| parse(&request("PUT", query, NONE, body), &settings());
    let parsed = put("id=eq.1", "{\"id\":1,\"title\":\"t\"}").unwrap();
    assert!(
        matches!(parsed.query, Query::Insert(insert) if insert.conflict.as_ref().unwrap().columns == ["id"])
    );
    let filters =
        "PGRST105 | Filters must include all and only primary key columns with 'eq' operators | - | -";
    for query in ["", "id=gt.1", "id=eq.1&or=(a.eq.1,b.eq.2)", "id=not.eq.1", "id->a=eq.1"] {
        assert_eq!(refusal(put(query, "{\"id\":1}")), filters);
    }
    let key = "PGRST115 | Payload values do not match URL in primary key column(s) | - | -";
    for body in ["{\"id\":2}", "{\"x\":1}", "[]", "[{\"id\":1},{\"id\":1}]", "{\"id\":null}"] {
        assert_eq!(refusal(put("id=eq.1", body)), key);
    }
    assert_eq!(
        refusal(put("id=eq.1&limit=1", "{\"id\":1}")),
        "PGRST114 | limit/offset querystring parameters are not allowed for PUT | - | -"
    );
}

#[test]
fn limits_of_the_settings_hold() {
    let small = Settings {
        max_rows: 5,
        limits: Limits { write_rows: 2, body_bytes: 40, ..Limits::default() },
        ..settings()
    };
    let page = parse(&request("GET", "limit=9", NONE, ""), &small).unwrap().query;
    assert!(matches!(page, Query::Select(select) if select.limit == Some(5)));
    assert_eq!(
        refusal(parse(&request("POST", "", NONE, "[{},{},{}]"), &small)),
        "54001 | request passes the limit of 2 rows of one write | - | split the request into smaller ones"
    );
    let long = format!("[{}]", " ".repeat(60));
    assert_eq!(
        refusal(parse(&request("POST", "", NONE, &long), &small)),
        "54001 | request passes the limit of 40 bytes of body | - | split the request into smaller ones"
    );
}

/// Random bytes never panic, and what parses stays within the limits.
#[test]
fn noise_is_answered() {
    const ALPHABET: &[u8] = b"abor.not(),\"\\->:{}*!=&%2C 0and(eq.in.is.null";
    let seed = 0x5eed_u64;
    let mut state = seed;
    for round in 0..20_000 {
        let mut query = String::new();
        for _ in 0..(round % 60) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % ALPHABET.len();
            query.push(char::from(ALPHABET[at]));
        }
        if let Ok(parsed) = get(&query) {
            let Query::Select(select) = parsed.query else { panic!("seed {seed}: {query}") };
            assert!(select.filters.iter().map(depth).max().unwrap_or(0) <= 40, "seed {seed}: {query}");
        }
    }
}

fn depth(filter: &Filter) -> usize {
    match filter {
        Filter::And(inner) | Filter::Or(inner) => 1 + inner.iter().map(depth).max().unwrap_or(0),
        Filter::Not(inner) => 1 + depth(inner),
        Filter::Field(..) => 1,
    }
}
