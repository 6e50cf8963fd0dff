//! Random rules.

use super::world::word as random_word;
use super::{Each, Has, Kid, Number, Op, Row, Rule, Word};
use rand::Rng;
use rand::rngs::StdRng;

/// Makes rules.
pub struct Maker<'r> {
    /// Randomness.
    pub rng: &'r mut StdRng,
    rows: Vec<Row>,
    kids: Vec<Kid>,
    next: u32,
    /// Relations still to be followed.
    hops: u32,
}

impl<'r> Maker<'r> {
    /// A maker with `this` in scope.
    pub fn new(rng: &'r mut StdRng) -> Self {
        Self { rng, rows: vec![Row::This], kids: Vec::new(), next: 0, hops: 2 }
    }

    /// A rule of at most this depth.
    pub fn rule(&mut self, depth: u32) -> Rule {
        if depth == 0 {
            return self.leaf();
        }
        match self.rng.random_range(0..12) {
            0 | 1 => Rule::Not(Box::new(self.rule(depth - 1))),
            2 | 3 => Rule::And(Box::new(self.rule(depth - 1)), Box::new(self.rule(depth - 1))),
            4 | 5 => Rule::Or(Box::new(self.rule(depth - 1)), Box::new(self.rule(depth - 1))),
            6 => Rule::If(
                Box::new(self.rule(depth - 1)),
                Box::new(self.rule(depth - 1)),
                Box::new(self.rule(depth - 1)),
            ),
            7..=9 if self.hops > 0 => self.quantified(depth),
            _ => self.leaf(),
        }
    }

    fn each(&mut self) -> Each {
        match self.rng.random_range(0..5) {
            0 | 1 => Each::Exists,
            2 | 3 => Each::All,
            _ => Each::ExistsOne,
        }
    }

    fn quantified(&mut self, depth: u32) -> Rule {
        let at = self.row();
        let each = self.each();
        self.hops -= 1;
        let rule = if self.rng.random_bool(0.5) {
            let (kid, body) = self.kid_body(depth - 1);
            Rule::Kids(each, at, kid, Box::new(body))
        } else {
            self.next += 1;
            let var = Row::Var(self.next);
            self.rows.push(var);
            let body = Box::new(self.rule(depth - 1));
            self.rows.pop();
            if self.rng.random_bool(0.5) {
                Rule::Downs(each, at, var, body)
            } else {
                Rule::Friends(each, at, var, body)
            }
        };
        self.hops += 1;
        rule
    }

    fn kid_body(&mut self, depth: u32) -> (Kid, Rule) {
        self.next += 1;
        let kid = Kid(self.next);
        self.kids.push(kid);
        let body = self.rule(depth);
        self.kids.pop();
        (kid, body)
    }

    fn row(&mut self) -> Row {
        self.rows[self.rng.random_range(0..self.rows.len())]
    }

    fn kid(&mut self) -> Option<Kid> {
        if self.kids.is_empty() { None } else { Some(self.kids[self.rng.random_range(0..self.kids.len())]) }
    }

    fn op(&mut self) -> Op {
        [Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge][self.rng.random_range(0..6)]
    }

    fn leaf(&mut self) -> Rule {
        let is = self.rng.random_bool(0.5);
        match self.rng.random_range(0..23) {
            0 => Rule::Const(is),
            1 => Rule::Flag(self.row()),
            2 => self.kid().map_or(Rule::Flag(Row::This), Rule::KidFlag),
            3..=6 => self.numbers(),
            7..=9 => self.words(),
            10 => Rule::NumberIsNull(is, self.nullable_number()),
            11 => Rule::WordIsNull(is, self.nullable_word()),
            12 => {
                let list = (0..self.rng.random_range(0..4))
                    .map(
                        |_| if self.rng.random_bool(0.2) { None } else { Some(self.rng.random_range(-3..4)) },
                    )
                    .collect::<Vec<_>>();
                // a list of nulls alone has no type
                let list = if list.iter().all(Option::is_none) { vec![Some(1)] } else { list };
                Rule::NumberIn(self.column_number(), list)
            }
            13 => {
                let list = (0..self.rng.random_range(1..4)).map(|_| random_word(self.rng)).collect();
                Rule::WordIn(self.column_word(), list)
            }
            14 => {
                let word = self.column_word();
                if is { Rule::WordInGroups(word) } else { Rule::GroupsExist(self.each(), word) }
            }
            15 => {
                let has = [Has::StartsWith, Has::EndsWith, Has::Contains][self.rng.random_range(0..3)];
                Rule::Text(has, self.column_word(), self.typed_word())
            }
            16 => Rule::Mine(self.row()),
            17 => {
                if is {
                    Rule::OwnerIsNull(self.rng.random_bool(0.5), self.row())
                } else {
                    Rule::UpIsNull(self.rng.random_bool(0.5), self.row())
                }
            }
            18 => {
                if is {
                    Rule::SameTeam(self.row())
                } else {
                    Rule::UpMine(self.row())
                }
            }
            19 => Rule::InTags(self.any_word(), self.row()),
            20 => {
                let each = if is { Each::Exists } else { Each::All };
                Rule::Tags(each, self.row(), self.any_word())
            }
            21 => Rule::TagsAreNull(is, self.row()),
            _ if self.hops > 0 => {
                self.next += 1;
                let kid = Kid(self.next);
                Rule::InKids(self.column_number(), self.row(), kid)
            }
            _ => self.numbers(),
        }
    }

