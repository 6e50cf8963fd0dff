//! Small random schemas, edits of them, rows that satisfy them, and what becomes of a
//! cell when its column changes.

use rand::Rng;
use rand::seq::IndexedRandom;
use rusqlite::types::Value;

const TYPES: [&str; 5] = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"];
const FIELDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Nothing is said about the cell: its kind changed for good.
pub const SAME: Option<Value> = None;

#[derive(Debug, Clone)]
pub struct Model {
    pub types: Vec<Type>,
    /// Members of the one enum, with their earlier names.
    pub members: Vec<(&'static str, Option<&'static str>)>,
    /// Names of types that are or were there: a renamed one takes another.
    used: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub struct Type {
    pub name: &'static str,
    was: Option<&'static str>,
    /// The ids of its rows begin with it, whatever the type is called.
    pub label: &'static str,
    pub fields: Vec<Field>,
    /// Names of fields that are or were there.
    used: Vec<&'static str>,
    audited: bool,
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Float,
    Decimal(u8),
    String,
    Boolean,
    Enum,
    Date,
    Time,
    Duration,
    Bytes,
    List,
    Reference(&'static str),
}

#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    was: Option<&'static str>,
    kind: Kind,
    required: bool,
    default: bool,
    unique: bool,
    index: bool,
    /// An index of a part of the rows.
    part: Option<Part>,
    /// An index of its words.
    words: bool,
    valid: bool,
}

/// Parts of the rows; no rows of the test break what is unique among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Unique,
    OtherUnique,
    Index,
}

impl Part {
    fn random(random: &mut impl Rng) -> Option<Self> {
        [None, None, None, Some(Self::Unique), Some(Self::OtherUnique), Some(Self::Index)]
            [random.random_range(0..6)]
    }

    fn sdl(self, field: &str) -> String {
        match self {
            Self::Unique => format!(" @unique(where: \"this.{field} == null\")"),
            Self::OtherUnique => format!(" @unique(where: \"!(this.{field} != null)\")"),
            Self::Index => format!(" @index(where: \"this.{field} != null\")"),
        }
    }
}

impl Type {
    pub fn table(&self) -> String {
        self.name.to_lowercase()
    }

    /// The type that its rows come from.
    pub fn source(&self) -> &'static str {
        self.was.unwrap_or(self.name)
    }
}

impl Field {
    fn random(name: &'static str, types: &[&'static str], random: &mut impl Rng) -> Self {
        let required = random.random();
        let kind = Kind::random(types, random);
        let plain = matches!(kind, Kind::Int | Kind::String | Kind::Decimal(_));
        Self {
            name,
            was: None,
            kind,
            required,
            default: kind.default_text().is_some() && random.random(),
            unique: plain && random.random_range(0..5) == 0,
            index: !matches!(kind, Kind::Reference(_) | Kind::List) && random.random_range(0..5) == 0,
            part: Part::random(random).filter(|_| plain),
            words: kind == Kind::String && random.random_range(0..3) == 0,
            valid: plain && random.random_range(0..3) == 0,
        }
    }

    /// Changes whenever the field does.
    const fn doc(&self) -> Option<&'static str> {
        match (self.default, self.index, self.valid) {
            (true, false, _) => Some("It's a; \\\\ word."),
            (_, true, _) => Some("Another 😀."),
            (false, false, true) => Some("a\\nb"),
            (false, false, false) => None,
        }
    }

    pub fn column(&self) -> String {
        self.kind.column(self.name)
    }

    /// The column that its values come from.
    pub fn source(&self) -> String {
        self.kind.column(self.was.unwrap_or(self.name))
    }

    /// What rows get that had no such column.
    pub fn filled(&self) -> Value {
        if self.default { self.kind.default_value() } else { Value::Null }
    }

    fn sdl(&self) -> String {
        let doc = self.doc().map_or_else(String::new, |doc| format!("  \"{doc}\"\n"));
        let mut text = format!("{doc}  {}: {}", self.name, self.kind.sdl());
        if self.required {
            text.push('!');
        }
        if let (true, Some(default)) = (self.default, self.kind.default_text()) {
            text.push_str(&format!(" @default(value: {default})"));
        }
        if let Kind::Decimal(scale) = self.kind {
            text.push_str(&format!(" @column(digits: 12, scale: {scale})"));
        }
        if self.valid {
            text.push_str(if self.kind == Kind::String {
                " @valid(maxLength: 20)"
            } else {
                " @valid(min: 0)"
            });
        }
        text.push_str(if self.unique { " @unique" } else { "" });
        text.push_str(if self.index { " @index" } else { "" });
        if let Some(part) = self.part {
            text.push_str(&part.sdl(self.name));
        }
        text.push_str(if self.words { " @index(kind: FULLTEXT)" } else { "" });
        text.push_str(if self.doc().is_some() && self.required {
            " @deprecated(reason: \"old\")"
        } else {
            ""
        });
        if let Some(was) = self.was {
            text.push_str(&format!(" @was(name: \"{was}\")"));
        }
        text
    }
}

