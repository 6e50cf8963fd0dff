//! The reference: rules judged over the world by plain three-valued logic.
//! `None` is "not known".

use super::world::{Asker, World};
use super::{Each, Has, Kid, Number, Op, Row, Rule, Word};

/// A value: known null and known something; the outer `None` is "not known".
type Known<T> = Option<Option<T>>;

/// Rows that variables stand for.
#[derive(Debug, Clone)]
struct Scope {
    this: usize,
    rows: Vec<(u32, usize)>,
    kids: Vec<(u32, usize)>,
}

/// Judges rules.
pub struct Judge<'w> {
    /// The rows.
    pub world: &'w World,
    /// Who asks.
    pub asker: &'w Asker,
}

impl Judge<'_> {
    /// Whether `rule` holds for the parent with this index.
    #[must_use]
    pub fn judge(&self, rule: &Rule, parent: usize) -> Option<bool> {
        self.rule(rule, &Scope { this: parent, rows: Vec::new(), kids: Vec::new() })
    }

    fn rule(&self, rule: &Rule, scope: &Scope) -> Option<bool> {
        match rule {
            Rule::Const(known) => Some(*known),
            Rule::Flag(at) => self.world.parents[scope.row(*at)].f,
            Rule::KidFlag(kid) => self.world.kids[scope.kid(*kid)].g,
            Rule::Not(inner) => self.rule(inner, scope).map(|known| !known),
            Rule::And(a, b) => and(self.rule(a, scope), self.rule(b, scope)),
            Rule::Or(a, b) => or(self.rule(a, scope), self.rule(b, scope)),
            Rule::If(c, a, b) => {
                if self.rule(c, scope)? {
                    self.rule(a, scope)
                } else {
                    self.rule(b, scope)
                }
            }
            Rule::Numbers(op, a, b) => compare(*op, self.number(a, scope)?, self.number(b, scope)?),
            Rule::Words(op, a, b) => compare(*op, self.word(a, scope)?, self.word(b, scope)?),
            Rule::NumberIsNull(is, a) => match a {
                // only an explicit test of something absent is defined
                Number::Level => Some(self.asker.level.is_none() == *is),
                _ => Some(self.number(a, scope)?.is_none() == *is),
            },
            Rule::WordIsNull(is, a) => match a {
                Word::Team => Some(self.asker.team.is_none() == *is),
                _ => Some(self.word(a, scope)?.is_none() == *is),
            },
            Rule::NumberIn(a, list) => Some(list.contains(&self.number(a, scope)?)),
            Rule::WordIn(a, list) => {
                let value = self.word(a, scope)?;
                Some(list.iter().any(|item| value.as_deref() == Some(*item)))
            }
            Rule::WordInGroups(a) => {
                let groups = self.asker.groups.as_ref()?;
                let value = self.word(a, scope)?;
                Some(groups.iter().any(|item| value.as_deref() == Some(*item)))
            }
            Rule::GroupsExist(each, a) => {
                let groups = self.asker.groups.as_ref()?;
                let verdicts = groups.iter().map(|group| {
                    let value = self.word(a, scope)?;
                    Some(value.as_deref() == Some(*group))
                });
                quantify(*each, verdicts)
            }
            _ => self.about_rows(rule, scope),
        }
    }

    /// Rules about owners and relations.
    fn about_rows(&self, rule: &Rule, scope: &Scope) -> Option<bool> {
        match rule {
            Rule::Text(has, a, b) => {
                let (text, part) = (self.word(a, scope)??, self.word(b, scope)??);
                Some(match has {
                    Has::StartsWith => text.starts_with(&part),
                    Has::EndsWith => text.ends_with(&part),
                    Has::Contains => text.contains(&part),
                })
            }
            Rule::Mine(at) => self.owned_by_me(scope.row(*at)),
            Rule::OwnerIsNull(is, at) => Some(self.world.parents[scope.row(*at)].owner.is_none() == *is),
            Rule::SameTeam(at) => {
                let owner = self.world.parents[scope.row(*at)].owner?;
                let mine = self.asker.account?;
                Some(self.world.accounts[owner].team == self.world.accounts[mine].team)
            }
            Rule::UpIsNull(is, at) => Some(self.world.parents[scope.row(*at)].up.is_none() == *is),
            Rule::UpMine(at) => self.owned_by_me(self.world.parents[scope.row(*at)].up?),
            Rule::Kids(each, at, kid, body) => {
                let kids = self.world.kids_of(scope.row(*at));
                quantify(*each, kids.map(|index| self.rule(body, &scope.with_kid(*kid, index))))
            }
            Rule::Downs(each, at, var, body) => {
                let above = scope.row(*at);
                let downs = (0..self.world.parents.len())
                    .filter(|index| self.world.parents[*index].up == Some(above));
                quantify(*each, downs.map(|index| self.rule(body, &scope.with_row(*var, index))))
            }
            Rule::Friends(each, at, var, body) => {
                let friends = self.world.parents[scope.row(*at)].friends.iter();
                quantify(*each, friends.map(|index| self.rule(body, &scope.with_row(*var, *index))))
            }
            Rule::InTags(a, at) => {
                let (tags, value) = (self.tags(*at, scope)?, self.word(a, scope)?);
                Some(tags.iter().any(|tag| value.as_deref() == Some(*tag)))
            }
            Rule::Tags(each, at, a) => {
                let verdicts = self.tags(*at, scope)?.iter().map(|tag| {
                    let value = self.word(a, scope)?;
                    Some(value.as_deref() == Some(*tag))
                });
                quantify(*each, verdicts)
            }
            Rule::TagsAreNull(is, at) => Some(self.tags(*at, scope).is_none() == *is),
            Rule::InKids(a, at, _) => {
                let value = self.number(a, scope);
                let kids = self.world.kids_of(scope.row(*at));
                // `x in rel.map(…)` is `rel.exists(k, … == x)`
                quantify(Each::Exists, kids.map(|index| compare(Op::Eq, value?, self.world.kids[index].x)))
            }
            _ => unreachable!("judged above"),
        }
    }

    fn tags(&self, at: Row, scope: &Scope) -> Option<&[&'static str]> {
        self.world.parents[scope.row(at)].tags.as_deref()
    }

    fn owned_by_me(&self, parent: usize) -> Option<bool> {
        let mine = self.asker.account?;
        Some(self.world.parents[parent].owner == Some(mine))
    }

    fn number(&self, number: &Number, scope: &Scope) -> Known<i64> {
        match number {
            Number::Const(n) => Some(Some(*n)),
            Number::A(at) => Some(self.world.parents[scope.row(*at)].a),
            Number::B(at) => Some(Some(self.world.parents[scope.row(*at)].b)),
            Number::UpA(at) => {
                let up = self.world.parents[scope.row(*at)].up?;
                Some(self.world.parents[up].a)
            }
            Number::X(kid) => Some(self.world.kids[scope.kid(*kid)].x),
            Number::ParentB(kid) => Some(Some(self.world.parents[self.world.kids[scope.kid(*kid)].parent].b)),
            Number::Sum(a, b) => {
                let sum = self.number(a, scope)??.checked_add(self.number(b, scope)??)?;
                Some(Some(i64::from(i32::try_from(sum).ok()?)))
            }
            Number::Quotient(a, b) => {
                let quotient = self.number(a, scope)??.checked_div(self.number(b, scope)??)?;
                Some(Some(i64::from(i32::try_from(quotient).ok()?)))
            }
            Number::KidCount(at) => Some(i64::try_from(self.world.kids_of(scope.row(*at)).count()).ok()),
            Number::KidCountWhere(at, kid, rule) => {
                let mut count = 0;
                for index in self.world.kids_of(scope.row(*at)) {
                    if self.rule(rule, &scope.with_kid(*kid, index))? {
                        count += 1;
                    }
                }
                Some(Some(count))
            }
            Number::KidSum(at, _) => Some(Some(
                self.world.kids_of(scope.row(*at)).filter_map(|index| self.world.kids[index].x).sum(),
            )),
            Number::KidMax(at, _) => {
                Some(self.world.kids_of(scope.row(*at)).filter_map(|index| self.world.kids[index].x).max())
            }
            Number::TagCount(at) => Some(i64::try_from(self.tags(*at, scope)?.len()).ok()),
            Number::Level => self.asker.level.map(Some),
            Number::If(c, a, b) => {
                if self.rule(c, scope)? {
                    self.number(a, scope)
                } else {
                    self.number(b, scope)
                }
            }
        }
    }

    fn word(&self, word: &Word, scope: &Scope) -> Known<String> {
        let own = |text: &str| Some(text.to_owned());
        match word {
            Word::Const(text) => Some(own(text)),
            Word::C(at) => Some(self.world.parents[scope.row(*at)].c.and_then(own)),
            Word::D(at) => Some(own(self.world.parents[scope.row(*at)].d)),
            Word::Y(kid) => Some(self.world.kids[scope.kid(*kid)].y.and_then(own)),
            Word::UpD(at) => {
                let up = self.world.parents[scope.row(*at)].up?;
                Some(own(self.world.parents[up].d))
            }
            Word::Role => Some(own(self.asker.role)),
            Word::Team => self.asker.team.map(own),
            Word::Joined(a, b) => Some(Some(self.word(a, scope)?? + &self.word(b, scope)??)),
            Word::Lower(a) => Some(Some(self.word(a, scope)??.to_ascii_lowercase())),
        }
    }
}

