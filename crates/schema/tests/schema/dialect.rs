//! Our parser against the `cel` crate: on every rule of the shop and on a list of good
//! and bad texts, both accept or both refuse.

use super::shape::SHOP;
use backstay_schema::cel::parser::parse;

/// Whether the `cel` crate reads a text; its parser may panic on what it does not know.
fn oracle(text: &str) -> bool {
    let text = text.to_owned();
    std::panic::catch_unwind(move || cel::Program::compile(&text).is_ok()).unwrap_or(false)
}

/// Every CEL text of a schema: the strings of arguments that take one.
fn rule_texts(schema: &str) -> Vec<String> {
    let document = apollo_compiler::ast::Document::parse(schema, "schema.graphql").unwrap();
    let mut out = Vec::new();
    let mut take = |directives: &apollo_compiler::ast::DirectiveList| {
        for directive in directives.iter() {
            let rule =
                matches!(directive.name.as_str(), "access" | "deny" | "set" | "computed" | "check" | "rule");
            for argument in
                directive.arguments.iter().filter(|a| rule && !matches!(a.name.as_str(), "name" | "message"))
            {
                out.extend(argument.value.as_str().map(ToOwned::to_owned));
            }
        }
    };
    for definition in &document.definitions {
        take(definition.directives());
        if let Some(object) = definition.as_object_type_definition() {
            object.fields.iter().for_each(|field| take(&field.directives));
        }
    }
    out
}

#[test]
fn every_rule_of_the_shop_is_cel() {
    let texts = rule_texts(SHOP);
    assert!(texts.len() > 25, "{}", texts.len());
    for text in texts {
        assert!(parse(&text).is_ok(), "{text}");
        assert!(oracle(&text), "{text}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of texts")]
fn both_parsers_agree() {
    let good = [
        "a",
        "a.b.c",
        "a.b(c, d)",
        "f()",
        "!a",
        "!!a",
        "-a",
        "--a",
        "-1",
        "1.5",
        "1e3",
        "0x1F",
        "5u",
        "'a'",
        "\"a\"",
        "'''a\nb'''",
        "r'\\d'",
        "'\\n\\t\\\\\\''",
        "'\\x41\\u0041'",
        "true",
        "false",
        "null",
        "[]",
        "[1, 2]",
        "[1, 2,]",
        "a[0]",
        "a['b']",
        "a && b || c",
        "a || b && c",
        "a ? b : c",
        "a ? b : c ? d : e",
        "(a ? b : c) ? d : e",
        "a == b",
        "a != b",
        "a < b",
        "a <= b",
        "a > b",
        "a >= b",
        "a in b",
        "a in [1]",
        "a + b - c",
        "a * b / c % d",
        "a == b && c == d",
        "a.exists(x, x.y)",
        "a.all(x, x > 1)",
        "a.exists_one(x, x)",
        "a.filter(x, x).size() > 0",
        "a.map(x, x.y)",
        "has(a.b)",
        "size(a)",
        "timestamp('2026-01-31T09:00:00Z')",
        "duration('24h')",
        "a.b.c.d.e.f",
        "(((a)))",
        "a // comment",
        "a\n&&\nb",
        "  a  ",
        "a - -b",
        "a.startsWith('x')",
    ];
    let bad = [
        "", " ", "a b", "a &&", "&& a", "a ||", "a = b", "a === b", "a <> b", "a and b", "a.", "a..b", "a[",
        "a]", "(a", "a)", "f(", "f(,)", "[1", "'a", "\"a", "'a\nb'", "a ? b", "a ? : c", "a : b", "1.2.3",
        "a !b", "a == ", "== a", "!", "-", "a & b", "a | b", "for", "while", "if a", "a in", "in a", "a, b",
        "a; b", "@a", "#a", "$a", "'\\q'", "'\\u12'", "a.in",
    ];
    for text in good {
        assert_eq!((parse(text).is_ok(), oracle(text)), (true, true), "{text:?}");
    }
    for text in bad {
        assert_eq!((parse(text).is_ok(), oracle(text)), (false, false), "{text:?}");
    }
}
