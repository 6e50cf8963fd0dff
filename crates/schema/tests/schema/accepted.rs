//! One good use of every directive, and the conventions that need none.

use super::shape::{catalog, file, outline, settings};
use super::shown;
use backstay_schema::catalog::{Catalog, DefaultValue, Fill, Origin, RelationKind, Valid};
use backstay_schema::compile::{Owner, SourceFile, compile};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

fn outlines(text: &str) -> String {
    let catalog = catalog(text);
    catalog.tables.iter().map(|table| outline(&catalog, table)).collect::<Vec<_>>().join("\n")
}

#[test]
fn ids_and_keys() {
    insta::assert_snapshot!(outlines(
        r#"
        type Plain @access(read: "true") { n: Int }
        type Counted @access(read: "true") { id: BigInt!  plain: Plain! }
        type Named @access(read: "true") { id: String!  counted: Counted }
        type Line @table(key: ["named", "number"]) @access(read: "true") { named: Named!  number: Int!  note: String }
        type Part @access(read: "true") { line: Line!  inner: Line }
        type Seat @table(name: "seats", key: ["line"]) @access(read: "true") { line: Line!  label: String @column(name: "Label") }
        "#
    ));
}

#[test]
fn relations() {
    insta::assert_snapshot!(outlines(
        r#"
        type Team @access(read: "true") {
          captain: Player @unique
          players: [Player!]! @relation(field: "team")
          home: [Match!]! @relation(field: "host")
          away: [Match!]! @relation(field: "guest")
        }
        type Player @access(read: "true") {
          team: Team! @relation(onDelete: CASCADE)
          passport: Passport
          friends: [Player!]! @relation(field: "admirers")
          admirers: [Player!]! @relation(field: "friends")
          clubs: [Club!]! @relation(through: "Membership")
        }
        type Passport @access(read: "true") { player: Player! @unique  number: String! }
        type Match @access(read: "true") { host: Team!  guest: Team! }
        type Club @access(read: "true") { name: String!  players: [Player!]! @relation(through: "Membership") }
        type Membership @table(key: ["player", "club"]) @access(read: "true") { player: Player!  club: Club!  since: Date! }
        type Follow @access(read: "true") { follower: Person!  followed: Person! }
        type Person @access(read: "true") {
          follows: [Person!]! @relation(through: "Follow", field: "follower")
          followers: [Person!]! @relation(through: "Follow", field: "followed")
        }
        "#
    ));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one schema, looked at whole")]
fn columns_carry_their_directives() {
    let catalog = catalog(
        r#"
        "What a thing is."
        enum Kind { SMALL @was(name: "TINY") LARGE @next(to: [SMALL]) }
        type U @user @access(read: "true", update: "this == auth.user") {
          name: String!
          email: String!
          phone: String
          role: String!
        }
        "A thing."
        type Thing @was(name: "object") @access(read: "true")
          @check(expr: "this.low <= this.high", message: "low is above high")
          @check(expr: "this.low >= 0", message: "low is negative")
          @index(fields: ["kind", "low"]) @unique(fields: ["kind", "high"])
        {
          "Its kind."
          kind: Kind! @default(value: LARGE)
          low: Decimal! @column(digits: 6, scale: 2) @valid(min: 0, max: 99.5, message: "out of range") @was(name: "least")
          high: Decimal! @column(digits: 6, scale: 2)
          slug: String @valid(minLength: 1, maxLength: 9, pattern: "^[a-z]+$", format: SLUG)
          day: Date @default(value: "2026-01-31") @valid(min: "2026-01-01")
          meta: JSON @default(value: {a: [1, true, X]})
          by: U @default(expr: "auth.user")
          at: Timestamp @default(expr: "now")
          owner: U @set(create: "auth.user") @relation(refer: "this == auth.user")
          seen: Timestamp @set(always: "now")
          count: Int @set(create: "1", update: "this.count + 1")
        }
        "#,
    );
    let thing = catalog.public_table("thing").unwrap();
    assert_eq!(thing.was.as_deref(), Some("object"));
    assert_eq!(thing.doc.as_deref(), Some("A thing."));
    let checks: Vec<(&str, &str)> =
        thing.checks.iter().map(|c| (c.name.as_str(), c.message.as_str())).collect();
    assert_eq!(checks, [("thing_check", "low is above high"), ("thing_check1", "low is negative")]);
    let column = |name: &str| thing.column_named(name).unwrap();
    assert_eq!(column("low").ty, ScalarType::Decimal { digits: 6, scale: 2 });
    assert_eq!(column("low").was.as_deref(), Some("least"));
    assert_eq!(column("low").valid_message.as_deref(), Some("out of range"));
    let low: Vec<String> = column("low")
        .valid
        .iter()
        .map(|valid| match valid {
            Valid::Min(value) => format!("min {}", value.to_text()),
            Valid::Max(value) => format!("max {}", value.to_text()),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(low, ["min 0.00", "max 99.50"]);
    assert_eq!(column("slug").valid.len(), 4);
    let default = |name: &str| match &column(name).default {
        Some(DefaultValue::Value(value)) => value.to_text(),
        Some(DefaultValue::Expr(expr)) => shown::expr(&catalog, thing.id, expr),
        None => "none".to_owned(),
    };
    assert_eq!(default("kind"), "LARGE");
    assert_eq!(default("day"), "2026-01-31");
    assert_eq!(default("meta"), r#"{"a":[1,true,"X"]}"#);
    assert_eq!(default("by_id"), "auth.user.id");
    assert_eq!(default("at"), "request.time");
    let set = |name: &str| {
        let show = |expr: &Option<backstay_schema::expr::Expr>| {
            expr.as_ref().map_or("none".to_owned(), |expr| shown::expr(&catalog, thing.id, expr))
        };
        (show(&column(name).set_create), show(&column(name).set_update))
    };
    assert_eq!(set("owner_id"), ("auth.user.id".to_owned(), "none".to_owned()));
    assert_eq!(set("seen"), ("request.time".to_owned(), "request.time".to_owned()));
    assert_eq!(set("count"), ("1".to_owned(), "(this.count Add 1):Int".to_owned()));
    let refer = thing.relations.iter().find_map(|relation| match &relation.kind {
        RelationKind::ToOne { refer: Some(refer), .. } => Some(shown::expr(&catalog, relation.target, refer)),
        _ => None,
    });
    assert_eq!(refer.as_deref(), Some("this Eq auth.user"));
    let user = catalog.table(catalog.user.unwrap());
    let fills: Vec<(&str, Fill)> = user.columns.iter().map(|c| (c.name.as_str(), c.fill)).collect();
    assert_eq!(
        fills,
        [
            ("id", Fill::Account),
            ("name", Fill::None),
            ("email", Fill::Account),
            ("phone", Fill::Account),
            ("role", Fill::Account)
        ]
    );
    let kind = catalog.enums.first().unwrap();
    assert!(kind.transitions);
    let members: Vec<(&str, &[usize], Option<&str>)> =
        kind.members.iter().map(|m| (m.name.as_str(), m.next.as_slice(), m.was.as_deref())).collect();
    assert_eq!(members, [("SMALL", &[][..], Some("TINY")), ("LARGE", &[0][..], None)]);
}

#[test]
fn index_names_are_unique_in_the_database() {
    insta::assert_snapshot!(outlines(
        "type A @access(read: \"true\") { b_c: Int @index }\n\
         type AB @table(name: \"a_b\") @access(read: \"true\") { c: Int @index, c_idx: Int }\n\
         type X @table(name: \"a_b_c_idx1\") @access(read: \"true\") { n: Int }"
    ));
}

#[test]
fn files_and_extensions_are_merged() {
    let named =
        |name: &str, text: &str| SourceFile { name: name.into(), text: text.into(), owner: Owner::Project };
    let files = [
        named(
            "schema/a.graphql",
            "extend type B { n: Int }\ntype A @access(read: \"even(this.b)\") { b: B }",
        ),
        named("schema/b.graphql", "type B { m: Int }\nextend type B @access(read: \"true\")"),
        named(
            "schema/rules.graphql",
            "extend schema @rule(name: \"even\", params: [\"x\"], expr: \"x.n % 2 == 0\")",
        ),
    ];
    let compiled = compile(&files, &settings()).unwrap();
    assert_eq!(compiled.catalog.files, ["schema/a.graphql", "schema/b.graphql", "schema/rules.graphql"]);
    let table = compiled.catalog.public_table("a").unwrap();
    let arm = table.access.read.allow.first().unwrap();
    assert_eq!(shown::expr(&compiled.catalog, table.id, &arm.expr), "even{(this.b.n Rem 2):Int Eq 0}");
    assert_eq!((arm.id.as_str(), arm.text.as_str(), arm.span.file), ("A.read#1", "even(this.b)", 0));
}

fn with_system() -> Catalog {
    let files = [
        SourceFile {
            name: "accounts".into(),
            text: "type _BackstayAccount @table(name: \"_backstay_account\") { email: String @unique  sessions: [_BackstaySession!]! }\n\
                   type _BackstaySession @table(name: \"_backstay_session\") { account: _BackstayAccount! @relation(onDelete: CASCADE) }"
                .into(),
            owner: Owner::System,
        },
        file("type A @access(read: \"true\") { n: Int }"),
    ];
    compile(&files, &settings()).unwrap().catalog
}

#[test]
fn system_tables_are_there_and_hidden() {
    let catalog = with_system();
    let names: Vec<(&str, Origin)> = catalog.tables.iter().map(|t| (t.name.as_str(), t.origin)).collect();
    assert_eq!(
        names,
        [
            ("_backstay_account", Origin::System),
            ("_backstay_session", Origin::System),
            ("a", Origin::Declared)
        ]
    );
    assert!(catalog.public_table("_backstay_account").is_none());
    assert!(catalog.any_table("_backstay_account").is_some());
}

#[test]
fn system_types_must_carry_their_prefix() {
    let system = |text: &str| {
        let file = SourceFile { name: "s".into(), text: text.into(), owner: Owner::System };
        compile(&[file], &settings()).unwrap_err().iter().map(|m| m.code).collect::<Vec<_>>()
    };
    assert_eq!(system("type Account { n: Int }"), ["E1203"]);
    assert_eq!(system("type _BackstayX @table(name: \"x\") { n: Int }"), ["E1203"]);
}

#[test]
fn remarks_do_not_refuse() {
    let compiled = compile(
        &[file(
            "extend schema @rule(name: \"idle\", expr: \"true\")\n\
             type A { select: Int }\n\
             type B @access(read: \"true\", create: \"true\") { n: Int }",
        )],
        &settings(),
    )
    .unwrap();
    let codes: Vec<&str> = compiled.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["W3002", "W3003", "W3001", "W3004"]);
}

#[test]
fn an_empty_project_is_a_schema() {
    let compiled = compile(&[], &settings()).unwrap();
    assert_eq!(compiled.catalog.tables.len(), 0);
    assert_eq!(compiled.catalog.roles, ["anon", "authenticated", "service", "staff", "admin"]);
    assert_eq!(Value::Null.to_text(), "null");
}