impl Kind {
    fn random(types: &[&'static str], random: &mut impl Rng) -> Self {
        match random.random_range(0..13) {
            0 | 1 => Self::Int,
            2 => Self::Float,
            3 => Self::Decimal(*[0, 2, 4].choose(random).unwrap()),
            4 => Self::String,
            5 => Self::Boolean,
            6 => Self::Enum,
            7 => Self::Date,
            8 => Self::Duration,
            9 => Self::Bytes,
            10 => Self::List,
            11 => Self::Time,
            _ => Self::Reference(types.choose(random).unwrap()),
        }
    }

    fn column(self, name: &str) -> String {
        if matches!(self, Self::Reference(_)) { format!("{name}_id") } else { name.to_owned() }
    }

    fn sdl(self) -> &'static str {
        match self {
            Self::Int => "Int",
            Self::Float => "Float",
            Self::Decimal(_) => "Decimal",
            Self::String => "String",
            Self::Boolean => "Boolean",
            Self::Enum => "State",
            Self::Date => "Date",
            Self::Time => "Time",
            Self::Duration => "Duration",
            Self::Bytes => "Bytes",
            Self::List => "[String!]",
            Self::Reference(target) => target,
        }
    }

    const fn default_text(self) -> Option<&'static str> {
        match self {
            Self::Int => Some("7"),
            Self::Float => Some("1.5"),
            Self::Decimal(0) => Some("2"),
            Self::Decimal(_) => Some("2.5"),
            Self::String => Some("\"it's\""),
            Self::Boolean => Some("true"),
            Self::Enum => Some("ONE"),
            Self::Duration => Some("\"PT1H\""),
            Self::Bytes => Some("\"\\\\x00ff\""),
            Self::List => Some("[\"it's\", \"{\"]"),
            Self::Date | Self::Time | Self::Reference(_) => None,
        }
    }

    fn default_value(self) -> Value {
        match self {
            Self::Int => Value::Integer(7),
            Self::Float => Value::Real(1.5),
            Self::Decimal(0) => Value::Integer(2),
            Self::Decimal(scale) => Value::Integer(25 * 10_i64.pow(u32::from(scale) - 1)),
            Self::String => Value::Text("it's".to_owned()),
            Self::Boolean => Value::Integer(1),
            Self::Enum => Value::Text("ONE".to_owned()),
            Self::Duration => Value::Integer(3_600_000_000),
            Self::Bytes => Value::Blob(vec![0, 255]),
            Self::List => Value::Text("[\"it's\",\"{\"]".to_owned()),
            Self::Date | Self::Time | Self::Reference(_) => Value::Null,
        }
    }
}

impl Model {
    pub fn random(random: &mut impl Rng) -> Self {
        let names = &TYPES[..random.random_range(1..4)];
        let types = names.iter().map(|name| {
            let count = random.random_range(1..5);
            let fields = FIELDS[..count].iter().map(|field| Field::random(field, names, random)).collect();
            let audited = random.random_range(0..4) == 0;
            let strict = random.random_range(0..4) > 0;
            Type { name, was: None, label: name, fields, used: FIELDS[..count].to_vec(), audited, strict }
        });
        Self {
            types: types.collect(),
            used: names.to_vec(),
            members: vec![("ONE", None), ("TWO", None), ("THREE", None)],
        }
    }

