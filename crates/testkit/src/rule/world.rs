//! The small world that random rules are judged in.

use rand::Rng;
use rand::rngs::StdRng;
use uuid::Uuid;

/// Its schema.
pub const SCHEMA: &str = r#"
type User @user @access(read: "true") { team: String }
type Parent @access(read: "true") {
  id: Int!
  a: Int
  b: Int!
  c: String @index(kind: FULLTEXT)
  d: String!
  f: Boolean
  tags: [String!]
  owner: User
  up: Parent
  downs: [Parent!]! @relation(field: "up")
  kids: [Kid!]!
  friends: [Parent!]! @relation(field: "befriended")
  befriended: [Parent!]! @relation(field: "friends")
}
type Kid @access(read: "true") {
  id: Int!
  parent: Parent!
  x: Int
  y: String
  g: Boolean
}
"#;

/// An account's row.
#[derive(Debug, Clone)]
pub struct Account {
    /// Key.
    pub id: Uuid,
    /// Nullable.
    pub team: Option<&'static str>,
}

/// A row of `parent`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of the schema above")]
pub struct Parent {
    pub a: Option<i64>,
    pub b: i64,
    pub c: Option<&'static str>,
    pub d: &'static str,
    pub f: Option<bool>,
    pub tags: Option<Vec<&'static str>>,
    pub owner: Option<usize>,
    pub up: Option<usize>,
    pub friends: Vec<usize>,
}

/// A row of `kid`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of the schema above")]
pub struct Child {
    pub parent: usize,
    pub x: Option<i64>,
    pub y: Option<&'static str>,
    pub g: Option<bool>,
}

/// All rows. Ids are index + 1.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the tables of the schema above")]
pub struct World {
    pub accounts: Vec<Account>,
    pub parents: Vec<Parent>,
    pub kids: Vec<Child>,
}

/// Who asks in this world.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Index of the account; none is anonymous.
    pub account: Option<usize>,
    /// `auth.role`.
    pub role: &'static str,
    /// `auth.claims.team`.
    pub team: Option<&'static str>,
    /// `auth.claims.level`.
    pub level: Option<i64>,
    /// `auth.claims.groups`.
    pub groups: Option<Vec<&'static str>>,
}

/// Texts that rows and rules use: cases, wildcards, quotes' kin and an umlaut.
pub const WORDS: &[&str] = &["", "a", "A", "ab", "b%", "b_", "ä", "Zz", "staff"];

fn maybe<T>(rng: &mut StdRng, make: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    if rng.random_bool(0.3) { None } else { Some(make(rng)) }
}

/// A random word.
pub fn word(rng: &mut StdRng) -> &'static str {
    WORDS[rng.random_range(0..WORDS.len())]
}

impl World {
    /// Random rows, a third of the nullable values NULL.
    #[must_use]
    pub fn random(rng: &mut StdRng) -> Self {
        let accounts = (0..4_u128)
            .map(|n| Account { id: Uuid::from_u128(0x1000 + n), team: maybe(rng, word) })
            .collect::<Vec<_>>();
        let count = 30;
        let parents = (0..count)
            .map(|index| Parent {
                a: maybe(rng, |rng| rng.random_range(-3..4)),
                b: rng.random_range(-3..4),
                c: maybe(rng, word),
                d: word(rng),
                f: maybe(rng, |rng| rng.random_bool(0.5)),
                tags: maybe(rng, |rng| (0..rng.random_range(0..3)).map(|_| word(rng)).collect()),
                owner: maybe(rng, |rng| rng.random_range(0..4)),
                up: maybe(rng, |rng| rng.random_range(0..count)).filter(|up| *up < index),
                friends: {
                    let mut friends: Vec<usize> =
                        (0..rng.random_range(0..3)).map(|_| rng.random_range(0..count)).collect();
                    friends.sort_unstable();
                    friends.dedup();
                    friends
                },
            })
            .collect();
        let kids = (0..40)
            .map(|_| Child {
                parent: rng.random_range(0..count),
                x: maybe(rng, |rng| rng.random_range(-3..4)),
                y: maybe(rng, word),
                g: maybe(rng, |rng| rng.random_bool(0.5)),
            })
            .collect();
        Self { accounts, parents, kids }
    }

    /// Indexes of the kids of a parent.
    pub fn kids_of(&self, parent: usize) -> impl Iterator<Item = usize> + '_ {
        self.kids.iter().enumerate().filter(move |(_, kid)| kid.parent == parent).map(|(index, _)| index)
    }
}

impl Asker {
    /// Somebody, or nobody.
    #[must_use]
    pub fn random(rng: &mut StdRng) -> Self {
        if rng.random_bool(0.2) {
            return Self { account: None, role: "anon", team: None, level: None, groups: None };
        }
        Self {
            account: Some(rng.random_range(0..4)),
            role: if rng.random_bool(0.3) { "staff" } else { "authenticated" },
            team: maybe(rng, word),
            level: maybe(rng, |rng| rng.random_range(-3..4)),
            groups: maybe(rng, |rng| (0..rng.random_range(0..3)).map(|_| word(rng)).collect()),
        }
    }
}
