//! Rules that must not compile: each with exactly one code, pointing at the place, and
//! naming what to write instead.

use super::refused::refused;
use super::rules::with_rule;

/// Code, the line with its caret, and the help of the mistake in one rule.
fn mistake(rule: &str, code: &str) -> String {
    let rendered = refused(&[code], &with_rule(rule));
    let lines: Vec<&str> = rendered.lines().collect();
    let message = lines.first().copied().unwrap_or_default();
    let source = lines.iter().find(|line| line.contains("type Task")).copied().unwrap_or_default();
    let caret = lines.iter().find(|line| line.contains('^')).copied().unwrap_or_default();
    let pointed: String = caret
        .char_indices()
        .filter(|(_, c)| *c == '^')
        .filter_map(|(at, _)| source.chars().nth(caret[..at].chars().count()))
        .collect();
    let help = lines.iter().find(|line| line.contains("= help")).map_or("", |line| line.trim());
    format!("{rule}\n    {message}\n    at «{pointed}» {help}")
}

fn all(cases: &[(&str, &str)]) -> String {
    cases.iter().map(|(code, rule)| mistake(rule, code)).collect::<Vec<_>>().join("\n")
}

#[test]
fn syntax() {
    insta::assert_snapshot!(all(&[
        ("E2001", "this.done = true"),
        ("E2001", "this.done === true"),
        ("E2001", "this.done and this.done"),
        ("E2001", "not this.done"),
        ("E2001", "this.title like 'a'"),
        ("E2001", "this.done &&"),
        ("E2001", ""),
        ("E2001", "   "),
        ("E2001", "this.title == 'a"),
        ("E2001", "this.title == “a”"),
        ("E2001", "{'a': 1}"),
        ("E2001", "this?.done"),
        ("E2001", "this.done;"),
        ("E2001", "this.steps.exists(s => s.done)"),
        ("E2001", "this.steps.exists(s.done)"),
        ("E2001", "this.steps.exists(this, true)"),
        ("E2001", "this.steps.exists(s)"),
        ("E2001", "$user == 1"),
        ("E2011", "((((((((((((((((((((((((((((((((((((((((((true))))))))))))))))))))))))))))))))))))))))))"),
    ]));
}

#[test]
fn names() {
    insta::assert_snapshot!(all(&[
        ("E2002", "done"),
        ("E2002", "thiss.done"),
        ("E2002", "staff"),
        ("E2002", "stuff()"),
        ("E2002", "this.status == OPEN"),
        ("E2003", "this.titel == 'a'"),
        ("E2003", "this.owner.nam == 'a'"),
        ("E2003", "auth.id == null"),
        ("E2003", "auth.rol == 'staff'"),
        ("E2003", "auth.app_metadata.plan == 'x'"),
        ("E2003", "request.chnged == null"),
        ("E2003", "this.title.length == 1"),
        ("E2003", "'titel' in request.changed"),
        ("E2003", "'team_id' in request.changed"),
        ("E2003", "'steps' in request.changed"),
        ("E2003", "request.changed.all(f, f in ['title', 'team_id'])"),
        ("E2003", "request.changed.exists(f, f == 'donee')"),
        ("E2005", "this.status == 'OPNE'"),
        ("E2005", "this.status in ['OPEN', 'NEVER']"),
        ("E2006", "auth.role == 'stuff'"),
        ("E2006", "auth.role in ['staff', 'owner']"),
        ("E2006", "'owner' != auth.role"),
        ("E2016", "request.op == 'delet'"),
        ("E2016", "allowed(this.team, 'write')"),
        ("E2009", "loops()"),
        ("E2010", "member()"),
        ("E2010", "staff(this)"),
        ("E2010", "size()"),
        ("E2013", "auth.claims.user_metadata.admin == true"),
        ("E2013", "auth.claims['user_metadata']['admin'] == true"),
        ("E2013", "auth.user_metadata.admin == true"),
    ]));
}

