//! Text of definitions.
use crate::kit::{catalog, compiled};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl;
use backstay_sql::ddl::column::add_column;
use backstay_sql::ddl::copy::{Conversion, Copied, From, conversion, copy_rows};
use backstay_sql::dialect::mysql::MARIADB;
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::dialect::sqlite::SQLITE;

#[test]
fn tables_and_indexes() {
    insta::assert_snapshot!(ddl::create_all(&catalog(), &SQLITE).join(";\n"));
}

#[test]
fn tables_and_indexes_of_postgres() {
    insta::assert_snapshot!(ddl::create_all(&catalog(), &POSTGRES).join(";\n"));
}

#[test]
fn tables_and_indexes_of_mysql() {
    insta::assert_snapshot!(ddl::create_all(&catalog(), &MARIADB).join(";\n"));
}

#[test]
fn what_refers_to_what_comes_later_waits() {
    let catalog = compiled("type Egg { hen: Hen! }\ntype Hen { egg: Egg mother: Hen }");
    insta::assert_snapshot!(ddl::create_all(&catalog, &POSTGRES).join(";\n"));
}

#[test]
fn changes() {
    let catalog = catalog();
    let post = catalog.public_table("post").unwrap();
    let added = |name| add_column(&catalog, &SQLITE, post, post.column_named(name).unwrap()).join(";\n");
    let changes = [
        added("price"),
        added("editor_id"),
        ddl::alter::drop_column(&SQLITE, "po\"st", "a"),
        ddl::alter::rename_column(&SQLITE, "post", "a", "b"),
        ddl::alter::rename_table(&SQLITE, "post", "article"),
        ddl::drop_index(&SQLITE, "post", "post_a_idx"),
        ddl::drop_table(&SQLITE, "post"),
    ];
    insta::assert_snapshot!(changes.join(";\n"));
}

#[test]
fn rows_that_move() {
    let catalog = catalog();
    let post = catalog.public_table("post").unwrap();
    let column = |name: &str| post.column_named(name).unwrap();
    let from = |name: &str, nullable, conversion| From::Column { name: name.into(), nullable, conversion };
    let copied = |name, from| Copied { column: column(name), from };
    let columns = [
        copied("title", from("ti\"tle", false, Conversion::Plain)),
        copied("words", from("words", false, Conversion::Rescale { from: 2, to: 0 })),
        copied("price", from("price", true, Conversion::Rescale { from: 0, to: 4 })),
        copied("state", from("state", true, Conversion::Plain)),
        copied("meta", From::Nowhere),
        copied("id", from("number", true, Conversion::Refused)),
    ];
    let filled =
        [copied("state", From::Nowhere), copied("price", from("p", true, Conversion::FromFloat { to: 4 }))];
    let moves = [
        copy_rows(&catalog, &SQLITE, ("post", "post_new"), &columns),
        copy_rows(&catalog, &SQLITE, ("post", "post_new"), &filled),
    ];
    insta::assert_snapshot!(moves.join(";\n"));
}

#[test]
fn stored_forms_that_fit() {
    let fits = |stored: &str, scale, to| conversion(&SQLITE, (stored, scale), to);
    let decimal = ScalarType::Decimal { digits: 18, scale: 4 };
    assert_eq!(fits("INTEGER", None, ScalarType::String), Some(Conversion::Plain));
    assert_eq!(fits("INTEGER", None, decimal), Some(Conversion::Rescale { from: 0, to: 4 }));
    assert_eq!(fits("INTEGER", Some(4), decimal), Some(Conversion::Plain));
    assert_eq!(fits("INTEGER", Some(2), ScalarType::Int), Some(Conversion::Rescale { from: 2, to: 0 }));
    assert_eq!(fits("INTEGER", Some(2), ScalarType::Float), Some(Conversion::ToFloat { from: 2 }));
    assert_eq!(fits("REAL", None, decimal), Some(Conversion::FromFloat { to: 4 }));
    assert_eq!(fits("TEXT", None, decimal), None);
    for of_time in [ScalarType::Time, ScalarType::Date, ScalarType::Timestamp, ScalarType::Uuid] {
        assert_eq!(fits("INTEGER", None, of_time), Some(Conversion::Refused));
        assert_eq!(fits("REAL", None, of_time), Some(Conversion::Refused));
        assert_eq!(fits("TEXT", None, of_time), Some(Conversion::Plain));
    }
    assert_eq!(fits("INTEGER", None, ScalarType::Duration), Some(Conversion::Plain));
    assert_eq!(fits("INTEGER", Some(4), ScalarType::String), Some(Conversion::Between(decimal)));
    assert_eq!(fits("INTEGER", Some(4), ScalarType::Boolean), None);
}
