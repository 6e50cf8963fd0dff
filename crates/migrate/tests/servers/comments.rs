//! Documentation becomes comments of tables and columns, follows every change of the schema, and an
//! import reads it back.

use crate::{compiled, consented, diff_of, node};
use backstay_base::limit::Limits;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::change::Plan;
use backstay_migrate::diff::Scope;
use backstay_migrate::draft::draft;
use backstay_migrate::file;
use backstay_migrate::import::import;
use backstay_schema::compile::Owner;
use backstay_testkit::database::Database;

/// `table: comment` and `table.column: comment`.
async fn comments(database: &Database) -> Vec<String> {
    let live = database.engine.introspect().await.unwrap();
    let tables = live.tables.iter().filter(|table| !table.name.starts_with("_backstay"));
    let mut found: Vec<String> = tables
        .flat_map(|table| {
            let own = table.comment.iter().map(|comment| format!("{}: {comment}", table.name));
            let columns = table.columns.iter().filter_map(|column| {
                Some(format!("{}.{}: {}", table.name, column.name, column.comment.as_ref()?))
            });
            own.chain(columns).collect::<Vec<_>>()
        })
        .collect();
    found.sort();
    found
}

const QUOTES: &str = "it's \"quoted\" \\ `so`; -- not a remark\n-- @sqlite\nbut words";

/// Schemas one after another, and the comments after each; `whole` where none is cut.
fn steps(whole: bool) -> [(String, Vec<String>); 6] {
    let own = |sdl: &str| sdl.replace("QUOTES", QUOTES);
    let long = "x".repeat(3_000);
    let of_long = if whole { long.clone() } else { format!("{}…", "x".repeat(1_023)) };
    let smile = if whole { "😀" } else { "\u{fffd}" };
    [
        ("type Item { id: Int! name: String }".into(), vec![]),
        (
            own(
                "\"\"\"QUOTES\"\"\" type Item { \"the number\" id: Int! \"\"\"QUOTES\"\"\" name: String! @deprecated(reason: \"say `title`\") }",
            ),
            vec![
                own("item: QUOTES"),
                "item.id: the number".into(),
                own("item.name: QUOTES\n\nDeprecated: say `title`"),
            ],
        ),
        (
            format!(
                "\"😀\" type Thing @was(name: \"Item\") {{ id: Int! \"{long}\" title: String @was(name: \"name\") @index \"whose\" of: Thing }}"
            ),
            vec![format!("thing: {smile}"), format!("thing.title: {of_long}"), "thing.of_id: whose".into()],
        ),
        (
            format!(
                "\"😀\" type Thing {{ id: Int! \"{long}\" title: Int! @deprecated \"whose\" of: Thing! }}"
            ),
            vec![
                format!("thing: {smile}"),
                format!(
                    "thing.title: {}",
                    if whole {
                        format!("{long}\n\nDeprecated: No longer supported")
                    } else {
                        of_long.clone()
                    }
                ),
                "thing.of_id: whose".into(),
            ],
        ),
        (
            "type Thing { id: Int! title: Int! @deprecated(reason: \"\") of: Thing! more: Int }".into(),
            vec!["thing.title: Deprecated: ".into()],
        ),
        ("type Thing { id: Int! title: Int! of: Thing! more: Int }".into(), vec![]),
    ]
}

#[tokio::test]
async fn comments_follow_the_documentation() {
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
    for (sdl, wanted) in steps(database.dialect.name == "postgres") {
        let catalog = compiled(&[(&sdl, Owner::Project)]);
        let drafted = draft(&scratch, &catalog, &file::read(folder.path()).unwrap()).await.unwrap();
        file::write(folder.path(), "change", &drafted).unwrap();
        let files = file::read(folder.path()).unwrap();
        let again = draft(&scratch, &catalog, &files).await.unwrap();
        assert!(again.is_empty(), "{again:#?}");
        let done = consented(&database, &files, &node("a", 1_000)).await;
        if let Err(fault) = done {
            panic!("{fault:?}\n{}", files.last().unwrap().text);
        }
        assert_eq!(diff_of(&database, &catalog, Scope::Project).await, Plan::default());
        let mut wanted = if database.dialect.name == "sqlite" { vec![] } else { wanted };
        wanted.sort();
        assert_eq!(comments(&database).await, wanted, "{}", files.last().unwrap().text);
        let live = database.engine.introspect().await.unwrap();
        let imported = import(database.dialect, &live);
        let found = compiled(&[(&imported, Owner::Project)]);
        assert_eq!(diff_of(&database, &found, Scope::Project).await, Plan::default(), "{imported}");
        if wanted.iter().any(|comment| comment.ends_with("say `title`")) {
            let column = found.tables[0].column_named("name").unwrap();
            assert_eq!(column.doc.as_deref(), Some(QUOTES));
            assert_eq!(column.deprecated.as_deref(), Some("say `title`"));
        }
    }
}

/// What somebody else says of a column that the schema says nothing of stays.
#[tokio::test]
async fn comments_of_others_stay() {
    let database = Database::fresh(&Limits::default()).await;
    if database.dialect.name == "sqlite" {
        return;
    }
    let catalog = compiled(&[("type Item { id: Int! name: String }", Owner::Project)]);
    let said = compiled(&[("type Item { id: Int! \"ours\" name: String }", Owner::Project)]);
    let statements = diff_of(&database, &said, Scope::Project).await.statements();
    let batch = backstay_engine::migration::Batch::plain(statements);
    database.engine.migrate(&batch).await.unwrap();
    assert_eq!(comments(&database).await, ["item.name: ours"]);
    assert_eq!(diff_of(&database, &catalog, Scope::Project).await, Plan::default());
    let other = compiled(&[("type Item { id: Int! \"it's\" name: String }", Owner::Project)]);
    let plan = diff_of(&database, &other, Scope::Project).await;
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.changes[0].summary, "~ comments of item");
    assert!(!plan.is_destructive());
    // nobody has to migrate for words
    assert_eq!(plan.needed().count(), 0);
}
