//! `dev`: every kind of edit while it serves.

use crate::kit::{Client, NOTES, Project, Running, ask, until};
use serde_json::{Value, json};

fn started(project: &Project) -> (Running, String, String) {
    let (dev, ready) = project.dev().ready();
    let key = |name: &str| ready["keys"][name].as_str().unwrap().to_owned();
    (dev, key("publishable"), key("secret"))
}

/// What a start that serves nothing says, and the code that it exits with.
fn ended_with(mut dev: Running) -> (Value, i32) {
    let told = serde_json::from_str(&dev.line()).unwrap();
    (told, dev.ended().0)
}

#[test]
fn the_first_start_makes_database_migration_and_keys() {
    let project = Project::new("shop");
    let (mut dev, ready) = project.dev().ready();
    let keys = &ready["keys"];
    assert!(keys["publishable"].as_str().unwrap().starts_with("sb_publishable_"));
    assert!(keys["secret"].as_str().unwrap().starts_with("sb_secret_"));
    assert!(keys["anon"].as_str().unwrap().starts_with("eyJ"));
    assert!(keys["service_role"].as_str().unwrap().starts_with("eyJ"));
    assert_eq!(project.files("migrations"), ["0001_init.sql"]);
    dev.terminate();
    assert_eq!(dev.ended(), (0, String::new()));
    let (_again, ready) = project.dev().ready();
    assert_eq!(
        (&ready["keys"]["publishable"], &ready["keys"]["secret"]),
        (&keys["publishable"], &Value::Null)
    );
}

#[test]
fn an_additive_edit_is_served_without_a_restart() {
    let project = Project::with(NOTES);
    let (mut dev, key, _) = started(&project);
    // the same connection before and after
    let mut client = Client::new(&dev.url, &key).unwrap();
    assert_eq!(client.ask("POST", "/rest/v1/note", "{\"text\":\"old\",\"stars\":2}").unwrap().status, 201);
    assert_eq!(client.ask("GET", "/rest/v1/note?select=weight", "").unwrap().status, 400);
    project.edit("  stars", "  weight: Int! @default(value: 7)\n  stars");
    let reloaded = dev.event("reloaded");
    assert_eq!(
        reloaded,
        json!({"event": "reloaded", "changes": ["+ note.weight", "migrations/0002_note_weight.sql"]})
    );
    let answer = client.ask("GET", "/rest/v1/note?select=text,stars,weight", "").unwrap();
    assert_eq!(answer.json(), json!([{"text": "old", "stars": 2, "weight": 7}]));
    assert_eq!(project.files("migrations"), ["0001_init.sql", "0002_note_weight.sql"]);
}

#[test]
fn a_migration_that_somebody_writes_is_applied_when_it_is_saved() {
    let project = Project::with(NOTES);
    let (mut dev, key, _) = started(&project);
    let seed = "INSERT INTO note (id, text) VALUES ('0190a5b0-0000-7000-8000-000000000001', 'by hand');\n";
    project.write("migrations/0002_seed.sql", seed);
    let applied = json!({"event": "reloaded", "changes": ["applied migrations/0002_seed.sql"]});
    assert_eq!(dev.event("reloaded"), applied);
    let rows = ask(&dev.url, &key, "GET", "/rest/v1/note?select=text", "").json();
    assert_eq!(rows, json!([{"text": "by hand"}]));
    project.write("migrations/0002_seed.sql", "SELECT 1;\n");
    let refused = dev.event("refused");
    assert_eq!(refused["error"], "0002_seed.sql was edited after it was applied");
    // what dev writes itself is no news: the next event is of the next save
    project.write("migrations/0002_seed.sql", seed);
    assert_eq!(dev.event("reloaded"), json!({"event": "reloaded", "changes": []}));
    project.edit("  stars", "  weight: Int\n  stars");
    assert_eq!(dev.event("reloaded")["changes"][0], "+ note.weight");
}

#[test]
fn a_broken_edit_is_told_and_the_last_good_schema_serves_on() {
    let project = Project::with(NOTES);
    let (mut dev, key, _) = started(&project);
    project.edit("all: \"true\"", "all: \"this.txt == 'a'\"");
    let broken = dev.event("broken");
    assert_eq!(broken["diagnostics"][0]["message"], "type \"Note\" has no field \"txt\"");
    assert_eq!(broken["diagnostics"][0]["line"], 1);
    assert_eq!(ask(&dev.url, &key, "POST", "/rest/v1/note", "{\"text\":\"a\"}").status, 201);
    project.edit("this.txt == 'a'", "this.text == 'b'");
    assert_eq!(dev.event("reloaded"), json!({"event": "reloaded", "changes": []}));
    assert_eq!(ask(&dev.url, &key, "GET", "/rest/v1/note", "").body, "[]");
}

