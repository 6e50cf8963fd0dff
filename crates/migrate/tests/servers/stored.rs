//! Columns that the database computes: their expressions follow the schema, and nothing is lost by that.

use crate::{compiled, diff_of, node};
use backstay_base::clock::Clock;
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::change::Plan;
use backstay_migrate::diff::Scope;
use backstay_migrate::draft::draft;
use backstay_migrate::{apply, file};
use backstay_schema::compile::Owner;
use backstay_testkit::database::Database;

/// Schemas one after another, and whether the step to each loses something.
const STEPS: [(&str, bool); 9] = [
    ("type Item { id: Int! a: Int b: Int }", false),
    (
        "type Item { id: Int! a: Int b: Int \"both\" c: Int @computed(expr: \"this.a + this.b\", stored: true) @index }",
        false,
    ),
    // another expression
    (
        "type Item { id: Int! a: Int b: Int \"product\" c: Int @computed(expr: \"this.a * this.b\", stored: true) @index }",
        false,
    ),
    // its source takes another name, another one another type
    (
        "type Item { id: Int! x: Int @was(name: \"a\") b: BigInt c: BigInt @computed(expr: \"this.x * this.b\", stored: true) @unique }",
        false,
    ),
    (
        "type Thing @was(name: \"Item\") { id: Int! x: Int b: BigInt c: BigInt @computed(expr: \"this.x * this.b\", stored: true) d: String! @default(value: \"it's\") @computed_ }",
        false,
    ),
    // a source goes, and a text is computed
    (
        "type Thing { id: Int! b: BigInt d: String! @valid(maxLength: 90) e: String @computed(expr: \"this.d + '-' + this.d\", stored: true) @index }",
        true,
    ),
    // what was computed is given from now on: the values go
    ("type Thing { id: Int! b: BigInt d: String! e: String @index }", true),
    (
        "type Thing { id: Int! b: BigInt d: String! e: Boolean @computed(expr: \"this.d == 'x' || this.b == null\", stored: true) }",
        true,
    ),
    ("type Thing { id: Int! b: BigInt d: String! }", true),
];

#[tokio::test]
async fn expressions_follow_the_schema() {
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
    for (index, (sdl, loses)) in STEPS.iter().enumerate() {
        let sdl = sdl.replace(" @computed_", "");
        let catalog = compiled(&[(&sdl, Owner::Project)]);
        let drafted = draft(&scratch, &catalog, &file::read(folder.path()).unwrap()).await.unwrap();
        let written = file::write(folder.path(), "change", &drafted).unwrap();
        let files = file::read(folder.path()).unwrap();
        let again = draft(&scratch, &catalog, &files).await.unwrap();
        assert!(again.is_empty(), "{again:#?}");
        for engine in ["sqlite", "postgres", "mysql"] {
            let losses = written.losses(engine);
            assert_eq!(!losses.is_empty(), *loses, "{engine} {losses:?}\n{}", written.text);
        }
        let done = apply::up(
            &*database.engine,
            &files,
            &Clock::fixed(0),
            apply::Going::with_consent(*loses),
            &node("a", 1_000),
        )
        .await;
        if let Err(fault) = done {
            panic!("{fault:?}\n{}", written.text);
        }
        assert_eq!(diff_of(&database, &catalog, Scope::Project).await, Plan::default(), "{}", written.text);
        if index == 0 {
            let table = if database.dialect.name == "mysql" { "`item`" } else { "\"item\"" };
            let rows = format!("INSERT INTO {table} (a, b) VALUES (2, 3), (NULL, 4), (2147483647, 5)");
            database.engine.migrate(&Batch::plain(vec![rows])).await.unwrap();
        }
    }
}
