//! Names of types, enums and fields, made of those of a database.

use backstay_schema::name::{pascal_case, snake_case};
use backstay_schema::scalar::SCALARS;

/// Names of types and enums that are given away.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// A name for the type of a table.
    pub(super) fn of_type(&mut self, table: &str) -> String {
        self.free(&pascal_case(&field(table)))
    }

    /// A name that nobody has: a number is appended until it is free.
    pub(super) fn free(&mut self, wanted: &str) -> String {
        let taken = |name: &str, known: &[String]| {
            let reserved = ["Query", "Mutation", "Subscription"];
            reserved.contains(&name)
                || SCALARS.iter().any(|scalar| scalar.name == name)
                || known.iter().any(|known| known == name)
        };
        let mut name = wanted.to_owned();
        for number in 2_u32.. {
            if !taken(&name, &self.0) {
                break;
            }
            name = format!("{wanted}{number}");
        }
        self.0.push(name.clone());
        name
    }
}

/// `ArtistId` → `artist_id`; whatever a name may not hold becomes `_`.
pub(super) fn field(column: &str) -> String {
    let plain: String =
        column.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let snake = snake_case(&plain);
    let name = snake.trim_matches('_');
    match name.chars().next() {
        None => "column".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) => name.to_owned(),
    }
}

/// `category` → `categories`, for the list of a type's rows.
pub(super) fn plural(name: &str) -> String {
    let consonant = |c: Option<char>| c.is_some_and(|c| !"aeiou".contains(c));
    if let Some(stem) = name.strip_suffix('y')
        && consonant(stem.chars().last())
    {
        return format!("{stem}ies");
    }
    if name.ends_with('s') && !name.ends_with("ss") && !name.ends_with("us") {
        return name.to_owned();
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| name.ends_with(end));
    format!("{name}{}", if hisses { "es" } else { "s" })
}

/// Whether a text can be a member of an enum.
pub(super) fn is_member(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !["true", "false", "null"].contains(&text)
        && text.len() <= 63
}