#[test]
fn an_edit_that_loses_data_is_refused_with_the_way_out() {
    let project = Project::new("empty");
    let (mut dev, key, secret) = started(&project);
    let body =
        json!({"email": "ann@example.com", "password": "correct horse", "data": {"name": "Ann"}}).to_string();
    assert_eq!(ask(&dev.url, &key, "POST", "/auth/v1/signup", &body).status, 200);
    project.edit("  name: String\n", "");
    let refused = dev.event("refused");
    assert_eq!(
        refused,
        json!({
            "event": "refused",
            "error": "this change would lose data:\n  ~ user -name loses the values of user.name",
            "code": "42501",
            "hint": "name the old field with @was to rename it; or accept: end this, then backstay migrate new --yes && backstay migrate up --yes",
        })
    );
    assert_eq!(
        ask(&dev.url, &secret, "GET", "/rest/v1/user?select=name", "").json(),
        json!([{"name": "Ann"}])
    );
    // accounts go on with the old schema, too
    let body =
        json!({"email": "bob@example.com", "password": "correct horse", "data": {"name": "Bob"}}).to_string();
    assert_eq!(ask(&dev.url, &key, "POST", "/auth/v1/signup", &body).status, 200);
    let names = ask(&dev.url, &secret, "GET", "/rest/v1/user?select=name&order=name", "").json();
    assert_eq!(names, json!([{"name": "Ann"}, {"name": "Bob"}]));
    assert_eq!(project.files("migrations"), ["0001_init.sql"]);

    project.edit("  notes:", "  full_name: String @was(name: \"name\")\n  notes:");
    assert_eq!(dev.event("reloaded")["changes"][0], "~ user.name → full_name");
    let names = ask(&dev.url, &secret, "GET", "/rest/v1/user?select=full_name&order=full_name", "").json();
    assert_eq!(names, json!([{"full_name": "Ann"}, {"full_name": "Bob"}]));
}

#[test]
fn a_required_field_that_old_rows_lack_is_refused_and_leaves_no_file() {
    let project = Project::with(NOTES);
    let (mut dev, key, _) = started(&project);
    assert_eq!(ask(&dev.url, &key, "POST", "/rest/v1/note", "{\"text\":\"a\"}").status, 201);
    project.edit("  stars", "  owner: String!\n  stars");
    let refused = dev.event("refused");
    assert_eq!(
        refused,
        json!({
            "event": "refused",
            "error": "0002_note_owner.sql: rows that are there already have no value for note.owner",
            "code": "23502",
            "hint": "give the field a @default, or fill it in the migration file",
        })
    );
    assert_eq!(project.files("migrations"), ["0001_init.sql"]);
    assert_eq!(ask(&dev.url, &key, "GET", "/rest/v1/note?select=text", "").body, "[{\"text\":\"a\"}]");
    project.edit("owner: String!", "owner: String! @default(value: \"nobody\")");
    dev.event("reloaded");
    let rows = ask(&dev.url, &key, "GET", "/rest/v1/note?select=text,owner", "").json();
    assert_eq!(rows, json!([{"text": "a", "owner": "nobody"}]));
}

#[test]
fn the_request_line_names_the_rule_that_decided() {
    let project = Project::new("shop");
    let (mut dev, key, secret) = started(&project);
    assert_eq!(ask(&dev.url, &key, "GET", "/rest/v1/product?select=title", "").body, "[]");
    let mut line = dev.event("request");
    assert!(line["micros"].is_u64());
    assert_eq!(line["id"].as_str().map(str::len), Some(16));
    line["micros"] = Value::Null;
    line["id"] = Value::Null;
    assert_eq!(
        line,
        json!({
            "event": "request", "id": null, "method": "GET", "target": "/rest/v1/product?select=title", "status": 200,
            "rows": 0, "micros": null, "who": "anon",
            "rules": "Product.read where staff() or this.published || this.seller == auth.user",
        })
    );
    assert_eq!(ask(&dev.url, &key, "POST", "/rest/v1/tag", "{\"name\":\"a\"}").status, 401);
    let line = dev.event("request");
    assert_eq!((&line["status"], &line["rows"]), (&json!(401), &Value::Null));
    assert_eq!(line["rules"], "42501 new row violates row-level security policy for table \"tag\"");
    assert_eq!(ask(&dev.url, &secret, "POST", "/rest/v1/tag", "{\"name\":\"a\"}").status, 201);
    assert_eq!(dev.event("request")["who"], "service");
}

