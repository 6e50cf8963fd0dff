//! Schemas that must not compile: each with exactly the codes it deserves, and how the
//! mistakes read.

use super::shape::{file, settings};
use backstay_schema::compile::compile;
use backstay_schema::diagnostic::{Severity, render};

/// How the mistakes of a schema read; the codes of its errors must be these.
pub fn refused(codes: &[&str], text: &str) -> String {
    let files = [file(text)];
    let mistakes = match compile(&files, &settings()) {
        Ok(_) => panic!("compiled, expected {codes:?}:\n{text}"),
        Err(mistakes) => mistakes,
    };
    let found: Vec<&str> =
        mistakes.iter().filter(|m| m.severity == Severity::Error).map(|mistake| mistake.code).collect();
    let rendered = render::text(&mistakes, &files);
    assert_eq!(found, codes, "{text}\n{rendered}");
    rendered
}

fn all(cases: &[(&[&str], &str)]) -> String {
    cases.iter().map(|(codes, text)| refused(codes, text)).collect::<Vec<_>>().join("\n")
}

#[test]
fn files_that_are_not_a_schema() {
    insta::assert_snapshot!(all(&[
        (&["E1001"], "type A { title String! }"),
        (&["E1001"], "type A { title: String!"),
        (&["E1002"], "type A @access(read: \"true\")"),
        (&["E1205"], "interface Node { id: ID! }\ntype A @access(read: \"true\") { title: String }"),
        (
            &["E1205", "E1205", "E1205"],
            "union U = A\nscalar Money\ninput I { a: Int }\ntype A @access(read: \"true\") { title: String }"
        ),
        (&["E1205"], "directive @mine on OBJECT\ntype A @access(read: \"true\") { title: String }"),
        (&["E1205"], "query { a }\ntype A @access(read: \"true\") { title: String }"),
        (&["E1003"], "type Query { now: Timestamp! }\ntype A @access(read: \"true\") { title: String }"),
        (&["E1003"], "type A @access(read: \"true\") { title(upper: Boolean): String }"),
        (&["E1003"], "schema { query: A }\ntype A @access(read: \"true\") { title: String }"),
    ]));
}

#[test]
fn directives_and_arguments() {
    insta::assert_snapshot!(all(&[
        (&["E1101"], "type A @acess(read: \"true\") { title: String }"),
        (&["E1101"], "type A { title: String @frobnicate }"),
        (&["E1102"], "type A @access(reed: \"true\") { title: String }"),
        (&["E1103"], "type A @access(read: true) { title: String }"),
        (&["E1103"], "type A { title: String @valid(minLength: -1) }"),
        (&["E1103"], "type A { title: String @valid(format: EMAL) }"),
        (&["E1103"], "type A { title: String @unique(fields: [1]) }"),
        (&["E1104"], "extend schema @rule(name: \"a\")\ntype A { title: String }"),
        (&["E1104"], "type A @access { title: String }"),
        (&["E1104"], "type A @deny(message: \"no\") { title: String }"),
        (&["E1104"], "type A @unique { title: String }"),
        (&["E1105"], "type A { title: String @user }"),
        (&["E1105"], "type A @table(name: \"x\") @table(name: \"y\") { title: String }"),
        (
            &["E1105"],
            "type A @table(name: \"x\") { title: String }\nextend type A @table(name: \"y\") { body: String }"
        ),
        (&["E1106"], "type A { parts: [B!]! @default(value: 1) }\ntype B { a: A }"),
        (&["E1106"], "type A { a: B @valid(min: 1) }\ntype B { title: String }"),
        (&["E1106"], "type A { parts: [B!]! @access(write: \"true\") }\ntype B { a: A }"),
        (&["E1106"], "type A { title: String @access(delete: \"true\") }"),
        (&["E1106"], "type A { parts: [B!]! @access(read: \"true\") }\ntype B { a: A }"),
        (&["E1106"], "type A { parts: [B!]! @deny(read: \"true\") }\ntype B { whole: [A!]! }"),
        (&["E1106"], "type A { id: ID! @access(read: \"true\"), title: String }"),
        (&["E1106"], "type A { a: Int, b: Int @computed(expr: \"this.a\") @access(update: \"true\") }"),
        (&["E1106"], "type A { parts: [B!]! @access(create: \"true\") }\ntype B { whole: [A!]! }"),
    ]));
}

