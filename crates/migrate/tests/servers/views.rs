//! Views that somebody made by hand: what is missing is told, an import reads them back, a copy leaves
//! them, drift sees them, and tables under them can be made anew.

use crate::{compiled, diff_of, node};
use backstay_base::clock::Clock;
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_migrate::diff::Scope;
use backstay_migrate::file::{self, MigrationFile};
use backstay_migrate::import::import;
use backstay_migrate::{apply, drift, view};
use backstay_schema::compile::Owner;
use backstay_sql::ddl;
use backstay_testkit::database::Database;

const SDL: &str = r#"
type Sale { id: Int!  seller: String! @valid(maxLength: 40)  cents: Int!  note: String }
type Seller @table(view: "seller_total") { id: String!  sales: BigInt!  largest: Int }
"#;

const VIEW: &str = "CREATE VIEW seller_total AS SELECT seller AS id, count(*) AS sales, max(cents) AS largest FROM sale GROUP BY seller";

async fn made(statements: &[&str]) -> Database {
    let database = Database::fresh(&Limits::default()).await;
    let mut all = ddl::create_all(&compiled(&[(SDL, Owner::Project)]), database.dialect);
    all.extend(statements.iter().map(|&text| text.to_owned()));
    database.engine.migrate(&Batch::plain(all)).await.unwrap();
    database
}

async fn lacking(database: &Database) -> Vec<String> {
    let live = database.engine.introspect().await.unwrap();
    view::lacking(database.dialect, &compiled(&[(SDL, Owner::Project)]), &live)
}

#[tokio::test]
async fn what_is_missing_is_told_and_no_plan_makes_it() {
    let database = made(&[]).await;
    let catalog = compiled(&[(SDL, Owner::Project)]);
    assert_eq!(lacking(&database).await, ["there is no view seller_total"]);
    let plan = diff_of(&database, &catalog, Scope::Project).await;
    assert!(plan.is_empty(), "{plan:#?}");
    let live = database.engine.introspect().await.unwrap();
    let refused = view::check(database.dialect, &catalog, &live).unwrap_err();
    assert_eq!(refused.message, "views are not as the schema says: there is no view seller_total");
    let short = made(&["CREATE VIEW seller_total AS SELECT seller AS id, note AS largest FROM sale"]).await;
    let told = lacking(&short).await;
    assert_eq!(told[0], "seller_total has no column sales");
    assert!(told[1].starts_with("seller_total.largest is "), "{told:?}");
    assert!(told[1].ends_with(", which is no Int"), "{told:?}");
    assert_eq!(lacking(&made(&[VIEW]).await).await, [""; 0]);
}

/// Whatever a table has, a view of it has.
#[tokio::test]
async fn a_view_has_columns_of_every_type() {
    const FIELDS: &str = "a: Int b: BigInt c: Float d: Decimal e: Boolean f: String g: UUID h: Timestamp i: Date \
        j: Time k: Duration l: Bytes m: JSON n: State o: [String!] p: At who: Seller! amount: Decimal @column(digits: 9, scale: 2)";
    let sdl = format!(
        "enum State {{ ONE TWO }} type At @embedded {{ x: Int }} type Seller {{ name: String }} \
         type Every {{ {FIELDS} }} type Same @table(view: \"same\") {{ id: ID! {FIELDS} }}"
    );
    let catalog = compiled(&[(&sdl, Owner::Project)]);
    let database = Database::fresh(&Limits::default()).await;
    let mut statements = backstay_sql::ddl::create_all(&catalog, database.dialect);
    statements.push("CREATE VIEW same AS SELECT * FROM every".to_owned());
    database.engine.migrate(&Batch::plain(statements)).await.unwrap();
    let live = database.engine.introspect().await.unwrap();
    assert_eq!(view::lacking(database.dialect, &catalog, &live), [""; 0]);
}

#[tokio::test]
async fn an_import_reads_views_back() {
    let database = made(&[VIEW, "CREATE VIEW keyless AS SELECT cents FROM sale"]).await;
    let live = database.engine.introspect().await.unwrap();
    let sdl = import(database.dialect, &live);
    assert!(sdl.contains("# view keyless has no column id and is left out"), "{sdl}");
    assert!(sdl.contains("@table(view: \"seller_total\""), "{sdl}");
    let catalog = compiled(&[(&sdl, Owner::Project)]);
    assert_eq!(view::lacking(database.dialect, &catalog, &live), [""; 0], "{sdl}");
    let rest = diff_of(&database, &catalog, Scope::Project).await;
    assert!(rest.is_empty(), "{rest:#?}\n{sdl}");
}

fn files(texts: &[&str]) -> (tempfile::TempDir, Vec<MigrationFile>) {
    let folder = tempfile::tempdir().unwrap();
    for (number, text) in (1..).zip(texts) {
        std::fs::write(folder.path().join(format!("{number:04}_step.sql")), text).unwrap();
    }
    let files = file::read(folder.path()).unwrap();
    (folder, files)
}

#[tokio::test]
async fn a_table_under_a_view_is_changed_and_drift_sees_the_view() {
    let database = Database::fresh(&Limits::default()).await;
    let (engine, clock, node) = (&*database.engine, Clock::fixed(0), node("a", 60_000));
    let old = compiled(&[(SDL, Owner::Project)]);
    let mut first = ddl::create_all(&old, database.dialect).join(";\n");
    first.push_str(&format!(
        ";\n{VIEW};\nINSERT INTO sale (seller, cents, note) VALUES ('a', 2, 'x'), ('a', 3, 'y');\n"
    ));
    let (_folder, one) = files(&[&first]);
    assert_eq!(
        apply::up(engine, &one, &clock, apply::Going::with_consent(false), &node).await.unwrap().len(),
        1
    );
    assert_eq!(drift::drift(engine, database.dialect, &one).await.unwrap(), []);
    // SQLite makes the table anew for this
    let new = compiled(&[(&SDL.replace("note: String", "place: Int @default(value: 1)"), Owner::Project)]);
    let plan = diff_of(&database, &new, Scope::Project).await;
    assert!(plan.is_destructive(), "{plan:#?}");
    let second = plan.statements().join(";\n");
    let (_folder, two) = files(&[&first, &second]);
    apply::up(engine, &two, &clock, apply::Going::with_consent(true), &node).await.unwrap();
    assert!(diff_of(&database, &new, Scope::Project).await.is_empty());
    assert_eq!(lacking(&database).await, [""; 0]);
    assert_eq!(drift::drift(engine, database.dialect, &two).await.unwrap(), []);
    let by_hand =
        vec!["DROP VIEW seller_total".to_owned(), "CREATE VIEW other AS SELECT id FROM sale".to_owned()];
    engine.migrate(&Batch::plain(by_hand)).await.unwrap();
    let told = drift::drift(engine, database.dialect, &two).await.unwrap();
    let told: Vec<&str> = told.iter().map(|drift| drift.message.as_str()).collect();
    assert_eq!(told, ["seller_total is gone", "other is a view that no file makes"]);
}
