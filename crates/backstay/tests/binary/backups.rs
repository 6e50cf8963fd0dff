//! `backup`: what `serve` ships and what comes back, by the binary alone.

use crate::kit::{NOTES, Project, ask};

fn rows_of(project: &Project, file: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(project.folder().join(file)).unwrap();
    let mut statement = connection.prepare("SELECT text FROM note ORDER BY text").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn what_was_served_comes_back_after_the_database_is_gone() {
    let project = Project::with(NOTES);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let config = project.read("backstay.toml");
    project.write("backstay.toml", &format!("{config}\n[backup]\nurl = \"file:elsewhere\"\n"));
    let secret = project.secret();
    for text in ["one", "two"] {
        // what a stopped server had not sent goes with its last moments
        let (mut server, _) = project.serve().ready();
        let made = ask(&server.url, &secret, "POST", "/rest/v1/note", &format!("{{\"text\":\"{text}\"}}"));
        assert_eq!(made.status, 201);
        server.terminate();
        assert_eq!(server.ended().0, 0);
    }
    let copy = project.json(&["backup", "create"]);
    assert_eq!((copy["tables"]["note"].as_u64(), copy["followed"].as_bool()), (Some(2), Some(false)));
    let (mut server, _) = project.serve().ready();
    assert_eq!(ask(&server.url, &secret, "POST", "/rest/v1/note", "{\"text\":\"three\"}").status, 201);
    server.terminate();
    assert_eq!(server.ended().0, 0);

    std::fs::remove_dir_all(project.folder().join(".backstay")).unwrap();
    let restored = project.json(&["backup", "restore", "--to", "app/new.db"]);
    assert_eq!(rows_of(&project, "new.db"), ["one", "three", "two"], "{restored}");
    let name = copy["copy"].as_str().unwrap();
    project.json(&["backup", "restore", name, "--to", "app/old.db"]);
    assert_eq!(rows_of(&project, "old.db"), ["one", "two"]);
    let again = project.run(&["backup", "restore", "--to", "app/old.db"]);
    assert_eq!(again.err, "error: app/old.db is there already: a restore goes to a new place\n");
    assert_eq!(project.json(&["backup", "verify"])["copy"], restored["copy"]);
    let part = project.folder().join(format!("elsewhere/copies/{name}/part-000000"));
    let mut bytes = std::fs::read(&part).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let damaged = project.run(&["backup", "verify", name]);
    let words = format!("error: copies/{name}/part-000000 is damaged: its checksum differs\n");
    assert_eq!((damaged.code, damaged.err), (1, words));
}

#[test]
fn a_project_without_a_place_for_backups_is_told_how_to_name_one() {
    let project = Project::with(NOTES);
    let refused = project.run(&["backup", "list"]);
    let words =
        "error: backups need a place: [backup] url in backstay.toml, a file: folder or s3://bucket/prefix\n";
    assert_eq!((refused.code, refused.err.as_str()), (1, words));
}
