//! table: every directive of the schema language: where it may stand, its arguments,
//! and whether it is available now. The definitions that editors read
//! (`.backstay/directives.graphql`) are made from it.

use crate::scalar::SCALARS;

/// Where a directive may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `extend schema`.
    Schema,
    /// A type.
    Object,
    /// A field.
    Field,
    /// An enum.
    Enum,
    /// A member of an enum.
    EnumValue,
}

/// What an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A CEL expression.
    Cel,
    /// A text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count,
    /// A literal of the field's type.
    Literal,
    /// A list of names.
    Names,
    /// A list of enum members.
    Members,
    /// One word of a list: the name of the enum and its members, and how many of them are available.
    Word(&'static str, &'static [&'static str], usize),
    /// A list of such words.
    Words(&'static str, &'static [&'static str]),
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub struct ArgumentEntry {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it is available now.
    pub available: bool,
}

/// One directive.
#[derive(Debug, Clone, Copy)]
pub struct DirectiveEntry {
    /// Its name without `@`.
    pub name: &'static str,
    /// Where it may stand.
    pub places: &'static [Place],
    /// Whether it may stand several times.
    pub repeatable: bool,
    /// Whether it is available now.
    pub available: bool,
    /// Its arguments.
    pub arguments: &'static [ArgumentEntry],
    /// What it does, for editors and the reference.
    pub doc: &'static str,
}

const fn may(name: &'static str, kind: Kind) -> ArgumentEntry {
    ArgumentEntry { name, kind, required: false, available: true }
}
const fn must(name: &'static str, kind: Kind) -> ArgumentEntry {
    ArgumentEntry { name, kind, required: true, available: true }
}
const fn later(name: &'static str, kind: Kind) -> ArgumentEntry {
    ArgumentEntry { name, kind, required: false, available: false }
}

/// The words of `@index(kind:)`; the first two are available.
const INDEX_KINDS: Kind =
    Kind::Word("_BackstayIndexKind", &["BTREE", "FULLTEXT", "HASH", "VECTOR", "GIN", "GEO"], 2);
const METRICS: Kind = Kind::Word("_BackstayMetric", &["COSINE", "L2", "INNER"], 3);
const ON_DELETE: Kind = Kind::Word("_BackstayOnDelete", &["RESTRICT", "CASCADE", "SET_NULL"], 3);
const FORMATS: Kind = Kind::Word("_BackstayFormat", &["EMAIL", "URL", "SLUG", "UUID", "PHONE"], 5);
const SEES: Kind = Kind::Word("_BackstaySees", &["CALLER", "ALL"], 2);
const EVENTS: Kind = Kind::Words("_BackstayEvent", &["CREATE", "UPDATE", "DELETE"]);
const OPERATIONS: Kind = Kind::Words("_BackstayOperation", &["READ", "CREATE", "UPDATE", "DELETE", "CALL"]);

/// Every directive.
pub const DIRECTIVES: &[DirectiveEntry] = &[
    DirectiveEntry {
        name: "access",
        places: &[Place::Object, Place::Field],
        repeatable: true,
        available: true,
        arguments: &[
            may("all", Kind::Cel),
            may("read", Kind::Cel),
            may("write", Kind::Cel),
            may("create", Kind::Cel),
            may("update", Kind::Cel),
            may("delete", Kind::Cel),
            may("fields", Kind::Names),
            later("call", Kind::Cel),
        ],
        doc: "Who may do what. On a type a missing operation is denied; on a field it adds nothing. \
              With `fields`, an update rule that holds where no other field is written.",
    },
    DirectiveEntry {
        name: "deny",
        places: &[Place::Object, Place::Field],
        repeatable: true,
        available: true,
        arguments: &[
            may("all", Kind::Cel),
            may("read", Kind::Cel),
            may("write", Kind::Cel),
            may("create", Kind::Cel),
            may("update", Kind::Cel),
            may("delete", Kind::Cel),
            may("message", Kind::Text),
            later("call", Kind::Cel),
        ],
        doc: "Refuses what @access allows.",
    },
    DirectiveEntry {
        name: "rule",
        places: &[Place::Schema],
        repeatable: true,
        available: true,
        arguments: &[must("name", Kind::Text), must("expr", Kind::Cel), may("params", Kind::Names)],
        doc: "A named rule, called in other rules as name(…).",
    },
    DirectiveEntry {
        name: "user",
        places: &[Place::Object],
        repeatable: false,
        available: true,
        arguments: &[],
        doc: "One row per account; auth.user is the caller's.",
    },
    DirectiveEntry {
        name: "table",
        places: &[Place::Object],
        repeatable: false,
        available: true,
        arguments: &[
            may("name", Kind::Text),
            may("key", Kind::Names),
            later("store", Kind::Text),
            later("live", Kind::Flag),
            may("audit", Kind::Flag),
            may("softDelete", Kind::Flag),
            may("tenant", Kind::Text),
            may("view", Kind::Text),
            may("strict", Kind::Flag),
        ],
        doc: "How the type is stored, where it differs from the convention.",
    },
    DirectiveEntry {
        name: "embedded",
        places: &[Place::Object],
        repeatable: false,
        available: true,
        arguments: &[],
        doc: "A value stored as JSON inside its owner.",
    },
    DirectiveEntry {
        name: "relation",
        places: &[Place::Field],
        repeatable: false,
        available: true,
        arguments: &[
            may("field", Kind::Text),
            may("through", Kind::Text),
            may("onDelete", ON_DELETE),
            may("refer", Kind::Cel),
        ],
        doc: "The counterpart of a list, an explicit join type, what deleting does, who may refer.",
    },
    DirectiveEntry {
        name: "unique",
        places: &[Place::Object, Place::Field],
        repeatable: true,
        available: true,
        arguments: &[may("fields", Kind::Names), may("where", Kind::Cel)],
        doc: "No two rows have equal values; with `where`, no two of the rows that it holds for.",
    },
    DirectiveEntry {
        name: "index",
        places: &[Place::Object, Place::Field],
        repeatable: true,
        available: true,
        arguments: &[
            may("fields", Kind::Names),
            may("kind", INDEX_KINDS),
            may("where", Kind::Cel),
            later("metric", METRICS),
        ],
        doc: "An index; with `where`, of the rows that it holds for; of kind `FULLTEXT`, of the words of texts.",
    },
    DirectiveEntry {
        name: "default",
        places: &[Place::Field],
        repeatable: false,
        available: true,
        arguments: &[may("value", Kind::Literal), may("expr", Kind::Cel)],
        doc: "Used where the client names nothing.",
    },
    DirectiveEntry {
        name: "set",
        places: &[Place::Field],
        repeatable: false,
        available: true,
        arguments: &[may("create", Kind::Cel), may("update", Kind::Cel), may("always", Kind::Cel)],
        doc: "Set by the server, never accepted from clients.",
    },
    DirectiveEntry {
        name: "computed",
        places: &[Place::Field],
        repeatable: false,
        available: true,
        arguments: &[must("expr", Kind::Cel), may("sees", SEES), may("stored", Kind::Flag)],
        doc: "A value computed when it is read, or by the database when its row is written.",
    },
    DirectiveEntry {
        name: "valid",
        places: &[Place::Field],
        repeatable: false,
        available: true,
        arguments: &[
            may("min", Kind::Literal),
            may("max", Kind::Literal),
            may("minLength", Kind::Count),
            may("maxLength", Kind::Count),
            may("pattern", Kind::Text),
            may("format", FORMATS),
            may("message", Kind::Text),
        ],
        doc: "What values are valid.",
    },
    DirectiveEntry {
        name: "check",
        places: &[Place::Object],
        repeatable: true,
        available: true,
        arguments: &[must("expr", Kind::Cel), must("message", Kind::Text)],
        doc: "What must hold between the columns of a row.",
    },
    DirectiveEntry {
        name: "next",
        places: &[Place::EnumValue],
        repeatable: false,
        available: true,
        arguments: &[must("to", Kind::Members)],
        doc: "The members that may follow this one.",
    },
    DirectiveEntry {
        name: "file",
        places: &[Place::Field],
        repeatable: false,
        available: false,
        arguments: &[
            may("bucket", Kind::Text),
            may("maxSize", Kind::Text),
            may("accept", Kind::Names),
            may("public", Kind::Flag),
        ],
        doc: "A stored file that the rules of the row govern.",
    },
    DirectiveEntry {
        name: "column",
        places: &[Place::Field],
        repeatable: false,
        available: true,
        arguments: &[
            may("name", Kind::Text),
            may("digits", Kind::Count),
            may("scale", Kind::Count),
            later("type", Kind::Text),
            later("dims", Kind::Count),
        ],
        doc: "Physical details of a column.",
    },
    DirectiveEntry {
        name: "was",
        places: &[Place::Object, Place::Field, Place::EnumValue],
        repeatable: true,
        available: true,
        arguments: &[must("name", Kind::Text)],
        doc: "The earlier name, for the next migration.",
    },
    DirectiveEntry {
        name: "on",
        places: &[Place::Object],
        repeatable: true,
        available: false,
        arguments: &[
            must("event", EVENTS),
            may("when", Kind::Cel),
            may("run", Kind::Text),
            may("post", Kind::Text),
        ],
        doc: "Runs a function or calls a webhook after a change.",
    },
    DirectiveEntry {
        name: "limit",
        places: &[Place::Object, Place::Field],
        repeatable: true,
        available: true,
        arguments: &[must("rate", Kind::Text), may("by", Kind::Cel), may("on", OPERATIONS)],
        doc: "How many rows a caller may read or write in a time; more is answered with 429.",
    },
    DirectiveEntry {
        name: "collate",
        places: &[Place::Field],
        repeatable: false,
        available: false,
        arguments: &[must("name", Kind::Text)],
        doc: "How text is ordered and compared.",
    },
    DirectiveEntry {
        name: "deprecated",
        places: &[Place::Field, Place::EnumValue],
        repeatable: false,
        available: true,
        arguments: &[may("reason", Kind::Text)],
        doc: "Clients should stop using this.",
    },
];

/// The entry of a directive.
#[must_use]
pub fn find(name: &str) -> Option<&'static DirectiveEntry> {
    DIRECTIVES.iter().find(|entry| entry.name == name)
}

impl DirectiveEntry {
    /// The entry of an argument.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&'static ArgumentEntry> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

/// The definitions of all scalars and directives, for editors.
#[must_use]
pub fn directives_sdl() -> String {
    let mut out = String::from(
        "# The schema language: scalars and directives. Generated; changes are overwritten.\n\n\
         \"An expression of the Common Expression Language.\"\nscalar _BackstayCEL\n\n\
         \"A literal of the field's type.\"\nscalar _BackstayLiteral\n\n",
    );
    for scalar in SCALARS {
        if !matches!(scalar.name, "ID" | "Int" | "Float" | "Boolean" | "String") {
            out.push_str(&format!("\"{}\"\nscalar {}\n\n", scalar.doc, scalar.name));
        }
    }
    let mut named: Vec<&str> = Vec::new();
    for argument in DIRECTIVES.iter().flat_map(|entry| entry.arguments) {
        if let Kind::Word(name, words, _) | Kind::Words(name, words) = argument.kind
            && !named.contains(&name)
        {
            named.push(name);
            out.push_str(&format!("enum {name} {{\n  {}\n}}\n\n", words.join("\n  ")));
        }
    }
    for entry in DIRECTIVES.iter().filter(|entry| entry.name != "deprecated") {
        out.push_str(&definition(entry));
    }
    out
}

fn definition(entry: &DirectiveEntry) -> String {
    let soon = if entry.available { "" } else { " Not available yet." };
    let mut out = format!("\"{}{soon}\"\ndirective @{}", entry.doc, entry.name);
    let arguments: Vec<String> = entry
        .arguments
        .iter()
        .map(|argument| {
            let bang = if argument.required { "!" } else { "" };
            format!("{}: {}{bang}", argument.name, type_name(argument.kind))
        })
        .collect();
    if !arguments.is_empty() {
        out.push_str(&format!("({})", arguments.join(", ")));
    }
    let places: Vec<&str> = entry
        .places
        .iter()
        .map(|place| match place {
            Place::Schema => "SCHEMA",
            Place::Object => "OBJECT",
            Place::Field => "FIELD_DEFINITION",
            Place::Enum => "ENUM",
            Place::EnumValue => "ENUM_VALUE",
        })
        .collect();
    let repeatable = if entry.repeatable { " repeatable" } else { "" };
    out.push_str(&format!("{repeatable} on {}\n\n", places.join(" | ")));
    out
}

fn type_name(kind: Kind) -> String {
    match kind {
        Kind::Cel => "_BackstayCEL".to_owned(),
        Kind::Text => "String".to_owned(),
        Kind::Flag => "Boolean".to_owned(),
        Kind::Count => "Int".to_owned(),
        Kind::Literal => "_BackstayLiteral".to_owned(),
        Kind::Names => "[String!]".to_owned(),
        Kind::Members => "[_BackstayLiteral!]".to_owned(),
        Kind::Word(name, ..) => name.to_owned(),
        Kind::Words(name, _) => format!("[{name}!]"),
    }
}