    fn numbers(&mut self) -> Rule {
        let op = self.op();
        Rule::Numbers(op, self.column_number(), self.any_number())
    }

    fn words(&mut self) -> Rule {
        let op = self.op();
        let left = self.column_word();
        Rule::Words(op, left, self.any_word())
    }

    fn nullable_number(&mut self) -> Number {
        match self.rng.random_range(0..4) {
            0 => Number::Level,
            1 => Number::UpA(self.row()),
            2 => self.kid().map_or(Number::A(Row::This), Number::X),
            _ => Number::A(self.row()),
        }
    }

    fn nullable_word(&mut self) -> Word {
        match self.rng.random_range(0..3) {
            0 => Word::Team,
            1 => self.kid().map_or(Word::C(Row::This), Word::Y),
            _ => Word::C(self.row()),
        }
    }

    fn column_number(&mut self) -> Number {
        match self.rng.random_range(0..4) {
            0 => Number::B(self.row()),
            1 => Number::UpA(self.row()),
            2 => self.kid().map_or(Number::A(Row::This), Number::X),
            _ => Number::A(self.row()),
        }
    }

    fn any_number(&mut self) -> Number {
        match self.rng.random_range(0..13) {
            11 => Number::TagCount(self.row()),
            0..=2 => Number::Const(self.rng.random_range(-3..4)),
            3 => Number::Level,
            4 => Number::Sum(Box::new(self.column_number()), Box::new(self.column_number())),
            5 => Number::Quotient(Box::new(self.column_number()), Box::new(self.column_number())),
            6 if self.hops > 0 => Number::KidCount(self.row()),
            7 if self.hops > 0 => {
                let at = self.row();
                self.hops -= 1;
                let (kid, body) = self.kid_body(1);
                self.hops += 1;
                Number::KidCountWhere(at, kid, Box::new(body))
            }
            8 if self.hops > 0 => {
                self.next += 1;
                let kid = Kid(self.next);
                let at = self.row();
                if self.rng.random_bool(0.5) { Number::KidSum(at, kid) } else { Number::KidMax(at, kid) }
            }
            9 => Number::If(
                Box::new(self.leaf()),
                Box::new(self.column_number()),
                Box::new(self.column_number()),
            ),
            10 => self.kid().map_or(Number::B(Row::This), Number::ParentB),
            _ => self.column_number(),
        }
    }

    fn column_word(&mut self) -> Word {
        match self.rng.random_range(0..4) {
            0 => Word::D(self.row()),
            1 => Word::UpD(self.row()),
            2 => self.kid().map_or(Word::C(Row::This), Word::Y),
            _ => Word::C(self.row()),
        }
    }

    /// A text whose type is known without the caller: what functions take.
    fn typed_word(&mut self) -> Word {
        match self.any_word() {
            Word::Team => Word::Role,
            other => other,
        }
    }

    fn any_word(&mut self) -> Word {
        match self.rng.random_range(0..8) {
            0..=2 => Word::Const(random_word(self.rng)),
            3 => Word::Role,
            4 => Word::Team,
            5 => Word::Joined(Box::new(self.column_word()), Box::new(self.column_word())),
            6 => Word::Lower(Box::new(self.column_word())),
            _ => self.column_word(),
        }
    }
}