    /// One to four edits of this schema.
    pub fn edited(&self, random: &mut impl Rng) -> Self {
        let mut model = self.clone();
        for _ in 0..random.random_range(1..5) {
            model.edit(random);
        }
        model
    }

    fn edit(&mut self, random: &mut impl Rng) {
        let names: Vec<&'static str> = self.types.iter().map(|ty| ty.name).collect();
        let free_type = TYPES.iter().find(|name| !self.used.contains(name)).copied();
        match random.random_range(0..12) {
            0 => {
                let Some(name) = free_type else { return };
                let fields = vec![Field::random("a", &names, random)];
                self.used.push(name);
                self.types.push(Type {
                    name,
                    was: None,
                    label: name,
                    fields,
                    used: vec!["a"],
                    audited: false,
                    strict: false,
                });
            }
            1 if names.len() > 1 => {
                let gone = self.types.pop().unwrap().name;
                for ty in &mut self.types {
                    ty.fields.retain(|field| field.kind != Kind::Reference(gone));
                }
            }
            2 => self.rename_type(free_type, random),
            3 => {
                self.members.retain(|(name, _)| *name != "TWO");
                self.members.push(("SECOND", Some("TWO")));
                self.members.dedup();
            }
            4 => self.members.insert(0, ("NEW", None)),
            5 => {
                let index = random.random_range(0..self.types.len());
                let ty = &mut self.types[index];
                if random.random_bool(0.5) {
                    ty.audited = !ty.audited;
                } else {
                    ty.strict = !ty.strict;
                }
            }
            _ => self.edit_field(&names, random),
        }
        self.members.sort_unstable();
        self.members.dedup();
    }

    fn rename_type(&mut self, free: Option<&'static str>, random: &mut impl Rng) {
        let index = random.random_range(0..self.types.len());
        let Some(new) = free else { return };
        let ty = &mut self.types[index];
        // a type that is new in this edit, or renamed before, keeps its name
        if ty.was.is_some() || ty.label != ty.name {
            return;
        }
        let old = ty.name;
        self.used.push(new);
        ty.was = Some(old);
        ty.name = new;
        for field in self.types.iter_mut().flat_map(|ty| &mut ty.fields) {
            if field.kind == Kind::Reference(old) {
                field.kind = Kind::Reference(new);
            }
        }
    }

