//! `migrate plan|new|up|status` on real files: consent, renames, fills, rebuilds.

use crate::kit::{NOTES, Project, Ran};
use insta::assert_snapshot;
use serde_json::json;

const LIBRARY: &str = "enum State { DRAFT OPEN CLOSED }
type Author @access(all: \"true\") {
  name: String! @unique
  books: [Book!]!
}
type Book @access(all: \"true\") {
  title: String!
  pages: Int @index
  state: State! @default(value: DRAFT)
  author: Author!
}
";

fn ran(code: i32, out: &str, err: &str) -> Ran {
    Ran { code, out: out.to_owned(), err: err.to_owned() }
}

/// A migrated library of two authors and three books.
fn library() -> Project {
    let project = Project::with(LIBRARY);
    step(&project);
    let fill = "INSERT INTO author (id, name) VALUES ('a1', 'Ann'), ('a2', 'Bob');
        INSERT INTO book (id, title, pages, state, author_id) VALUES
          ('b1', 'One', 10, 'DRAFT', 'a1'), ('b2', 'Two', NULL, 'OPEN', 'a1'), ('b3', 'Three', 30, 'CLOSED', 'a2');";
    project.database().execute_batch(fill).unwrap();
    project
}

/// Writes and applies what the schema needs; afterwards nothing is left to do.
fn step(project: &Project) -> Ran {
    let written = project.run(&["migrate", "new", "--yes"]);
    assert_eq!(written.code, 0, "{written:?}");
    let done = project.run(&["migrate", "up", "--yes"]);
    assert_eq!(done.code, 0, "{done:?}");
    let plan = project.run(&["migrate", "plan"]);
    assert_eq!(plan, ran(0, "nothing to do: the migration files already make this schema\n", ""));
    serves(project);
    done
}

/// `serve` compares the database itself with the schema.
fn serves(project: &Project) {
    let (mut server, _) = project.serve().ready();
    server.terminate();
    assert_eq!(server.ended(), (0, String::new()));
    let whole: Vec<String> = project.rows("PRAGMA integrity_check");
    assert_eq!(whole, ["ok"]);
    assert_eq!(project.rows("PRAGMA foreign_key_check"), [""; 0]);
}

#[test]
fn plan_new_status_up() {
    let project = Project::with(NOTES);
    let plan = project.run(&["migrate", "plan"]);
    assert_eq!((plan.code, plan.err.as_str()), (0, ""));
    assert_snapshot!(plan.out);
    assert_eq!(project.files("migrations"), [""; 0]);
    assert_eq!(project.run(&["migrate", "new"]), ran(0, "wrote migrations/0001_init.sql\n", ""));
    assert_eq!(project.run(&["migrate", "status"]), ran(0, "pending  0001_init.sql\n", ""));
    assert_eq!(project.run(&["migrate", "up"]), ran(0, "applied 0001_init.sql\n", ""));
    assert_eq!(project.run(&["migrate", "up"]), ran(0, "nothing to apply\n", ""));
    let status = project.json(&["migrate", "status"]);
    assert_eq!((&status["pending"], &status["problems"]), (&json!([]), &json!([])));
    assert_eq!(status["applied"][0]["name"], "0001_init.sql");
    let again = project.run(&["migrate", "new"]);
    assert_eq!(again, ran(0, "", "nothing to write: the migration files already make this schema\n"));
}

#[test]
fn plan_and_new_work_beside_a_running_server() {
    let project = Project::with(NOTES);
    step(&project);
    let (_server, _) = project.serve().ready();
    project.edit("  stars", "  weight: Int\n  stars");
    assert_eq!(project.run(&["migrate", "plan"]).code, 0);
    assert_eq!(project.run(&["migrate", "new", "weight"]), ran(0, "wrote migrations/0002_weight.sql\n", ""));
}

