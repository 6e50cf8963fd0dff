//! `new`, `check`, `keys`, `user`, `schema`; exit codes; what goes to which stream.

use crate::kit::{NOTES, Project, Ran};
use insta::assert_snapshot;
use serde_json::Value;

fn ran(code: i32, out: &str, err: &str) -> Ran {
    Ran { code, out: out.to_owned(), err: err.to_owned() }
}

#[test]
fn both_templates_are_clean() {
    let shop = Project::new("shop");
    assert_eq!(shop.run(&["check"]), ran(0, "✔ 7 types, 1 enum, 26 rules\n", ""));
    let empty = Project::new("empty");
    assert_eq!(empty.run(&["check"]), ran(0, "✔ 2 types, 0 enums, 3 rules\n", ""));
    assert_eq!(empty.run(&["check", "--json"]), ran(0, "[]\n", ""));
    assert_eq!(
        shop.files("."),
        [".backstay", ".gitignore", ".graphqlrc.yml", "backstay.toml", "schema.graphql"]
    );
}

#[test]
fn new_keeps_its_hands_off_what_is_there() {
    let project = Project::nothing();
    std::fs::create_dir(project.folder()).unwrap();
    project.write("mine.txt", "mine");
    let done = project.run_outside(&["new", "app"]);
    assert_eq!(done, ran(1, "", "error: ./app exists and is not empty\n"));
    assert_eq!(project.files("."), ["mine.txt"]);
}

#[test]
fn a_folder_that_is_no_project_says_how_to_make_one() {
    let project = Project::nothing();
    assert_eq!(project.run(&["check"]), ran(1, "", "error: app is not a folder\n"));
    std::fs::create_dir(project.folder()).unwrap();
    let words = "error: app holds no schema.graphql; start one with: backstay new app\n";
    for command in [&["check"][..], &["serve"], &["dev"], &["keys", "list"], &["migrate", "plan"]] {
        assert_eq!(project.run(command), ran(1, "", words), "{command:?}");
    }
    assert_eq!(project.files("."), [""; 0]);
}