#[test]
fn types() {
    insta::assert_snapshot!(all(&[
        ("E2004", "this.title"),
        ("E2004", "this.owner"),
        ("E2004", "1"),
        ("E2004", "auth.claims.admin"),
        ("E2004", "!this.title"),
        ("E2004", "this.done && this.count"),
        ("E2004", "this.title == 1"),
        ("E2004", "this.owner == auth.uid"),
        ("E2004", "this.owner == this.team"),
        ("E2004", "this.owner == auth.claims.sub"),
        ("E2004", "this.due > '2026-01-31'"),
        ("E2004", "this.day > now"),
        ("E2004", "this.owner < auth.user"),
        ("E2004", "this.status < 'OPEN'"),
        ("E2004", "this.count < null"),
        ("E2004", "this.title + 1 == 'a'"),
        ("E2004", "this.due + this.created_at == now"),
        ("E2004", "auth.claims.a == auth.claims.b"),
        ("E2004", "auth.claims.n + 1 == 2"),
        ("E2004", "this.ratio % 2.0 == 0.0"),
        ("E2004", "-this.title == 'a'"),
        ("E2004", "size(this.count) == 1"),
        ("E2004", "this.done ? 1 : 'a'"),
        ("E2004", "this.count in ['a', 1]"),
        ("E2004", "this.count in 5"),
        ("E2004", "this.steps.sum() > 1"),
        ("E2004", "this.steps.map(s, s.done).sum() > 1"),
        ("E2004", "this.title.getFullYear() == 1"),
        ("E2004", "this.count.startsWith('1')"),
        ("E2004", "allowed(this, 'read') && allowed(this.title, 'read')"),
        ("E2016", "this.token == 'x'"),
        ("E2016", "this.day == '2026-02-30'"),
        ("E2016", "this.due > timestamp('soon')"),
        ("E2016", "this.due > now - duration('1 day')"),
        ("E2016", "this.title.matches('(')"),
        ("E2016", "this.big == 99999999999999999999"),
    ]));
}

#[test]
fn forms_that_have_an_alternative() {
    insta::assert_snapshot!(all(&[
        ("E2007", "this.steps[0].done"),
        ("E2007", "this.steps == []"),
        ("E2007", "this.steps != null"),
        ("E2007", "this.steps.done"),
        ("E2007", "this.steps.isEmpty()"),
        ("E2007", "this.steps.first().done"),
        ("E2007", "this.steps.sort() == 1"),
        ("E2007", "this.steps.map(s, s.done).exists(d, d)"),
        ("E2007", "[1, 2] != [2, 1]"),
        ("E2007", "request.changed == ['title']"),
        ("E2007", "'a' in this.title"),
        ("E2007", "'a' in this.meta.tags"),
        ("E2007", "this.meta.tags.exists(t, t == 'a')"),
        ("E2007", "this.meta == null || this.meta == 'x'"),
        ("E2007", "this.meta.tags[0] == 'a'"),
        ("E2007", "this['done']"),
        ("E2007", "null in this.steps.map(s, s.done)"),
        ("E2007", "null in [1]"),
        ("E2007", "['a'].map(x, x) == 1"),
        ("E2007", "[this.owner].exists(o, o == auth.user)"),
        ("E2007", "this.title.matches(this.title)"),
        ("E2007", "int(this.title) == 1"),
        ("E2007", "string(this.count) == '1'"),
        ("E2007", "now() > this.due"),
        ("E2007", "timestamp(this.title) > now"),
        ("E2007", "has(this.owner)"),
        ("E2007", "has(auth.claims.plan)"),
        ("E2007", "auth.claims.email.endsWith('x')"),
        ("E2007", "size(auth.claims.roles) > 1"),
        ("E2007", "this.due.getHours('Europe/Vienna') > 8"),
        ("E2007", "this.title.toLowerCase() == 'a'"),
        ("E2007", "auth == null"),
        ("E2007", "any(this.steps.filter(s, s.done))"),
        ("E2011", "this.team.tasks.exists(t, t.team.tasks.exists(u, u.team.name == 'a'))"),
    ]));
}