#[test]
fn what_is_not_available_yet() {
    insta::assert_snapshot!(all(&[
        (&["E1003"; 2], "type A { d: File, e: Vector }"),
        (&["E1106"; 2], "type A { a: [JSON!]!, b: [[String!]!]! }"),
        (&["E1003"; 2], "type A @table(live: true, store: \"s\") { a: Int }"),
        (&["E1003"], "type A @on(event: [CREATE], run: \"f\") { a: Int }"),
        (&["E1003"], "type A { a: Int @file }"),
        (&["E1003"; 2], "type A @index(fields: [\"a\"], kind: HASH, metric: L2) { a: Int }"),
        (&["E1410"], "type A { a: Int @unique(where: \"true\") }"),
        (&["E1003"], "type A @access(call: \"true\") { a: Int }"),
        (&["E1003"; 2], "type A { a: String @column(type: \"citext\") @collate(name: \"de\") }"),
        (
            &["E1003"; 3],
            "type A { a: Int @index(kind: VECTOR), b: JSON @index(kind: GIN), c: Float @index(kind: GEO) }"
        ),
        (&["E1003"], "type A @limit(rate: \"1/second\", on: [READ, CALL]) { a: Int }"),
        (&["E1106"], "type A { a: Int @limit(rate: \"1/second\") }"),
        (&["E1003"; 2], "type A @table(strict: true) @deny(call: \"true\") { a: String @column(dims: 3) }"),
        (&["E1003"], "type A @access(read: \"auth.has != null\") { a: String }"),
        (&["E1003"], "type A @access(read: \"auth.has('pro')\") { a: String }"),
        (&["E1003"], "type A @access(read: \"request.dialect == 'x'\") { a: String }"),
    ]));
}

#[test]
fn indexes_of_words() {
    let code = "E1106";
    insta::assert_snapshot!(all(&[
        (&[code], "type A @index(fields: [\"a\", \"b\"], kind: FULLTEXT) { a: String, b: Int }"),
        (&[code], "type A { a: [String!] @index(kind: FULLTEXT) }"),
        (&[code], "type A { a: JSON @index(kind: FULLTEXT) }"),
        (&[code], "enum E { X }\ntype A { a: E @index(kind: FULLTEXT) }"),
        (&[code], "type A { a: B @index(kind: FULLTEXT) }\ntype B { id: String! }"),
        (&[code], "type A { a: String @index(kind: FULLTEXT, where: \"this.a != null\") }"),
        (&[code], "type A { a: String @index(kind: FULLTEXT) @access(read: \"auth.uid != null\") }"),
        (
            &[code],
            "type A @index(fields: [\"a\", \"b\"], kind: FULLTEXT) { a: String, b: String @deny(read: \"true\") }"
        ),
        (
            &["E1202"],
            "type A @index(fields: [\"a\", \"b\"], kind: FULLTEXT) @index(fields: [\"b\", \"a\"], kind: FULLTEXT) { a: String, b: String }"
        ),
    ]));
}

#[test]
fn what_keeps_no_extras() {
    insta::assert_snapshot!(all(&[
        (
            &["E1505"],
            "type A @table(view: \"a\", strict: false) @access(read: \"true\") { id: Int!, a: Int }"
        ),
        (&["E1501"], "type A @user @table(strict: false) @access(read: \"true\") { a: Int }"),
        (&["E1204"], "type A @table(strict: false) @access(read: \"true\") { extras: JSON }"),
        (
            &["E1204"],
            "type A @table(strict: false) @access(read: \"true\") { a: Int @column(name: \"extras\") }"
        ),
        (
            &["E1106"],
            "type A @embedded @table(strict: false) { a: Int }\ntype B @access(read: \"true\") { a: A }"
        ),
        (&["E1103"], "type A @table(strict: 1) @access(read: \"true\") { a: Int }"),
        (&["E2003"], "type A @table(strict: false) @access(read: \"this.extras != null\") { a: Int }"),
        (&["E2003"], "type A @table(strict: false) @access(read: \"this.colour == 'red'\") { a: Int }"),
    ]));
}

