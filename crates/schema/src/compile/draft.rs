//! What the SDL says, before names mean anything: types, fields, enums and directive
//! applications with their places. Arguments are of the kind that the directive table
//! declares; whatever was not is reported and left out.

use crate::catalog::Span;
use crate::compile::Owner;
use crate::compile::literal::Literal;
use apollo_compiler::Node;
use apollo_compiler::ast;

/// The whole schema as written.
#[derive(Debug, Default)]
pub struct Draft {
    /// Types in order of declaration.
    pub types: Vec<TypeDraft>,
    /// Enums in order of declaration.
    pub enums: Vec<EnumDraft>,
    /// `@rule` of `extend schema`.
    pub rules: Vec<Application>,
}

/// A type as written.
#[derive(Debug)]
pub struct TypeDraft {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// Place of the name.
    pub span: Span,
    /// Documentation.
    pub doc: Option<String>,
    /// Its directives.
    pub directives: Vec<Application>,
    /// Its fields.
    pub fields: Vec<FieldDraft>,
}

/// A field as written.
#[derive(Debug)]
pub struct FieldDraft {
    /// Its name.
    pub name: String,
    /// Place of the name.
    pub span: Span,
    /// Documentation.
    pub doc: Option<String>,
    /// Name of its type.
    pub ty: String,
    /// Place of the type.
    pub ty_span: Span,
    /// `[T!]!`.
    pub list: bool,
    /// Whether an element of the list may be null: `[String]`.
    pub nulls: bool,
    /// `T!`.
    pub required: bool,
    /// Its directives.
    pub directives: Vec<Application>,
}

/// An enum as written.
#[derive(Debug)]
pub struct EnumDraft {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// Place of the name.
    pub span: Span,
    /// Documentation.
    pub doc: Option<String>,
    /// Its members.
    pub members: Vec<MemberDraft>,
}

/// A member of an enum as written.
#[derive(Debug)]
pub struct MemberDraft {
    /// Its name.
    pub name: String,
    /// Place of the name.
    pub span: Span,
    /// Documentation.
    pub doc: Option<String>,
    /// Its directives.
    pub directives: Vec<Application>,
}

/// A directive with its arguments.
#[derive(Debug, Clone)]
pub struct Application {
    /// Name without `@`.
    pub name: String,
    /// The whole of it.
    pub span: Span,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// Whether none was left out because of a mistake in it.
    pub complete: bool,
}

/// An argument of a directive.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Place of the value.
    pub span: Span,
    /// Its value.
    pub value: Given,
}

/// The value of an argument, by the kind that the directive table declares.
#[derive(Debug, Clone)]
pub enum Given {
    /// A CEL expression or text.
    Text(Literal),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Count(u64),
    /// A literal.
    Literal(Node<ast::Value>),
    /// Names or members with their places.
    Names(Vec<(String, Span)>),
    /// A word of a list.
    Word(String),
}

/// What `@deprecated` says when it gives no reason, by the specification.
const NO_REASON: &str = "No longer supported";

/// The reason of `@deprecated`.
#[must_use]
pub fn deprecated(directives: &[Application]) -> Option<String> {
    let reason = one(directives, "deprecated")?.text("reason");
    Some(reason.map_or(NO_REASON, |reason| reason.text.as_str()).to_owned())
}

impl Application {
    fn given(&self, name: &str) -> Option<&Given> {
        self.arguments.iter().find(|argument| argument.name == name).map(|argument| &argument.value)
    }

    /// Place of an argument's value, else of the directive.
    #[must_use]
    pub fn span_of(&self, name: &str) -> Span {
        self.arguments
            .iter()
            .find(|argument| argument.name == name)
            .map_or(self.span, |argument| argument.span)
    }

    /// A CEL expression or text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&Literal> {
        match self.given(name)? {
            Given::Text(literal) => Some(literal),
            Given::Flag(_) | Given::Count(_) | Given::Literal(_) | Given::Names(_) | Given::Word(_) => None,
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.given(name)? {
            Given::Flag(flag) => Some(*flag),
            Given::Text(_) | Given::Count(_) | Given::Literal(_) | Given::Names(_) | Given::Word(_) => None,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        match self.given(name)? {
            Given::Count(count) => Some(*count),
            Given::Text(_) | Given::Flag(_) | Given::Literal(_) | Given::Names(_) | Given::Word(_) => None,
        }
    }

    /// A literal.
    #[must_use]
    pub fn literal(&self, name: &str) -> Option<&Node<ast::Value>> {
        match self.given(name)? {
            Given::Literal(value) => Some(value),
            Given::Text(_) | Given::Flag(_) | Given::Count(_) | Given::Names(_) | Given::Word(_) => None,
        }
    }

    /// A list of names.
    #[must_use]
    pub fn names(&self, name: &str) -> Option<&[(String, Span)]> {
        match self.given(name)? {
            Given::Names(names) => Some(names),
            Given::Text(_) | Given::Flag(_) | Given::Count(_) | Given::Literal(_) | Given::Word(_) => None,
        }
    }

    /// A word.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.given(name)? {
            Given::Word(word) => Some(word),
            Given::Text(_) | Given::Flag(_) | Given::Count(_) | Given::Literal(_) | Given::Names(_) => None,
        }
    }
}

/// The one application of a directive.
#[must_use]
pub fn one<'a>(directives: &'a [Application], name: &str) -> Option<&'a Application> {
    directives.iter().find(|directive| directive.name == name)
}

/// Every application of a directive.
pub fn every<'a>(directives: &'a [Application], name: &'a str) -> impl Iterator<Item = &'a Application> {
    directives.iter().filter(move |directive| directive.name == name)
}