/// Whoever asks `dev` writes the schema; `serve` answers everybody.
#[test]
fn names_that_were_meant_are_suggested_to_everybody() {
    let project = Project::with(NOTES);
    let (dev, key, _) = started(&project);
    let hint =
        |url: &str, key: &str| ask(url, key, "GET", "/rest/v1/note?select=txt", "").json()["hint"].clone();
    let meant = "Perhaps you meant to reference the column \"note.text\".";
    assert_eq!(hint(&dev.url, &key), meant);
    dev.terminate();
    drop(dev);
    let secret = project.secret();
    let (serve, _) = project.serve().ready();
    assert_eq!(hint(&serve.url, &key), Value::Null);
    assert_eq!(hint(&serve.url, &secret), meant);
}

#[test]
fn a_schema_that_is_broken_at_the_first_start_waits_and_serves_once_mended() {
    let project = Project::with(NOTES);
    project.edit("text: String!", "text: Strin!");
    let mut dev = project.dev();
    let broken = dev.event("broken");
    assert_eq!(broken["diagnostics"].as_array().unwrap().len(), 1);
    project.edit("text: Strin!", "text: String!");
    let (dev, ready) = dev.ready();
    let key = ready["keys"]["publishable"].as_str().unwrap();
    assert_eq!(ask(&dev.url, key, "GET", "/rest/v1/note", "").body, "[]");
}

#[test]
fn a_database_that_cannot_be_served_ends_it_with_the_way_out() {
    let project = Project::with(NOTES);
    let (mut dev, _, _) = started(&project);
    dev.terminate();
    assert_eq!(dev.ended(), (0, String::new()));
    let kept = project.read("migrations/0001_init.sql");
    project.write("migrations/0001_init.sql", &format!("{kept}\n-- edited\n"));
    let edited = json!({
        "error": "0001_init.sql was edited after it was applied",
        "code": "F0000",
        "hint": "restore the file as it was applied, and put the change into a new one",
    });
    assert_eq!(ended_with(project.dev()), (edited, 1));
    std::fs::remove_file(project.folder().join("migrations/0001_init.sql")).unwrap();
    let gone = json!({
        "error": "0001_init.sql was applied but is not among the files",
        "code": "F0000",
        "hint": "put the file back; or name a database of this project in [store.default]",
    });
    assert_eq!(ended_with(project.dev()), (gone, 1));
    project.write("migrations/0001_init.sql", &kept);
    project.dev().ready();
}

#[test]
fn a_schema_that_would_lose_rows_at_the_start_waits_for_a_save() {
    let project = Project::with(NOTES);
    let (mut dev, key, _) = started(&project);
    assert_eq!(ask(&dev.url, &key, "POST", "/rest/v1/note", "{\"text\":\"a\"}").status, 201);
    dev.terminate();
    assert_eq!(dev.ended(), (0, String::new()));
    project.edit("  stars", "  owner: String!\n  stars");
    let mut dev = project.dev();
    assert_eq!(dev.event("refused")["code"], "23502");
    project.edit("owner: String!", "owner: String");
    let (dev, _) = dev.ready();
    assert_eq!(ask(&dev.url, &key, "GET", "/rest/v1/note?select=owner", "").body, "[{\"owner\":null}]");
}

#[test]
fn the_house_is_kept_as_in_production() {
    let project = Project::with(NOTES);
    let commands: [&[&str]; 2] =
        [&["dev", "--json", "--port", "0"], &["serve", "--json", "--listen", "127.0.0.1:0"]];
    drop(started(&project));
    for command in commands {
        let rows = || project.rows("SELECT hash FROM _backstay_bucket");
        project
            .database()
            .execute("INSERT INTO _backstay_bucket (hash, full_at) VALUES ('x', 0)", ())
            .unwrap();
        assert_eq!(rows(), ["x"]);
        let _kept = project.start(command).ready();
        until(|| rows().is_empty());
    }
}

#[test]
fn a_project_of_many_files_is_watched_too() {
    let project = Project::with(NOTES);
    project.write("schema/tag.graphql", "type Tag @access(all: \"true\") {\n  name: String!\n}\n");
    let (mut dev, key, _) = started(&project);
    project
        .write("schema/tag.graphql", "type Tag @access(all: \"true\") {\n  name: String!\n  size: Int\n}\n");
    dev.event("reloaded");
    assert_eq!(ask(&dev.url, &key, "GET", "/rest/v1/tag?select=size", "").body, "[]");
}

#[test]
fn a_person_sees_where_to_go() {
    let project = Project::with(NOTES);
    let mut dev = project.start(&["dev", "--port", "0"]);
    let mut seen = Vec::new();
    while !seen.last().is_some_and(|line: &String| line.contains("Ctrl-C")) {
        seen.push(dev.line());
    }
    let text = seen.join("\n");
    for part in [
        "ready in",
        "/rest/v1",
        "/auth/v1",
        "publishable sb_publishable_",
        "secret      sb_secret_",
        "1 type, 0 enums, 1 rule",
        "migrations/0001_init.sql",
        "curl '",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