#[test]
fn names() {
    insta::assert_snapshot!(all(&[
        (&["E1201"], "type A { title: Strin }"),
        (&["E1201"], "type A { b: B }"),
        (&["E1201"], "type A { a: _BackstayAccount }"),
        (&["E1201"], "extend type Product { a: Int }\ntype Products { a: Int }"),
        (&["E1202"], "type A { a: Int }\ntype A { b: Int }"),
        (&["E1202"], "type A { a: Int, a: String }"),
        (&["E1202"], "enum A { X X }\ntype B { a: A }"),
        (
            &["E1202"],
            "extend schema @rule(name: \"r\", expr: \"true\") @rule(name: \"r\", expr: \"false\")\ntype A { a: Int }"
        ),
        (&["E1203"], "type _BackstayThing { a: Int }"),
        (&["E1203"], "type A @table(name: \"_backstay_account\") { a: Int }"),
        (&["E1203"], "type A @table(name: \"SQLITE_x\") { a: Int }"),
        (&["E1203"], "type A { _backstay_x: Int }"),
        (&["E1203"], "type Timestamp { a: Int }"),
        (&["E1203"], "type A { created_at: String }"),
        (&["E1203"], "extend schema @rule(name: \"size\", expr: \"true\")\ntype A { a: Int }"),
        (&["E1103"], "type A @table(name: \"a\\\"; drop\") { a: Int }"),
        (&["E1103"], "type A { a: Int @column(name: \"\") }"),
        (&["E1204"], "type A { b: B, b_id: Int }\ntype B { a: Int }"),
        (&["E1204"], "type A { b_id: Int, b: B }\ntype B { a: Int }"),
        (&["E1204"], "type A { title: Int, Title: Int }"),
        (&["E1204"], "type A @table(name: \"b\") { a: Int }\ntype B { a: Int }"),
        (&["E1204"], "type A { b: [B!]! }\ntype B { a: [A!]! }\ntype AB @table(name: \"a_b\") { x: Int }"),
        (&["E1204"], "type OrderItem { a: Int }\ntype Order_Item { a: Int }"),
    ]));
}

#[test]
fn keys_ids_and_constraints() {
    insta::assert_snapshot!(all(&[
        (&["E1206"], "type A @table(key: []) { a: Int! }"),
        (&["E1206"], "type A @table(key: [\"a\", \"a\"]) { a: Int! }"),
        (&["E1206"], "type A @table(key: [\"a\"]) { a: Int }"),
        (&["E1208"], "type A @table(key: [\"b\"]) { a: Int! }"),
        (&["E1206"], "type A @table(key: [\"b\"]) { b: B! }\ntype B @table(key: [\"a\"]) { a: A! }"),
        (&["E1207"], "type A { id: ID }"),
        (&["E1207"], "type A { id: Float! }"),
        (&["E1207"], "type A @user { id: Int! }"),
        (&["E1207"], "type A { id: ID! @default(value: \"6f9619ff-8b86-d011-b42d-00cf4fc964ff\") }"),
        (&["E1208"], "type A @unique(fields: [\"titel\"]) { title: Int }"),
        (&["E1208"], "type A @index(fields: [\"parts\"]) { parts: [B!]! }\ntype B { a: A }"),
        (&["E1202"], "type A @unique(fields: [\"a\", \"a\"]) { a: Int }"),
        (&["E1202"], "type A @unique(fields: [\"a\"]) { a: Int @unique }"),
        (&["E1106"], "type A { a: Int @index(fields: [\"a\"]) }"),
        (&["E1106"], "type A { a: Int @column(digits: 3) }"),
        (&["E1103"], "type A { a: Decimal @column(digits: 3, scale: 4) }"),
        (&["E1103"], "type A { a: Decimal @column(digits: 19) }"),
        (&["E1409"], "type A { a: Int @was(name: \"b\"), b: Int }"),
        (&["E1105"], "enum S @was(name: \"R\") { X }\ntype A { s: S }"),
        (&["E1409"], "type A @was(name: \"b\") { a: Int }\ntype B { a: Int }"),
    ]));
}