#[test]
fn a_wrong_configuration_is_shown_with_its_line() {
    let project = Project::with(NOTES);
    project.write("backstay.toml", "[server]\nlissten = \"x\"\n");
    let done = project.run(&["check"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert_snapshot!(done.err);
    project.write("backstay.toml", "[auth]\nsignup = \"${NO_SUCH_NAME}\"\n");
    let words = "error: backstay.toml is not right: the environment variable NO_SUCH_NAME is not set\n";
    assert_eq!(project.run(&["check"]), ran(1, "", words));
    project.write("backstay.toml", "[auth.providers.staff]\nclient_id = \"a\"\nclient_secret = \"b\"\n");
    let words = "error: [auth.providers.staff] is not right: provider staff needs issuer, or authorize_url, token_url and user_url\n";
    assert_eq!(project.run(&["check"]), ran(1, "", words));
    project.write("backstay.toml", "[store.default]\nurl = \"oracle://me:secret@x\"\n");
    let words = "error: no engine serves oracle: URLs; a store is sqlite:, postgres:// or mysql://\n";
    assert_eq!(project.run(&["migrate", "status"]), ran(1, "", words));
}

#[test]
fn words_that_are_no_commands_are_usage_errors() {
    let project = Project::with(NOTES);
    for wrong in [&["chekc"][..], &["serve", "--prot", "1"], &["migrate"], &["keys", "create", "open"]] {
        let done = project.run(wrong);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{wrong:?}");
        assert!(!done.err.is_empty());
    }
}

#[test]
fn help_names_every_command_and_the_flags_of_all() {
    let project = Project::nothing();
    let done = project.run_outside(&["--help"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_snapshot!(done.out);
    let version = project.run_outside(&["--version"]);
    assert_eq!(version, ran(0, &format!("backstay {}\n", env!("CARGO_PKG_VERSION")), ""));
}

#[test]
fn keys_are_made_listed_and_made_worthless() {
    let project = Project::with(NOTES);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    let first = project.run(&["keys", "list"]);
    assert_eq!(first.code, 0);
    assert_eq!(first.out.lines().count(), 4, "{}", first.out);
    assert!(!first.out.contains("eyJ"), "legacy keys are hidden: {}", first.out);
    let shown = first.err.lines().last().unwrap();
    assert!(shown.starts_with("sb_secret_"), "{}", first.err);
    assert!(!first.out.contains(shown), "the whole secret key is no part of the list");

    let again = project.run(&["keys", "list"]);
    assert_eq!(again, ran(0, &first.out, ""));

    let made = project.run(&["keys", "create", "secret", "--name", "ci"]);
    assert!(made.out.starts_with("sb_secret_") && made.out.lines().count() == 1, "{made:?}");
    let secret = made.out.trim();
    let keys = project.json(&["keys", "list"]);
    let ci = keys["keys"].as_array().unwrap().iter().find(|key| key["name"] == "ci").unwrap().clone();
    assert_eq!((&ci["kind"], &ci["key"]), (&Value::from("secret"), &Value::Null));
    assert!(secret.starts_with(ci["prefix"].as_str().unwrap()));

    let (server, _) = project.serve().ready();
    assert_eq!(crate::kit::ask(&server.url, secret, "GET", "/rest/v1/note", "").status, 200);
    drop(server);
    let id = ci["id"].as_str().unwrap();
    assert_eq!(project.run(&["keys", "revoke", id]), ran(0, "", "revoked\n"));
    let (server, _) = project.serve().ready();
    assert_eq!(crate::kit::ask(&server.url, secret, "GET", "/rest/v1/note", "").status, 401);
    drop(server);
    let gone = project.run(&["keys", "revoke", "nonsense"]);
    assert_eq!(gone, ran(1, "", "error: \"nonsense\" is not the id of a key; see: backstay keys list\n"));
}

#[test]
fn accounts_are_made_listed_given_a_role_and_deleted() {
    let project = Project::new("empty");
    project.write("backstay.toml", "roles = [\"staff\"]\n");
    // nothing stands in the database yet, so the account's row has no table
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);

    let made =
        project.run_with(&["user", "create", "Ann@Example.com", "--no-input", "--json"], "correct horse\n");
    assert_eq!((made.code, made.err.as_str()), (0, ""), "{made:?}");
    let id = serde_json::from_str::<Value>(&made.out).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(project.rows("SELECT id FROM \"user\""), [id.as_str()]);

    let twice = project.run_with(&["user", "create", "ann@example.com", "--no-input"], "correct horse\n");
    assert_eq!((twice.code, twice.out.as_str()), (1, ""), "{twice:?}");
    assert!(twice.err.starts_with("error: "), "{}", twice.err);
    let empty = project.run_with(&["user", "create", "bob@example.com", "--no-input"], "\n");
    assert_eq!(empty, ran(1, "", "error: the password is empty\n"));
    let short = project.run_with(&["user", "create", "bob@example.com", "--no-input"], "abc\n");
    assert_eq!((short.code, short.out.as_str()), (1, ""), "{short:?}");

    let role = project.run(&["user", "set-role", "ann@example.com", "staff"]);
    assert_eq!(role, ran(0, "", "done; running sessions see it within two seconds\n"));
    let undeclared = project.run(&["user", "set-role", "ann@example.com", "king"]);
    assert_eq!((undeclared.code, undeclared.out.as_str()), (1, ""), "{undeclared:?}");
    let listed = project.run(&["user", "list"]);
    assert_eq!(listed, ran(0, &format!("{id}  ann@example.com  staff\n"), "1 of 1\n"));

    let asked = project.run(&["user", "delete", "ann@example.com"]);
    assert_eq!(asked, ran(4, "", "this deletes the account and its row; to do it: add --yes\n"));
    assert_eq!(project.run(&["user", "delete", "ann@example.com", "--yes"]), ran(0, "", "deleted\n"));
    assert_eq!(project.rows("SELECT id FROM \"user\""), [""; 0]);
    let nobody = project.run(&["user", "delete", "ann@example.com", "--yes"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (1, ""), "{nobody:?}");
}

#[test]
fn the_schema_is_shown_as_text_json_and_sql() {
    let project = Project::with(NOTES);
    let text = project.run(&["schema", "show", "Note"]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert_snapshot!(text.out);
    let json = project.json(&["schema", "show"]);
    assert_eq!(json["tables"].as_array().unwrap().len(), 1);
    let sql = project.run(&["schema", "sql"]);
    rusqlite::Connection::open_in_memory().unwrap().execute_batch(&sql.out).unwrap();
    let misspelt = project.run(&["schema", "show", "Noet"]);
    assert_eq!(misspelt, ran(1, "", "error: the schema has no type \"Noet\"; did you mean Note?\n"));
    let engine = project.run(&["schema", "sql", "--engine", "oracle"]);
    assert_eq!(engine, ran(1, "", "error: no engine \"oracle\"; there are: sqlite, postgres, mysql\n"));
}

#[test]
fn an_error_is_one_json_value_when_asked_for() {
    let project = Project::nothing();
    let done = project.run(&["check", "--json"]);
    assert_eq!(done, ran(1, "{\"error\":\"app is not a folder\",\"code\":null,\"hint\":null}\n", ""));
}

#[test]
fn what_the_database_cannot_do_is_told_with_its_line() {
    let project =
        Project::with("type Note @access(read: \"this.code.matches('a{300}')\") { code: String! }\n");
    assert_eq!(project.run(&["check"]).code, 0, "SQLite can");
    project.write("backstay.toml", "[store.default]\nurl = \"postgres://x/y\"\n");
    let done = project.run(&["check"]);
    assert_eq!(done.code, 3);
    assert_snapshot!(done.out + &done.err);
}
