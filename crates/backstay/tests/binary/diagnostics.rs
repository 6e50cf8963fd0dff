//! Wrong edits of the flagship schema, each with the whole text that it gets.

use crate::kit::Project;
use insta::assert_snapshot;
use serde_json::{Value, json};

/// `check` after one edit: exit code 3, nothing on standard output.
fn wrong(from: &str, to: &str) -> String {
    let project = Project::new("shop");
    project.edit(from, to);
    let done = project.run(&["check"]);
    assert_eq!((done.code, done.out.as_str()), (3, ""), "{}", done.err);
    done.err
}

#[test]
fn a_misspelt_field_in_a_rule() {
    let text = wrong("this.published || this.seller", "this.publisched || this.seller");
    assert_snapshot!(text);
}

#[test]
fn an_assignment_where_a_comparison_is_meant() {
    let text = wrong("read: \"this == auth.user\"", "read: \"this = auth.user\"");
    assert_snapshot!(text);
}

#[test]
fn a_type_that_is_not_there() {
    let text = wrong("category: Category", "category: Categorie");
    assert_snapshot!(text);
}

#[test]
fn a_misspelt_directive_argument() {
    let text = wrong("@valid(minLength: 3, maxLength: 120)", "@valid(minLenght: 3, maxLength: 120)");
    assert_snapshot!(text);
}

#[test]
fn an_enum_member_that_is_not_there() {
    let text = wrong("i.order.status in ['PAID', 'SHIPPED']", "i.order.status in ['PAYED', 'SHIPPED']");
    assert_snapshot!(text);
}

#[test]
fn a_hash_index_is_not_available_yet() {
    let text = wrong("type Category @access", "type Category @index(fields: [\"name\"], kind: HASH) @access");
    assert_snapshot!(text);
}

#[test]
fn a_file_is_not_available_yet() {
    let text = wrong(
        "  description: String\n",
        "  description: String\n  image: File @file(accept: [\"image/*\"])\n",
    );
    assert_snapshot!(text);
}

#[test]
fn every_mistake_at_once() {
    let project = Project::new("shop");
    project.edit("this.published || this.seller", "this.publisched || this.seller");
    project.edit("read: \"mine()\"", "read: \"mien()\"");
    project.edit("'PAID', 'SHIPPED'", "'PAYED', 'SHIPPED'");
    let done = project.run(&["check"]);
    assert_eq!(done.code, 3);
    assert_eq!(done.err.matches("error[").count(), 3, "{}", done.err);
    assert!(done.err.ends_with("3 mistakes found\n"), "{}", done.err);
}

#[test]
fn the_json_twin_has_places_and_fixes() {
    let project = Project::new("shop");
    project.edit("this.published || this.seller", "this.publisched || this.seller");
    let done = project.run(&["check", "--json"]);
    assert_eq!((done.code, done.err.as_str()), (3, ""));
    let found: Value = serde_json::from_str(&done.out).unwrap();
    let line =
        project.read("schema.graphql").lines().position(|line| line.contains("publisched")).unwrap() + 1;
    let text = project.read("schema.graphql");
    let column = text.lines().nth(line - 1).unwrap().find("publisched").unwrap() + 1;
    assert_eq!(
        found,
        json!([{
            "code": found[0]["code"], "severity": "error", "title": found[0]["title"],
            "file": "schema.graphql", "line": line, "column": column, "end_line": line,
            "end_column": column + "publisched".len(),
            "message": "type \"Product\" has no field \"publisched\"",
            "help": "did you mean \"published\"?",
        }])
    );
}