#[test]
fn relations() {
    insta::assert_snapshot!(all(&[
        (&["E1301"], "type A { parts: [B!]! }\ntype B { x: A, y: A }"),
        (
            &["E1301"],
            "type A { parts: [B!]! }\ntype B { whole: A, wholes: [A!]! @relation(field: \"parts\") }"
        ),
        (&["E1301"], "type A { one: [B!]!, two: [B!]! }\ntype B { a: A }"),
        (&["E1302"], "type A { parts: [B!]! }\ntype B { a: Int }"),
        (&["E1302"], "type Person { friends: [Person!]! }"),
        (&["E1303"], "type Person { friends: [Person!]! @relation(field: \"friends\") }"),
        (&["E1208"], "type A { parts: [B!]! @relation(field: \"hole\") }\ntype B { whole: A }"),
        (&["E1303"], "type A { parts: [B!]! @relation(field: \"n\") }\ntype B { n: Int }"),
        (&["E1303"], "type A { b: B! @relation(onDelete: SET_NULL) }\ntype B { a: Int }"),
        (&["E1303"], "type A { bs: [B!]! @relation(onDelete: CASCADE) }\ntype B { a: A }"),
        (&["E1303"], "type A { p: P! }\ntype P { a: A! @unique, x: A @relation(field: \"p\") }"),
        (
            &["E1201"],
            "type A { bs: [B!]! @relation(through: \"Joins\") }\ntype B { n: Int }\ntype Join { a: A!, b: B! }"
        ),
        (
            &["E1303"],
            "type A { bs: [B!]! @relation(through: \"Join\") }\ntype B { n: Int }\ntype Join { a: A!, x: A!, b: B! }"
        ),
        (
            &["E1303"],
            "type A { bs: [B!]! @relation(through: \"Join\") }\ntype B { n: Int }\ntype Join { a: A! }"
        ),
        (
            &["E1303", "E1303"],
            "type A { x: [B!]! @relation(field: \"x\"), y: [B!]! @relation(field: \"y\") }\ntype B { x: [A!]! @relation(field: \"x\"), y: [A!]! @relation(field: \"y\") }"
        ),
    ]));
}

#[test]
fn enums_defaults_and_validations() {
    insta::assert_snapshot!(all(&[
        (&["E1401"], "enum S { A @next(to: [BB]) B }\ntype T { s: S }"),
        (&["E1401"], "enum S { A @next(to: [A]) B }\ntype T { s: S }"),
        (&["E1401"], "enum S { A @next(to: [B, B]) B }\ntype T { s: S }"),
        (&["E1401"], "enum S { A @next(to: [B]) B }\ntype T { s: S! }"),
        (&["E1401"], "enum S { A @next(to: [B]) B }\ntype T { s: S! @default(expr: \"'A'\") }"),
        (&["E1409"], "enum S { A @was(name: \"B\") B }\ntype T { s: S }"),
        (&["E1402"], "type A { a: Int @default }"),
        (&["E1402"], "type A { a: Int @default(value: 1, expr: \"1\") }"),
        (&["E1402"], "type A { a: Int @default(value: \"one\") }"),
        (&["E1402"], "type A { a: Int @default(value: 3000000000) }"),
        (&["E1402"], "type A { a: Int @default(value: null) }"),
        (&["E1402"], "type A { a: Decimal @default(value: 1.00001) }"),
        (&["E1402"], "enum S { A }\ntype T { s: S @default(value: B) }"),
        (&["E1402"], "enum S { A }\ntype T { s: S @default(value: \"A\") }"),
        (&["E1402"], "type A { b: B @default(value: 1) }\ntype B { a: Int }"),
        (
            &["E1402"],
            "type U @user @access(read: \"true\") { name: String! @default(expr: \"auth.user.name\") }"
        ),
        (&["E2015"], "type A { a: Int, b: Int @default(expr: \"this.a\") }"),
        (&["E2004"], "type A { a: Int @default(expr: \"now\") }"),
        (&["E1403"], "type A { a: String @valid }"),
        (&["E1403"], "type A { a: String @valid(min: 1) }"),
        (&["E1403"], "type A { a: Int @valid(maxLength: 1) }"),
        (&["E1403"], "type A { a: Int @valid(min: 2, max: 1) }"),
        (&["E1403"], "type A { a: String @valid(minLength: 2, maxLength: 1) }"),
        (&["E1403"], "type A { a: String @valid(pattern: \"(\") }"),
        (&["E1403"], "type A { a: Timestamp @valid(min: \"yesterday\") }"),
    ]));
}