#[test]
fn an_edited_file_is_refused_and_so_is_a_missing_one() {
    let project = library();
    let text = project.read("migrations/0001_init.sql");
    project.write("migrations/0001_init.sql", &format!("{text}-- more\n"));
    let words = "error: 0001_init.sql was edited after it was applied\n  restore the file as it was applied, and put the change into a new one\n";
    assert_eq!(project.run(&["migrate", "up"]), ran(1, "", words));
    let status = project.run(&["migrate", "status"]);
    assert_eq!(
        (status.code, status.err.as_str()),
        (3, "problem 0001_init.sql was edited after it was applied\n")
    );
    assert_eq!(project.run(&["serve", "--listen", "127.0.0.1:0"]), ran(1, "", words));
    std::fs::remove_file(project.folder().join("migrations/0001_init.sql")).unwrap();
    let gone = project.run(&["migrate", "up"]);
    assert_eq!(gone.code, 1);
    assert!(gone.err.contains("0001_init.sql was applied but is not among the files"), "{}", gone.err);
}

#[test]
fn a_file_that_fails_leaves_no_trace() {
    let project = library();
    project.write(
        "migrations/0002_wrong.sql",
        "CREATE TABLE extra (a TEXT);\nINSERT INTO nowhere VALUES (1);\n",
    );
    let done = project.run(&["migrate", "up"]);
    assert_eq!(
        done,
        ran(1, "", "error: 0002_wrong.sql: statement 2 of the migration failed: no such table: nowhere\n")
    );
    assert_eq!(project.rows("SELECT name FROM sqlite_schema WHERE name = 'extra'"), [""; 0]);
    project.write("migrations/0002_wrong.sql", "COMMIT;\nDELETE FROM book;\n");
    let done = project.run(&["migrate", "up", "--yes"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert_eq!(project.rows("SELECT count(*) FROM book"), ["3"]);
    assert_eq!(project.run(&["migrate", "status"]).code, 0);
}

#[test]
fn dropping_needs_consent_to_write_and_to_apply() {
    let project = library();
    project.edit("  pages: Int @index\n", "");
    let asked = project.run(&["migrate", "new"]);
    assert_eq!(asked.code, 4, "{asked:?}");
    assert_eq!(asked.err, "this may lose data; to write it anyway: backstay migrate new --yes\n");
    assert_eq!(project.files("migrations"), ["0001_init.sql"]);
    assert_eq!(project.run(&["migrate", "new", "--yes"]).code, 0);
    let asked = project.run(&["migrate", "up"]);
    assert_eq!((asked.code, asked.out.as_str()), (4, ""), "{asked:?}");
    assert_snapshot!(asked.err);
    assert_eq!(project.rows("SELECT pages FROM book WHERE id = 'b1'"), ["10"]);
    assert_eq!(project.run(&["migrate", "up", "--yes"]), ran(0, "applied 0002_change.sql\n", ""));
    serves(&project);
    assert_eq!(
        project.rows("SELECT id, title, state, author_id FROM book ORDER BY id"),
        ["b1|One|DRAFT|a1", "b2|Two|OPEN|a1", "b3|Three|CLOSED|a2",]
    );
}

#[test]
fn dropping_a_type_and_what_refers_to_it() {
    let project = library();
    project.write(
        "schema.graphql",
        "enum State { DRAFT OPEN CLOSED }\ntype Book @access(all: \"true\") {\n  title: String!\n  pages: Int @index\n  state: State! @default(value: DRAFT)\n}\n",
    );
    assert_eq!(project.run(&["migrate", "new"]).code, 4);
    step(&project);
    assert_eq!(
        project.rows("SELECT id, title, pages, state FROM book ORDER BY id"),
        ["b1|One|10|DRAFT", "b2|Two|NULL|OPEN", "b3|Three|30|CLOSED",]
    );
    assert_eq!(project.rows("SELECT name FROM sqlite_schema WHERE name = 'author'"), [""; 0]);
}

#[test]
fn a_renamed_column_keeps_its_values() {
    let project = library();
    project.edit("  pages: Int @index\n", "  page_count: Int @index @was(name: \"pages\")\n");
    assert_eq!(project.run(&["migrate", "new", "rename"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    step(&project);
    assert_eq!(project.rows("SELECT id, page_count FROM book ORDER BY id"), ["b1|10", "b2|NULL", "b3|30"]);
}

#[test]
fn a_renamed_reference_keeps_its_rows() {
    let project = library();
    project.edit("  author: Author!\n", "  writer: Author! @was(name: \"author\")\n");
    assert_eq!(project.run(&["migrate", "new", "rename"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    step(&project);
    assert_eq!(project.rows("SELECT id, writer_id FROM book ORDER BY id"), ["b1|a1", "b2|a1", "b3|a2"]);
}

#[test]
fn a_renamed_type_keeps_its_rows_and_what_refers_to_it() {
    let project = library();
    let text = project.read("schema.graphql");
    let text = text.replace("type Author @access", "type Writer @was(name: \"author\") @access");
    project.write("schema.graphql", &text.replace("author: Author!", "author: Writer!"));
    assert_eq!(project.run(&["migrate", "new", "rename"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    step(&project);
    assert_eq!(project.rows("SELECT id, name FROM writer ORDER BY id"), ["a1|Ann", "a2|Bob"]);
    assert_eq!(project.rows("SELECT id, author_id FROM book ORDER BY id"), ["b1|a1", "b2|a1", "b3|a2"]);
}

#[test]
fn an_added_required_column_fills_old_rows_with_its_default() {
    let project = library();
    project.edit("  title: String!\n", "  title: String!\n  price: Decimal! @default(value: 2.5)\n");
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    assert_eq!(project.rows("SELECT id, price FROM book ORDER BY id"), ["b1|25000", "b2|25000", "b3|25000"]);
    step(&project);
}

#[test]
fn an_added_required_column_is_filled_by_a_rebuild_too() {
    let project = library();
    // the unique constraint and the check make the table anew
    project.edit(
        "  title: String!\n",
        "  title: String! @unique @valid(maxLength: 50)\n  price: Decimal! @default(value: 2.5)\n",
    );
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    assert_eq!(project.rows("SELECT id, price FROM book ORDER BY id"), ["b1|25000", "b2|25000", "b3|25000"]);
    step(&project);
}

#[test]
fn added_time_stamps_are_filled_with_the_time_of_the_migration() {
    let project = library();
    project
        .edit("  title: String!\n", "  title: String!\n  created_at: Timestamp!\n  updated_at: Timestamp!\n");
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]), ran(0, "applied 0002_change.sql\n", ""));
    step(&project);
    let form = "SELECT count(*) FROM book WHERE created_at GLOB '20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*+00:00' AND updated_at = created_at";
    assert_eq!(project.rows(form), ["3"]);
}

#[test]
fn an_added_required_column_without_a_default_needs_an_empty_table() {
    let project = library();
    project.edit("  title: String!\n", "  title: String!\n  isbn: String!\n");
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let refused = project.run(&["migrate", "up"]);
    let words = "error: 0002_change.sql: rows that are there already have no value for book.isbn\n  give the field a @default, or fill it in the migration file\n";
    assert_eq!(refused, ran(1, "", words));
    assert_eq!(project.rows("SELECT count(*) FROM book"), ["3"]);
    project.database().execute("DELETE FROM book", []).unwrap();
    assert_eq!(project.run(&["migrate", "up"]), ran(0, "applied 0002_change.sql\n", ""));
    step(&project);
}

#[test]
fn a_column_that_becomes_required_keeps_rows_or_refuses() {
    let project = library();
    project.edit("  pages: Int @index\n", "  pages: Int! @index\n");
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let refused = project.run(&["migrate", "up"]);
    let words = "error: 0002_change.sql: rows that are there already have no value for book.pages\n  give the field a @default, or fill it in the migration file\n";
    assert_eq!(refused, ran(1, "", words));
    std::fs::remove_file(project.folder().join("migrations/0002_change.sql")).unwrap();
    project.edit("  pages: Int! @index\n", "  pages: Int! @default(value: 1) @index\n");
    step(&project);
    assert_eq!(project.rows("SELECT id, pages FROM book ORDER BY id"), ["b1|10", "b2|1", "b3|30"]);
    project.edit("  pages: Int! @default(value: 1) @index\n", "  pages: Int @index\n");
    step(&project);
    assert_eq!(project.rows("SELECT id, pages FROM book ORDER BY id"), ["b1|10", "b2|1", "b3|30"]);
}

#[test]
fn a_changed_enum_or_check_keeps_rows_indexes_and_references() {
    let project = library();
    project.edit("enum State { DRAFT OPEN CLOSED }", "enum State { DRAFT OPEN CLOSED ARCHIVED }");
    project.edit("  title: String!\n", "  title: String! @valid(maxLength: 5)\n");
    project.edit("  author: Author!\n", "  author: Author! @relation(onDelete: CASCADE)\n");
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    step(&project);
    assert_eq!(
        project.rows("SELECT id, title, pages, state, author_id FROM book ORDER BY id"),
        ["b1|One|10|DRAFT|a1", "b2|Two|NULL|OPEN|a1", "b3|Three|30|CLOSED|a2",]
    );
    let indexes = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'book' AND sql IS NOT NULL ORDER BY name";
    assert_eq!(project.rows(indexes), ["book_author_id_idx", "book_pages_idx"]);
    let database = project.database();
    database.execute("UPDATE book SET state = 'ARCHIVED' WHERE id = 'b1'", []).unwrap();
    database.execute("UPDATE book SET title = 'Longer' WHERE id = 'b1'", []).unwrap_err();
    database.pragma_update(None, "foreign_keys", true).unwrap();
    database.execute("DELETE FROM author WHERE id = 'a1'", []).unwrap();
    drop(database);
    assert_eq!(project.rows("SELECT id FROM book"), ["b3"]);
}

#[test]
fn a_check_that_old_rows_break_is_refused_with_words() {
    let project = library();
    project.edit("enum State { DRAFT OPEN CLOSED }", "enum State { DRAFT OPEN }");
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let refused = project.run(&["migrate", "up"]);
    assert_eq!(
        refused,
        ran(
            1,
            "",
            "error: 0002_change.sql: rows that are there already break book_state_check\n  change these rows first, in this migration file or an earlier one\n"
        )
    );
    assert_eq!(project.rows("SELECT count(*) FROM book"), ["3"]);
}

#[test]
fn a_changed_type_converts_or_is_refused_never_misread() {
    let project = library();
    project.edit("  pages: Int @index\n", "  pages: Decimal @index\n");
    step(&project);
    let (server, _) = project.serve().ready();
    drop(server);
    assert_eq!(project.rows("SELECT id, pages FROM book ORDER BY id"), ["b1|100000", "b2|NULL", "b3|300000"]);
    project.edit("  pages: Decimal @index\n", "  pages: Decimal @column(digits: 10, scale: 2) @index\n");
    step(&project);
    assert_eq!(project.rows("SELECT id, pages FROM book ORDER BY id"), ["b1|1000", "b2|NULL", "b3|3000"]);
}

#[test]
fn a_renamed_type_keeps_its_links() {
    let schema = "type Book @access(all: \"true\") {\n  title: String!\n  tags: [Tag!]!\n}\ntype Tag @access(all: \"true\") {\n  name: String!\n  books: [Book!]!\n}\n";
    let project = Project::with(schema);
    step(&project);
    let fill = "INSERT INTO book (id, title) VALUES ('b1', 'One'), ('b2', 'Two');
        INSERT INTO tag (id, name) VALUES ('t1', 'new');
        INSERT INTO book_tag (book_id, tag_id) VALUES ('b1', 't1'), ('b2', 't1');";
    project.database().execute_batch(fill).unwrap();
    let renamed = schema
        .replace("type Tag @access", "type Label @was(name: \"Tag\") @access")
        .replace("[Tag!]!", "[Label!]!");
    project.write(
        "schema.graphql",
        &renamed
            .replace("type Book @access", "type Volume @was(name: \"Book\") @access")
            .replace("[Book!]!", "[Volume!]!"),
    );
    assert_eq!(project.run(&["migrate", "new", "rename"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    step(&project);
    assert_eq!(
        project.rows("SELECT volume_id, label_id FROM label_volume ORDER BY volume_id"),
        ["b1|t1", "b2|t1"]
    );
}

#[test]
fn lint_tells_what_files_do() {
    let project = Project::with(NOTES);
    step(&project);
    assert_eq!(project.run(&["migrate", "lint"]), ran(0, "", "1 file, 0 findings to look at\n"));
    let quiet = project.run(&["check"]).err;
    let text = "-- @sqlite\nUPDATE note SET stars = 1;\n-- @postgres\nCREATE INDEX note_stars_idx ON note (stars);\n";
    project.write("migrations/0002_stars.sql", text);
    let told = "migrations/0002_stars.sql:2: warning[BM114] every row of note changes at once (sqlite)
  their locks are held until the file ends, and writers wait
  instead: change them in batches from a program or job, in a file apart from the definitions, with a WHERE
";
    let all = project.run(&["migrate", "lint"]);
    assert_eq!(all, ran(3, told, "2 files, 1 finding to look at\n"));
    assert_eq!(project.run(&["migrate", "lint", "1"]), ran(0, "", "1 file, 0 findings to look at\n"));
    let latest = project.run(&["migrate", "lint", "--latest", "1"]);
    assert_eq!(latest, ran(3, told, "1 file, 1 finding to look at\n"));
    let github =
        project.run(&["migrate", "lint", "--engine", "postgres", "--format", "github", "0002_stars.sql"]);
    let line = "::warning file=migrations/0002_stars.sql,line=4,title=BM109 an index is built%2C dropped or built anew%2C or a partition detached%2C while writers wait::\
                note_stars_idx of note is built while writers wait (postgres): CREATE INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY, REINDEX … \
                CONCURRENTLY, DETACH PARTITION … CONCURRENTLY: backstay runs them outside the transaction\n";
    assert_eq!(github, ran(3, line, ""));
    assert_eq!(project.run(&["migrate", "lint", "3"]), ran(1, "", "error: there is no migration 3\n"));
    let warned = [&quiet, told.split_inclusive('\n').next().unwrap()].concat();
    let check = project.run(&["check"]);
    assert_eq!((check.code, check.err), (0, warned));

    project.write(
        "migrations/0002_stars.sql",
        &text.replace("UPDATE", "-- backstay:allow BM114 ten rows\nUPDATE"),
    );
    let allowed = project.json(&["migrate", "lint", "--latest", "1"]);
    assert_eq!(allowed[0]["allowed"], json!("ten rows"));
    assert_eq!((&allowed[0]["code"], &allowed[0]["line"]), (&json!("BM114"), &json!(3)));
    assert_eq!(project.run(&["check"]).err, quiet);

    // the schema still names what the file takes away
    project.write("migrations/0002_stars.sql", "ALTER TABLE note RENAME COLUMN stars TO points;");
    let told = project.run(&["migrate", "lint", "2"]);
    let line = "migrations/0002_stars.sql:1: error[BM125] note.stars is gone, and Note.stars of the schema is it (sqlite)\n";
    assert_eq!((told.code, told.out.contains(line)), (3, true), "{told:?}");
}

#[test]
fn many_files_become_one_and_go_to_another_database() {
    let project = library();
    project.edit("  pages: Int @index\n", "  pages: Int @index\n  year: Int\n");
    step(&project);
    let squashed = "wrote migrations/0002_init.sql in the place of 2 files\n";
    assert_eq!(project.run(&["migrate", "squash"]), ran(0, squashed, ""));
    assert_eq!(project.files("migrations"), ["0002_init.sql"]);
    assert_eq!(project.run(&["migrate", "status"]).out.lines().last(), Some("squashed 0002_init.sql"));
    serves(&project);
    let status = project.json(&["migrate", "status"]);
    assert_eq!((&status["problems"], &status["drift"]), (&json!([]), &json!([])));
    assert_eq!(status["applied"].as_array().unwrap().len(), 1);
    assert_eq!(project.rows("SELECT count(*) FROM book"), ["3"]);

    let pushed = project.run(&["migrate", "push", "--to", "sqlite:other.db"]);
    assert_eq!(pushed, ran(0, "applied 0002_init.sql\n", ""));
    let pushed = project.run(&["migrate", "push", "--to", "sqlite:other.db"]);
    assert_eq!(pushed, ran(0, "nothing to apply\n", ""));
    project.edit("  year: Int\n", "");
    let behind = "the schema needs more than the files say: backstay migrate new\n";
    assert_eq!(project.run(&["migrate", "push", "--to", "sqlite:other.db"]), ran(3, "", behind));
    assert_eq!(
        project.run(&["migrate", "squash"]),
        ran(0, "", "nothing to squash: there are not two files\n")
    );
    project.write("migrations/0003_seed.sql", "INSERT INTO author (id, name) VALUES ('a3', 'Eve');\n");
    let named = "0003_seed.sql:1 INSERT INTO author (id, name) VALUES ('a3', 'Eve')\n\
                 the schema does not make these again; squash knows what it makes alone\n";
    assert_eq!(project.run(&["migrate", "squash"]), ran(3, "", named));
}

#[test]
fn a_file_is_taken_back_where_nothing_is_lost() {
    let project = library();
    project.edit(
        "  pages: Int @index\n",
        "  sheets: Int! @was(name: \"pages\") @default(value: 1)\n  year: Int\n",
    );
    step(&project);
    let remark = "pending again: backstay migrate up, serve and dev apply what is among the files\n";
    assert_eq!(project.run(&["migrate", "down"]), ran(0, "took 0002_change.sql back\n", remark));
    assert_eq!(
        project.rows("SELECT title || coalesce(pages, '') FROM book ORDER BY id"),
        ["One10", "Two1", "Three30"]
    );
    let status = project.json(&["migrate", "status"]);
    assert_eq!((&status["pending"], &status["drift"]), (&json!(["0002_change.sql"]), &json!([])));
    assert_eq!(project.run(&["migrate", "up"]), ran(0, "applied 0002_change.sql\n", ""));
    project.database().execute_batch("UPDATE book SET year = 1999 WHERE id = 'b2'").unwrap();
    let refused = project.run(&["migrate", "down", "--steps", "2"]);
    let words = "0002_change.sql cannot be taken back: it made book.year, which has values by now";
    assert!(refused.code == 1 && refused.err.contains(words), "{refused:?}");
    assert_eq!(project.rows("SELECT year FROM book WHERE year > 0"), ["1999"]);
}

#[test]
fn two_files_for_two_versions_are_one_step_where_one_process_has_the_file() {
    let project = library();
    project.edit("  title: String!\n", "  headline: String! @was(name: \"title\")\n");
    let wrote = "wrote migrations/0002_headline_expand.sql\nwrote migrations/0003_headline_contract.sql\n";
    let waits = "the second one waits for: backstay migrate up --contract\n";
    assert_eq!(project.run(&["migrate", "new", "--expand", "headline"]), ran(0, wrote, waits));
    let second = project.read("migrations/0003_headline_contract.sql");
    assert!(second.starts_with("-- contracts book: headline < title\n"), "{second}");
    let status = "pending  0002_headline_expand.sql\npending  0003_headline_contract.sql";
    assert!(project.run(&["migrate", "status"]).out.contains(status));
    let done = "applied 0002_headline_expand.sql\napplied 0003_headline_contract.sql\n";
    assert_eq!(project.run(&["migrate", "up"]), ran(0, done, ""));
    assert_eq!(project.rows("SELECT headline FROM book ORDER BY id"), ["One", "Two", "Three"]);
    serves(&project);
}

#[test]
fn a_trigger_by_hand_stays_on_a_table_that_is_made_anew_or_is_named() {
    let project = library();
    let trigger = "CREATE TRIGGER shout AFTER UPDATE OF title ON book BEGIN \
        UPDATE book SET title = upper(title), pages = 1 WHERE id = NEW.id; END";
    project.database().execute_batch(trigger).unwrap();
    project.edit("  title: String!\n", "  title: String! @valid(maxLength: 90)\n");
    step(&project);
    project.database().execute_batch("UPDATE book SET title = 'loud' WHERE id = 'b1'").unwrap();
    assert_eq!(project.rows("SELECT title FROM book WHERE id = 'b1'"), ["LOUD"]);
    // and under another name of the table
    project.edit("type Book ", "type Tome @was(name: \"Book\") ");
    project.edit("books: [Book!]!", "books: [Tome!]!");
    step(&project);
    project.database().execute_batch("UPDATE tome SET title = 'soft' WHERE id = 'b1'").unwrap();
    assert_eq!(project.rows("SELECT title FROM tome WHERE id = 'b1'"), ["SOFT"]);
    let before = project.rows("SELECT sql FROM sqlite_schema ORDER BY name");
    project.edit("  pages: Int @index\n", "");
    assert_eq!(project.run(&["migrate", "new", "--yes"]).code, 0);
    let refused = project.run(&["migrate", "up", "--yes"]);
    let words = "the trigger shout of tome, which somebody wrote, does not fit the table as it becomes: no such column: pages";
    assert!(refused.code == 1 && refused.err.contains(words), "{refused:?}");
    assert_eq!(project.rows("SELECT sql FROM sqlite_schema ORDER BY name"), before);
}

#[test]
fn what_is_lost_is_copied_before_where_backups_have_a_place() {
    let project = library();
    let config = project.read("backstay.toml");
    project.write("backstay.toml", &format!("{config}\n[backup]\nurl = \"file:copies\"\nship = false\n"));
    project.edit("  pages: Int @index\n", "");
    assert_eq!(project.run(&["migrate", "new", "--yes"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 4);
    assert_eq!(project.run(&["backup", "list"]), ran(0, "", ""));
    let done = project.run(&["migrate", "up", "--yes"]);
    assert_eq!((done.code, done.out.as_str()), (0, "applied 0002_change.sql\n"), "{done:?}");
    assert!(done.err.starts_with("copied first: "), "{done:?}");
    let copies = project.json(&["backup", "list"]);
    let copy = copies["copy"].as_str().unwrap().to_owned();
    assert_eq!(
        project
            .run(&["backup", "restore", &copy, "--to", project.folder().join("before.db").to_str().unwrap()])
            .code,
        0
    );
    let before = rusqlite::Connection::open(project.folder().join("before.db")).unwrap();
    let pages: i64 =
        before.query_row("SELECT pages FROM book WHERE id = 'b1'", [], |row| row.get(0)).unwrap();
    assert_eq!(pages, 10);
}

#[test]
fn a_table_that_somebody_changed_is_told() {
    let project = library();
    project.database().execute_batch("ALTER TABLE book ADD COLUMN extra TEXT").unwrap();
    let status = project.run(&["migrate", "status"]);
    assert_eq!((status.code, status.err.as_str()), (3, "drift book.extra is a column that no file makes\n"));
    project.edit("  pages: Int @index\n", "  pages: Int @index\n  year: Int\n");
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let refused = project.run(&["migrate", "up"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let words =
        "the database is not as the migration files left it: book.extra is a column that no file makes";
    assert!(refused.err.contains(words), "{refused:?}");
    project.database().execute_batch("ALTER TABLE book DROP COLUMN extra").unwrap();
    assert_eq!(project.run(&["migrate", "up"]), ran(0, "applied 0002_change.sql\n", ""));
}
