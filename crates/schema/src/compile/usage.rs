//! Directive applications against the directive table: known, in place, with
//! arguments of their kind, and available. What is not is reported and left out.

use crate::catalog::Span;
use crate::compile::directive::{self, ArgumentEntry, DIRECTIVES, DirectiveEntry, Kind, Place};
use crate::compile::draft::{Application, Argument, Given};
use crate::compile::literal::Literal;
use crate::compile::source::to_span;
use crate::compile::unavailable;
use crate::diagnostic::{Diagnostics, codes};
use apollo_compiler::{Node, ast};
use backstay_base::suggest;

/// Reads the directives of one file.
pub(super) struct Usage<'a> {
    /// Text of the file.
    pub source: &'a str,
    /// Its number.
    pub file: u16,
    /// Where mistakes go.
    pub diagnostics: &'a mut Diagnostics,
}

impl Usage<'_> {
    /// The directives that may be acted on.
    pub fn read(&mut self, list: &ast::DirectiveList, place: Place) -> Vec<Application> {
        let mut out: Vec<Application> = Vec::new();
        for node in &list.0 {
            if let Some(application) = self.one(node, place) {
                let repeated = out.iter().any(|earlier| earlier.name == application.name);
                let repeatable = directive::find(&application.name).is_some_and(|entry| entry.repeatable);
                if repeated && !repeatable {
                    let message = format!("`@{}` may stand here only once", application.name);
                    self.diagnostics.report(codes::MISPLACED_DIRECTIVE, application.span, message);
                } else {
                    out.push(application);
                }
            }
        }
        out
    }

    fn span<T: ?Sized>(&self, node: &Node<T>) -> Span {
        node.location().map_or(Span { file: self.file, start: 0, end: 0 }, |at| to_span(at, self.file))
    }

    fn one(&mut self, node: &Node<ast::Directive>, place: Place) -> Option<Application> {
        let span = self.span(node);
        let Some(entry) = directive::find(&node.name) else {
            let message = format!("there is no directive `@{}`", node.name);
            match suggest::nearest(&node.name, DIRECTIVES.iter().map(|entry| entry.name)) {
                Some(near) => {
                    let help = format!("did you mean `@{near}`?");
                    self.diagnostics.report_with_help(codes::UNKNOWN_DIRECTIVE, span, message, help);
                }
                None => self.diagnostics.report(codes::UNKNOWN_DIRECTIVE, span, message),
            }
            return None;
        };
        if !entry.places.contains(&place) {
            let message = format!("`@{}` does not belong on {}", entry.name, place_name(place));
            let places: Vec<&str> = entry.places.iter().map(|place| place_name(*place)).collect();
            let help = format!("it stands on {}", places.join(" or "));
            self.diagnostics.report_with_help(codes::MISPLACED_DIRECTIVE, span, message, help);
            return None;
        }
        if !entry.available {
            unavailable::report(self.diagnostics, span, &format!("@{}", entry.name));
            return None;
        }
        let mut arguments = Vec::new();
        for argument in &node.arguments {
            arguments.extend(self.argument(entry, argument));
        }
        let later = |name: &str| entry.argument(name).is_some_and(|known| !known.available);
        // a part of a constraint is another constraint
        if matches!(entry.name, "index" | "unique") && arguments.len() < node.arguments.len() {
            let unavailable = node.arguments.iter().any(|given| later(&given.name) || given.name == "kind");
            if unavailable {
                return None;
            }
        }
        for required in entry.arguments.iter().filter(|argument| argument.required) {
            if !node.arguments.iter().any(|given| given.name == required.name) {
                let message = format!("`@{}` needs the argument `{}`", entry.name, required.name);
                self.diagnostics.report(codes::MISSING_ARGUMENT, span, message);
                return None;
            }
        }
        let complete = arguments.len() == node.arguments.len();
        Some(Application { name: entry.name.to_owned(), span, arguments, complete })
    }

    fn argument(&mut self, entry: &DirectiveEntry, node: &Node<ast::Argument>) -> Option<Argument> {
        let span = self.span(&node.value);
        let Some(known) = entry.argument(&node.name) else {
            let message = format!("`@{}` has no argument `{}`", entry.name, node.name);
            let near = suggest::nearest(&node.name, entry.arguments.iter().map(|argument| argument.name));
            let help = near.map_or_else(|| arguments_of(entry), |near| format!("did you mean `{near}`?"));
            let span = self.span(node);
            self.diagnostics.report_with_help(codes::UNKNOWN_ARGUMENT, span, message, help);
            return None;
        };
        if !known.available {
            let span = self.span(node);
            unavailable::report(self.diagnostics, span, &format!("@{}({}:)", entry.name, known.name));
            return None;
        }
        let value = self.value(entry, known, &node.value)?;
        Some(Argument { name: known.name.to_owned(), span, value })
    }

    fn value(
        &mut self,
        entry: &DirectiveEntry,
        known: &ArgumentEntry,
        node: &Node<ast::Value>,
    ) -> Option<Given> {
        let span = self.span(node);
        let given = match (known.kind, &**node) {
            (Kind::Cel | Kind::Text, ast::Value::String(text)) => {
                Some(Given::Text(Literal::new(self.source, span, text)))
            }
            (Kind::Flag, ast::Value::Boolean(flag)) => Some(Given::Flag(*flag)),
            (Kind::Count, ast::Value::Int(number)) => number.as_str().parse().ok().map(Given::Count),
            (Kind::Literal, _) => Some(Given::Literal(node.clone())),
            (Kind::Names | Kind::Members, ast::Value::List(items)) => self.names(known.kind, items),
            (Kind::Words(_, words), ast::Value::List(items)) => self.words(words, items),
            (Kind::Words(_, words), ast::Value::Enum(_)) => self.words(words, std::slice::from_ref(node)),
            (Kind::Names, ast::Value::String(name)) => Some(Given::Names(vec![(name.clone(), span)])),
            (Kind::Word(_, words, available), ast::Value::Enum(word)) => {
                let found = words.iter().position(|known| *known == word.as_str());
                if let Some(index) = found.filter(|index| *index >= available) {
                    let word = words.get(index).copied().unwrap_or_default();
                    let part = format!("@{}({}: {word})", entry.name, known.name);
                    unavailable::report(self.diagnostics, span, &part);
                    return None;
                }
                found.map(|_| Given::Word(word.to_string()))
            }
            (Kind::Cel | Kind::Text | Kind::Flag | Kind::Count | Kind::Names | Kind::Members, _)
            | (Kind::Word(..) | Kind::Words(..), _) => None,
        };
        if given.is_none() {
            let message = format!("`@{}({}:)` takes {}", entry.name, known.name, kind_name(known.kind));
            self.diagnostics.report(codes::ARGUMENT_VALUE, span, message);
        }
        given
    }

    /// Members of a list of words; none where one is not of it, or there is none.
    fn words(&self, words: &[&str], items: &[Node<ast::Value>]) -> Option<Given> {
        let word = |item: &Node<ast::Value>| match &**item {
            ast::Value::Enum(word) if words.contains(&word.as_str()) => {
                Some((word.to_string(), self.span(item)))
            }
            _ => None,
        };
        let found: Option<Vec<_>> = items.iter().map(word).collect();
        found.filter(|found| !found.is_empty()).map(Given::Names)
    }

    fn names(&self, kind: Kind, items: &[Node<ast::Value>]) -> Option<Given> {
        let mut out = Vec::new();
        for item in items {
            match (&**item, kind) {
                (ast::Value::Enum(name), _) => out.push((name.to_string(), self.span(item))),
                // editors that do not know the members may leave them quoted
                (ast::Value::String(name), _) => out.push((name.clone(), self.span(item))),
                _ => return None,
            }
        }
        Some(Given::Names(out))
    }
}

const fn place_name(place: Place) -> &'static str {
    match place {
        Place::Schema => "`extend schema`",
        Place::Object => "a type",
        Place::Field => "a field",
        Place::Enum => "an enum",
        Place::EnumValue => "a member of an enum",
    }
}

fn arguments_of(entry: &DirectiveEntry) -> String {
    let names: Vec<&str> = entry.arguments.iter().map(|argument| argument.name).collect();
    if names.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", names.join(", ")) }
}

fn kind_name(kind: Kind) -> String {
    match kind {
        Kind::Cel => "a CEL expression in quotes".to_owned(),
        Kind::Text => "a text in quotes".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Count => "a whole number that is not negative".to_owned(),
        Kind::Literal => "a literal".to_owned(),
        Kind::Names => "a list of names in quotes".to_owned(),
        Kind::Members => "a list of members, without quotes".to_owned(),
        Kind::Word(_, words, _) => format!("one of {}", words.join(", ")),
        Kind::Words(_, words) => format!("a list of {}", words.join(", ")),
    }
}
