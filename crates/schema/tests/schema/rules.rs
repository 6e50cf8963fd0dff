//! CEL → checked expressions: one schema with everything a rule can name, and what
//! each rule becomes.

use super::shape::catalog;
use super::shown;
use backstay_schema::catalog::Catalog;

/// A schema whose type `Task` has the rule under test as its update rule.
pub fn with_rule(rule: &str) -> String {
    let rule = rule.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!(
        r#"
        extend schema
          @rule(name: "staff", expr: "auth.role in ['staff', 'admin']")
          @rule(name: "mine", expr: "this.owner == auth.user")
          @rule(name: "member", params: ["team"], expr: "team.members.exists(m, m.user == auth.user)")
          @rule(name: "positive", params: ["n"], expr: "n > 0 && n < 100")
          @rule(name: "loops", expr: "this.done || loops()")
          @rule(name: "any", params: ["list"], expr: "list.exists(a, list.exists(b, a != b))")
        enum Status {{ OPEN CLOSED }}
        type User @user @access(all: "staff()") {{
          name: String!
          tier: Int! @default(value: 0) @access(write: "staff()")
          email: String!
          profile: Profile
          tasks: [Task!]!
        }}
        type Profile @access(all: "staff()") {{ user: User! @unique  bio: String }}
        type Team @access(all: "staff()", read: "this.members.exists(m, m.user == auth.user)") {{
          name: String!
          tasks: [Task!]!
          members: [Member!]!
        }}
        type Member @access(all: "staff()") {{ team: Team!  user: User!  level: Int! }}
        type Label @access(all: "staff()") {{ name: String!  tasks: [Task!]! }}
        type Step @access(all: "staff()") {{ task: Task!  hours: Int!  rate: Decimal!  done: Boolean }}
        type Task @access(all: "staff()", update: "{rule}") {{
          title: String!
          owner: User
          team: Team!
          labels: [Label!]!
          steps: [Step!]!
          status: Status! @default(value: OPEN)
          done: Boolean! @default(value: false)
          count: Int
          big: BigInt
          price: Decimal
          fine: Decimal @column(digits: 10, scale: 6)
          ratio: Float
          token: UUID
          day: Date
          due: Timestamp
          meta: JSON
          cost: Decimal! @computed(expr: "this.steps.map(s, s.hours * s.rate).sum()")
          created_at: Timestamp!
        }}
        "#
    )
}