impl Scope {
    fn row(&self, row: Row) -> usize {
        match row {
            Row::This => self.this,
            Row::Var(var) => self.rows.iter().rev().find(|(id, _)| *id == var).unwrap().1,
        }
    }

    fn kid(&self, kid: Kid) -> usize {
        self.kids.iter().rev().find(|(id, _)| *id == kid.0).unwrap().1
    }

    fn with_kid(&self, kid: Kid, index: usize) -> Self {
        let mut scope = self.clone();
        scope.kids.push((kid.0, index));
        scope
    }

    fn with_row(&self, row: Row, index: usize) -> Self {
        let mut scope = self.clone();
        if let Row::Var(var) = row {
            scope.rows.push((var, index));
        }
        scope
    }
}

const fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

const fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn compare<T: PartialOrd>(op: Op, a: Option<T>, b: Option<T>) -> Option<bool> {
    match op {
        Op::Eq => Some(a == b),
        Op::Ne => Some(a != b),
        Op::Lt => Some(a? < b?),
        Op::Le => Some(a? <= b?),
        Op::Gt => Some(a? > b?),
        Op::Ge => Some(a? >= b?),
    }
}

fn quantify(each: Each, verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    match each {
        Each::Exists => verdicts.fold(Some(false), or),
        Each::All => verdicts.fold(Some(true), and),
        Each::ExistsOne => {
            let known: Vec<bool> = verdicts.collect::<Option<_>>()?;
            Some(known.iter().filter(|verdict| **verdict).count() == 1)
        }
    }
}
