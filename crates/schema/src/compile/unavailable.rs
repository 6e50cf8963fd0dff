//! table: parts of the language that editors know and that have no effect yet, and what to do instead. Whoever writes
//! one is told here, with its place: nothing is accepted that does nothing.

use crate::catalog::Span;
use crate::diagnostic::{Diagnostics, codes};

const CALLS: &str = "there are no functions yet: rules are for read, create, update and delete";

/// Each part as it is written, and what to do without it.
const INSTEAD: &[(&str, &str)] = &[
    ("@access(call:)", CALLS),
    ("@deny(call:)", CALLS),
    ("@limit(on: [CALL])", "there are no functions yet: READ, CREATE, UPDATE and DELETE are counted"),
    ("@table(store:)", "all types are kept in the database of `[store.default]`"),
    ("@table(live:)", "nothing tells clients of changes yet: they ask again"),
    ("@index(kind: HASH)", "leave out `kind`: an index as it is finds equal values, too"),
    ("@index(kind: VECTOR)", "there are no fields of vectors yet"),
    (
        "@index(kind: GIN)",
        "`cs`, `cd` and `ov` work without an index; index a field of its own for what is asked often",
    ),
    ("@index(kind: GEO)", "keep latitude and longitude as two fields and index both"),
    ("@index(metric:)", "it is for indexes of vectors, which there are none of yet"),
    ("@column(type:)", "the type follows from the field, so that every engine answers the same"),
    ("@column(dims:)", "there are no fields of vectors yet"),
    (
        "@collate",
        "texts are compared byte by byte on every engine; for words without case there are `fts` and `ilike`",
    ),
    ("@file", "keep the address of the file in a field of the type `String`"),
    ("@on", "there are no functions yet that could be run"),
];

/// Reports a part that has no effect yet.
pub(super) fn report(diagnostics: &mut Diagnostics, span: Span, part: &str) {
    let message = format!("`{part}` is not available yet");
    match instead(part) {
        Some(instead) => diagnostics.report_with_help(codes::UNAVAILABLE, span, message, instead),
        None => diagnostics.report(codes::UNAVAILABLE, span, message),
    }
}

fn instead(part: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(known, _)| *known == part).map(|(_, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use super::instead;
    use crate::compile::directive::{DIRECTIVES, Kind};

    #[test]
    fn whatever_is_not_available_has_something_instead() {
        let mut missing = Vec::new();
        for directive in DIRECTIVES {
            let name = directive.name;
            let mut parts: Vec<String> = Vec::new();
            if !directive.available {
                parts.push(format!("@{name}"));
            } else {
                for argument in directive.arguments {
                    if !argument.available {
                        parts.push(format!("@{name}({}:)", argument.name));
                    } else if let Kind::Word(_, words, available) = argument.kind {
                        parts.extend(
                            words[available..]
                                .iter()
                                .map(|word| format!("@{name}({}: {word})", argument.name)),
                        );
                    }
                }
            }
            missing.extend(parts.into_iter().filter(|part| instead(part).is_none()));
        }
        assert_eq!(missing, Vec::<String>::new());
    }
}