fn shown_rule(rule: &str) -> String {
    let catalog: Catalog = catalog(&with_rule(rule));
    let task = catalog.public_table("task").unwrap();
    let arm = task.access.update.allow.last().unwrap();
    shown::expr(&catalog, task.id, &arm.expr)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of rules")]
fn rules_become_checked_expressions() {
    let rules = [
        // names and paths
        "true",
        "this.done",
        "this.owner == auth.user",
        "auth.user != null",
        "this.owner_id == auth.uid",
        "this.owner == null",
        "this.owner.name == 'Ada'",
        "this.owner.profile.bio != null",
        "auth.user.tier > 3",
        "old.status == 'OPEN' && new.status == 'CLOSED'",
        "auth.role == 'staff'",
        "auth.role in ['staff', 'anon']",
        "auth.email.endsWith('@example.org')",
        "auth.aal == 'aal2'",
        "auth.claims.app_metadata.plan == 'pro'",
        "auth.claims['org'] == this.title",
        "'editor' in auth.claims.roles",
        "auth.claims.roles.exists(r, r == 'editor' || r == this.title)",
        "request.op == 'update'",
        "request.headers['X-App'] == 'web'",
        "request.headers.origin != null",
        "!('team' in request.changed)",
        "request.changed.all(f, f in ['title', 'done'])",
        "request.ip.startsWith('10.')",
        "request.time == now",
        // types
        "this.status == 'OPEN'",
        "this.status != 'OPEN'",
        "this.status in ['OPEN', 'CLOSED']",
        "this.status == auth.role",
        "this.token == '6f9619ff-8b86-d011-b42d-00cf4fc964ff'",
        "this.day >= '2026-01-31'",
        "this.due > timestamp('2026-01-31T09:00:00Z')",
        "this.created_at > now - duration('24h')",
        "duration('1h') + this.due < now",
        "this.count < this.big",
        "this.count < this.price",
        "this.price < this.fine",
        "this.price == 1",
        "this.price == 1.5",
        "this.price == 0.000001",
        "this.ratio > 1",
        "this.count > 1.5",
        "this.big > -9223372036854775808",
        "this.count + 1 > this.big * 2",
        "this.count / 2 % 3 == -1",
        "-this.count == 5",
        "this.price * this.count > 100",
        "this.title + '!' == 'a!'",
        "this.title == this.status + 'x'",
        "this.count in [1, 2.5, this.big]",
        "size(this.title) > 3 && this.title.size() < 9",
        "this.title.lowerAscii().startsWith('a')",
        "this.title.matches('^[a-z]+$')",
        "this.title.matches(r'\\d')",
        "this.due.getFullYear() == 2026 && this.due.getMonth() == 0",
        "this.done ? this.count > 1 : this.count < 1",
        "(this.done ? null : this.count) == 1",
        "(this.done ? this.status : 'OPEN') == 'CLOSED'",
        "size(['a', 'b']) == 2",
        "['a', 'b'].exists(p, this.title.startsWith(p))",
        // JSON
        "this.meta.plan == 'pro'",
        "this.meta['plan'].tier == this.count",
        "has(this.meta.plan) && this.meta != null",
        "this.meta.plan in ['pro', 'team']",
        // relations
        "size(this.steps) == 0",
        "this.steps.size() > 1",
        "this.steps.exists(s, s.hours > 1 && s.task == this)",
        "this.steps.all(s, s.done == true)",
        "this.steps.exists_one(s, s.done)",
        "this.steps.filter(s, s.done).size() > 1",
        "this.steps.filter(s, s.done).exists(t, t.hours > 1)",
        "this.steps.filter(s, s.done).all(t, t.hours > 1)",
        "this.steps.map(s, s.hours).sum() > 10",
        "this.steps.filter(s, s.done).map(s, s.rate).max() > 10",
        "this.steps.map(s, s.done, s.hours).avg() > 1.5",
        "this.cost > 100",
        "auth.user in [this.owner]",
        "auth.user in this.team.members.map(m, m.user)",
        "auth.uid in this.team.members.map(m, m.user_id)",
        "3 in this.steps.map(s, s.hours)",
        "this.labels.exists(l, l.name == 'urgent')",
        "this in auth.user.tasks",
        "allowed(this.team, 'read')",
        "this.team.members.exists(m, allowed(m, \"read\"))",
        // named rules
        "staff() || mine()",
        "member(this.team)",
        "positive(this.count) && positive(3)",
        "any(this.steps)",
        "this.team.members.exists(m, positive(m.level))",
        // comments and layout
        "this.done // all of them\n && true",
    ];
    let shown: Vec<String> = rules.iter().map(|rule| format!("{rule}\n    {}", shown_rule(rule))).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_junction_is_ruled_by_its_lists() {
    let text = |access: &str| {
        format!(
            r#"
            type User @user @access(read: "true") {{ name: String! }}
            type Team @access(read: "true", update: "this.owner == auth.user") {{
              owner: User!
              people: [Person!]! {access}
            }}
            type Person @access(read: "true", update: "this.name == 'x'") {{ name: String!  teams: [Team!]! }}
            "#
        )
    };
    let rules = |access: &str| {
        let catalog = catalog(&text(access));
        let table = catalog.public_table("person_team").unwrap();
        let show = |permit: &backstay_schema::catalog::Permit| {
            let arm = |arm: &backstay_schema::catalog::Arm| {
                format!("{} {} «{}»", arm.id, shown::expr(&catalog, table.id, &arm.expr), arm.text)
            };
            (
                permit.allow.iter().map(arm).collect::<Vec<_>>(),
                permit.deny.iter().map(arm).collect::<Vec<_>>(),
            )
        };
        let access = &table.access;
        [show(&access.read), show(&access.create), show(&access.update), show(&access.delete)]
    };
    insta::assert_debug_snapshot!((
        rules(""),
        rules(r#"@access(write: "this.owner == auth.user")"#),
        rules(
            r#"@access(write: "auth.role == 'staff' || this.owner == auth.user") @deny(write: "auth.role == 'anon'", message: "sign in first")"#
        ),
    ));
}
