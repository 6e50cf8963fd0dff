//! Rules as CEL.

use super::{Each, Has, Number, Op, Row, Rule, Word};

/// The CEL text of a rule.
#[must_use]
pub fn cel(rule: &Rule) -> String {
    match rule {
        Rule::Const(known) => known.to_string(),
        Rule::Flag(at) => format!("{}.f", row(*at)),
        Rule::KidFlag(kid) => format!("k{}.g", kid.0),
        Rule::Not(inner) => format!("!({})", cel(inner)),
        Rule::And(a, b) => format!("({} && {})", cel(a), cel(b)),
        Rule::Or(a, b) => format!("({} || {})", cel(a), cel(b)),
        Rule::If(c, a, b) => format!("({} ? {} : {})", cel(c), cel(a), cel(b)),
        Rule::Numbers(op, a, b) => format!("{} {} {}", number(a), sign(*op), number(b)),
        Rule::Words(op, a, b) => format!("{} {} {}", word(a), sign(*op), word(b)),
        Rule::NumberIsNull(is, a) => format!("{} {} null", number(a), equal(*is)),
        Rule::WordIsNull(is, a) => format!("{} {} null", word(a), equal(*is)),
        Rule::NumberIn(a, list) => {
            let items: Vec<String> =
                list.iter().map(|item| item.map_or_else(|| "null".to_owned(), |n| n.to_string())).collect();
            format!("{} in [{}]", number(a), items.join(", "))
        }
        Rule::WordIn(a, list) => {
            let items: Vec<String> = list.iter().map(|item| format!("'{item}'")).collect();
            format!("{} in [{}]", word(a), items.join(", "))
        }
        Rule::WordInGroups(a) => format!("{} in auth.claims.groups", word(a)),
        Rule::GroupsExist(each, a) => {
            format!("auth.claims.groups.{}(g, g == {})", macro_name(*each), word(a))
        }
        Rule::Text(has, a, b) => {
            let name = match has {
                Has::StartsWith => "startsWith",
                Has::EndsWith => "endsWith",
                Has::Contains => "contains",
            };
            format!("{}.{name}({})", word(a), word(b))
        }
        Rule::Mine(at) => format!("{}.owner == auth.user", row(*at)),
        Rule::OwnerIsNull(is, at) => format!("{}.owner {} null", row(*at), equal(*is)),
        Rule::SameTeam(at) => format!("{}.owner.team == auth.user.team", row(*at)),
        Rule::UpIsNull(is, at) => format!("{}.up {} null", row(*at), equal(*is)),
        Rule::UpMine(at) => format!("{}.up.owner == auth.user", row(*at)),
        Rule::Kids(each, at, kid, body) => {
            format!("{}.kids.{}(k{}, {})", row(*at), macro_name(*each), kid.0, cel(body))
        }
        Rule::Downs(each, at, var, body) => {
            format!("{}.downs.{}({}, {})", row(*at), macro_name(*each), row(*var), cel(body))
        }
        Rule::Friends(each, at, var, body) => {
            format!("{}.friends.{}({}, {})", row(*at), macro_name(*each), row(*var), cel(body))
        }
        Rule::InTags(a, at) => format!("{} in {}.tags", word(a), row(*at)),
        Rule::Tags(each, at, a) => {
            format!("{}.tags.{}(t, t == {})", row(*at), macro_name(*each), word(a))
        }
        Rule::TagsAreNull(is, at) => format!("{}.tags {} null", row(*at), equal(*is)),
        Rule::InKids(a, at, kid) => {
            format!("{} in {}.kids.map(k{n}, k{n}.x)", number(a), row(*at), n = kid.0)
        }
    }
}

fn number(of: &Number) -> String {
    match of {
        Number::Const(n) => n.to_string(),
        Number::A(at) => format!("{}.a", row(*at)),
        Number::B(at) => format!("{}.b", row(*at)),
        Number::UpA(at) => format!("{}.up.a", row(*at)),
        Number::X(kid) => format!("k{}.x", kid.0),
        Number::ParentB(kid) => format!("k{}.parent.b", kid.0),
        Number::Sum(a, b) => format!("({} + {})", number(a), number(b)),
        Number::Quotient(a, b) => format!("({} / {})", number(a), number(b)),
        Number::KidCount(at) => format!("{}.kids.size()", row(*at)),
        Number::KidCountWhere(at, kid, rule) => {
            format!("{}.kids.filter(k{}, {}).size()", row(*at), kid.0, cel(rule))
        }
        Number::KidSum(at, kid) => format!("{}.kids.map(k{n}, k{n}.x).sum()", row(*at), n = kid.0),
        Number::KidMax(at, kid) => format!("{}.kids.map(k{n}, k{n}.x).max()", row(*at), n = kid.0),
        Number::TagCount(at) => format!("size({}.tags)", row(*at)),
        Number::Level => "auth.claims.level".to_owned(),
        Number::If(c, a, b) => format!("({} ? {} : {})", cel(c), number(a), number(b)),
    }
}

fn word(of: &Word) -> String {
    match of {
        Word::Const(text) => format!("'{text}'"),
        Word::C(at) => format!("{}.c", row(*at)),
        Word::D(at) => format!("{}.d", row(*at)),
        Word::Y(kid) => format!("k{}.y", kid.0),
        Word::UpD(at) => format!("{}.up.d", row(*at)),
        Word::Role => "auth.role".to_owned(),
        Word::Team => "auth.claims.team".to_owned(),
        Word::Joined(a, b) => format!("({} + {})", word(a), word(b)),
        Word::Lower(a) => format!("{}.lowerAscii()", word(a)),
    }
}

fn row(at: Row) -> String {
    match at {
        Row::This => "this".to_owned(),
        Row::Var(n) => format!("p{n}"),
    }
}

const fn sign(op: Op) -> &'static str {
    match op {
        Op::Eq => "==",
        Op::Ne => "!=",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
    }
}

const fn equal(is: bool) -> &'static str {
    if is { "==" } else { "!=" }
}

const fn macro_name(each: Each) -> &'static str {
    match each {
        Each::Exists => "exists",
        Each::All => "all",
        Each::ExistsOne => "exists_one",
    }
}