#[test]
fn old_and_new_belong_to_updates() {
    let schema = |access: &str| format!("type A @access({access}) {{ n: Int }}");
    for access in [
        "read: \"new.n == 1\"",
        "create: \"old.n == 1\"",
        "delete: \"new.n == 1\"",
        "write: \"new.n == 1\"",
        "all: \"old.n == 1\"",
    ] {
        refused(&["E2008"], &schema(access));
    }
    refused(&["E2008"], "type A { n: Int @set(update: \"old.n + 1\") }");
}

#[test]
fn rules_that_come_back_to_themselves() {
    insta::assert_snapshot!(refused(
        &["E2014", "E2014"],
        "type A @access(read: \"this.b.n > 1 || allowed(this.b, 'read')\") { b: B }\n\
         type B @access(read: \"this.as.exists(a, allowed(a, 'read'))\") { as: [A!]!  n: Int }",
    ));
    refused(
        &["E2014"],
        "type A @access(read: \"this.parent == null || allowed(this.parent, 'read')\") { parent: A }",
    );
    refused(
        &["E2014"],
        "type A @access(read: \"this.open\") { up: A  open: Boolean @computed(expr: \"allowed(this.up, 'read')\") }",
    );
}

#[test]
fn rules_that_expand_without_end_are_stopped() {
    let mut text = String::from("extend schema @rule(name: \"r0\", expr: \"this.n == 1\")\n");
    for level in 1..30 {
        let below = level - 1;
        text.push_str(&format!("@rule(name: \"r{level}\", expr: \"r{below}() && r{below}()\")\n"));
    }
    text.push_str("type A @access(read: \"r29()\") { n: Int }");
    let mistakes = refused_codes(&text);
    assert_eq!(mistakes, ["E2012"]);
    let deep: String = (0..120)
        .map(|level| match level {
            0 => "extend schema @rule(name: \"r0\", expr: \"true\")\n".to_owned(),
            _ => format!("@rule(name: \"r{level}\", expr: \"!r{}()\")\n", level - 1),
        })
        .collect();
    assert_eq!(refused_codes(&format!("{deep} type A @access(read: \"r119()\") {{ n: Int }}")), ["E2011"]);
}

#[test]
fn rules_that_pass_their_parameters_on_are_stopped() {
    let twice = "extend schema @rule(name: \"twice\", params: [\"x\"], expr: \"x && x\")\n";
    let nested = format!("{}this.n == 1{}", "twice(".repeat(30), ")".repeat(30));
    assert_eq!(refused_codes(&format!("{twice} type A @access(read: \"{nested}\") {{ n: Int }}")), ["E2012"]);
    let nots = |name: &str, inner: &str| {
        format!(
            "@rule(name: \"{name}\", params: [\"x\"], expr: \"{}x{}\")\n",
            format!("{inner}(").repeat(30),
            ")".repeat(30)
        )
    };
    let rules = format!(
        "extend schema @rule(name: \"a\", params: [\"x\"], expr: \"{}x\")\n{}{}",
        "!".repeat(30),
        nots("b", "a"),
        nots("c", "b")
    );
    assert_eq!(
        refused_codes(&format!("{rules} type A @access(read: \"c(this.n == 1)\") {{ n: Int }}")),
        ["E2011"]
    );
    let many = format!("auth.user in [{}]", vec!["this.u"; 900].join(", "));
    super::shape::catalog(&format!(
        "type U @user @access(read: \"true\") {{ n: Int }} type A @access(read: \"{many}\") {{ u: U }}"
    ));
}

fn refused_codes(text: &str) -> Vec<&'static str> {
    let files = [super::shape::file(text)];
    let mistakes = backstay_schema::compile::compile(&files, &super::shape::settings()).unwrap_err();
    let mut codes: Vec<&str> =
        mistakes.iter().map(|mistake| mistake.code).filter(|code| code.starts_with('E')).collect();
    codes.dedup();
    codes
}