    fn edit_field(&mut self, names: &[&'static str], random: &mut impl Rng) {
        let index = random.random_range(0..self.types.len());
        let ty = &mut self.types[index];
        let free = FIELDS.iter().find(|name| !ty.used.contains(name)).copied();
        let action = random.random_range(0..8);
        if action == 0 || ty.fields.is_empty() {
            if let Some(name) = free {
                ty.used.push(name);
                ty.fields.push(Field::random(name, names, random));
            }
            return;
        }
        let at = random.random_range(0..ty.fields.len());
        let field = &mut ty.fields[at];
        match action {
            1 => {
                ty.fields.remove(at);
            }
            2 => {
                if let (Some(name), None) = (free, field.was) {
                    field.was = Some(field.name);
                    field.name = name;
                    ty.used.push(name);
                }
            }
            3 => field.required = !field.required,
            4 => field.unique = !field.unique && matches!(field.kind, Kind::Int | Kind::String),
            5 => field.index = !field.index && !matches!(field.kind, Kind::Reference(_) | Kind::List),
            6 => {
                let plain = matches!(field.kind, Kind::Int | Kind::String | Kind::Decimal(_));
                field.part = Part::random(random).filter(|_| plain);
                field.words = !field.words && field.kind == Kind::String;
            }
            _ => {
                let changed = Field::random(field.name, names, random);
                *field = Field { was: field.was, ..changed };
            }
        }
    }

    pub fn sdl(&self) -> String {
        let mut text = "enum State {".to_owned();
        for (name, was) in &self.members {
            let was = was.map_or_else(String::new, |was| format!(" @was(name: \"{was}\")"));
            text.push_str(&format!(" {name}{was}"));
        }
        text.push_str(" }\n");
        for ty in &self.types {
            let was = ty.was.map_or_else(String::new, |was| format!(" @was(name: \"{was}\")"));
            let table = format!(" @table(audit: {}, strict: {})", ty.audited, ty.strict);
            text.push_str(&format!("type {}{was}{table} {{\n  id: ID!\n", ty.name));
            for field in &ty.fields {
                text.push_str(&field.sdl());
                text.push('\n');
            }
            text.push_str("}\n");
        }
        text
    }

    /// A cell of the row with this number.
    pub fn value(&self, field: &Field, number: i64, random: &mut impl Rng) -> Value {
        if !field.required && random.random_range(0..3) == 0 {
            return Value::Null;
        }
        let low = if field.valid { 0 } else { -500 };
        let distinct = |value: i64| if field.unique { value * 10 + number } else { value };
        match field.kind {
            Kind::Int | Kind::Decimal(_) => Value::Integer(distinct(random.random_range(low..500))),
            Kind::Float => Value::Real(f64::from(random.random_range(-500..500)) / 4.0),
            Kind::String => Value::Text(format!("t{}", distinct(random.random_range(0..500)))),
            Kind::Boolean => Value::Integer(random.random_range(0..2)),
            Kind::Enum => Value::Text((*["ONE", "TWO", "THREE"].choose(random).unwrap()).to_owned()),
            Kind::Date => Value::Text(format!("2026-01-{:02}", random.random_range(1..29))),
            Kind::Time => Value::Text(format!("{:02}:30:00", random.random_range(0..24))),
            Kind::Duration => Value::Integer(random.random_range(-5_000_000_000..5_000_000_000)),
            Kind::Bytes => Value::Blob(vec![random.random_range(0..255); 3]),
            Kind::List => Value::Text(format!("[\"t{}\"]", random.random_range(0..9))),
            Kind::Reference(target) => {
                let target = self.types.iter().find(|ty| ty.name == target).unwrap();
                Value::Text(format!("{}-{}", target.label, random.random_range(0..3)))
            }
        }
    }

    /// What becomes of a cell; [`SAME`] where the kind changes and nothing is promised.
    pub fn carried(&self, old: &Field, new: &Field, stored: &Value) -> Option<Value> {
        let counts = |kind: Kind| matches!(kind, Kind::Int | Kind::Float | Kind::Decimal(_));
        let made_anew = matches!(old.kind, Kind::Decimal(_)) != matches!(new.kind, Kind::Decimal(_))
            && !(counts(old.kind) && counts(new.kind));
        if *stored == Value::Null && made_anew {
            return SAME;
        }
        if *stored == Value::Null {
            return Some(if new.required { new.filled() } else { Value::Null });
        }
        match (old.kind, new.kind, stored) {
            (Kind::Enum, Kind::Enum, Value::Text(text)) => {
                let renamed = self.members.iter().find(|(_, was)| *was == Some(text.as_str()));
                Some(Value::Text(renamed.map_or(text.as_str(), |(name, _)| *name).to_owned()))
            }
            (Kind::Int, Kind::Decimal(to), Value::Integer(units)) => {
                Some(Value::Integer(units * 10_i64.pow(u32::from(to))))
            }
            (Kind::Decimal(from), Kind::Decimal(to), Value::Integer(units)) if to >= from => {
                Some(Value::Integer(units * 10_i64.pow(u32::from(to - from))))
            }
            (Kind::Decimal(from), Kind::Float, Value::Integer(units)) => {
                #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
                let value = *units as f64 / 10_f64.powi(i32::from(from));
                Some(Value::Real(value))
            }
            (Kind::Reference(_), Kind::Reference(_), _) => Some(stored.clone()),
            (a, b, _) if a == b => Some(stored.clone()),
            _ => SAME,
        }
    }
}