#[test]
fn server_set_computed_and_checks() {
    insta::assert_snapshot!(all(&[
        (&["E1404"], "type A { a: Int @set(always: \"1\", create: \"2\") }"),
        (&["E1404"], "type A { a: Int @default(value: 1) @set(create: \"2\") }"),
        (&["E1404"], "type A { created_at: Timestamp! @set(create: \"now\") }"),
        (&["E2004"], "type A { a: Int @set(create: \"'x'\") }"),
        (&["E2004"], "type U @user { name: String! }\ntype A { u: U @set(create: \"auth.uid\") }"),
        (&["E1405"], "type A { a: Int @computed(expr: \"this.a\") }"),
        (
            &["E1405", "E1405"],
            "type A { a: Int @computed(expr: \"this.b\"), b: Int @computed(expr: \"this.a\") }"
        ),
        (&["E1405"], "type A { b: B @computed(expr: \"null\") }\ntype B { n: Int }"),
        (&["E2004"], "type A { t: String, a: Int @computed(expr: \"this.t\") }"),
        (&["E1406"], "type A @check(expr: \"this.b.n > 1\", message: \"m\") { b: B }\ntype B { n: Int }"),
        (
            &["E1406"],
            "type A @check(expr: \"size(this.bs) > 1\", message: \"m\") { bs: [B!]! }\ntype B { a: A }"
        ),
        (&["E2015"], "type A @check(expr: \"this.t < now\", message: \"m\") { t: Timestamp }"),
        (&["E2015"], "type A @check(expr: \"auth.role == 'staff'\", message: \"m\") { t: Timestamp }"),
        (
            &["E1407"],
            "type P { price: Int! }\ntype A { p: P!, n: Int! @set(always: \"this.p.price\"), m: Int! @set(always: \"this.n * 2\") }"
        ),
        (
            &["E1408"],
            "type P { price: Int! }\ntype A @access(update: \"true\") { p: P!, n: Int! @set(create: \"this.p.price\") }"
        ),
    ]));
}

#[test]
fn accounts() {
    insta::assert_snapshot!(all(&[
        (&["E1501"], "type A @user { n: Int }\ntype B @user { n: Int }"),
        (&["E1501"], "type A @user { email: Int }"),
        (&["E1501"], "type A @user { role: String! @access(update: \"auth.role == 'staff'\") }"),
        (&["E1501"], "type A @user @table(key: [\"n\"]) { n: Int! }"),
        (&["E1502"], "type A @user { b: B! }\ntype B { n: Int }"),
        (&["E1502"], "type A @user { phone: String! }"),
        (&["E1502"], "type A @user { team: String! @access(write: \"auth.role == 'staff'\") }"),
        (
            &["E1503"],
            "type U @user @access(read: \"true\", update: \"this == auth.user\") { admin: Boolean! @default(value: false) }\ntype A @access(read: \"auth.user.admin\") { n: Int }"
        ),
        (
            &["E1503"],
            "type U @user @access(read: \"true\") { admin: Boolean! @default(value: false) }\ntype A @access(read: \"auth.user.admin\") { n: Int }"
        ),
        (
            &["E1503"],
            "type U @user @access(read: \"true\", update: \"this == auth.user\") { team: T }\ntype T @access(read: \"true\") { n: Int }\ntype A @access(read: \"auth.user.team.n > 1\") { n: Int }"
        ),
        (&["E2003"], "type A @access(read: \"this.n == 1 && auth.user != null\") { n: Int }"),
    ]));
}

#[test]
fn a_mistake_as_json() {
    let files = [file("type Ä { titel: Strin }\n")];
    let mistakes = compile(&files, &settings()).unwrap_err();
    let json: serde_json::Value = serde_json::from_str(&render::json(&mistakes, &files)).unwrap();
    assert_eq!(json[0]["code"], "E1001");
    let files = [file("type A {\n  \"über\" titel: Strin\n}\n")];
    let mistakes = compile(&files, &settings()).unwrap_err();
    insta::assert_snapshot!(render::json(&mistakes, &files));
}
