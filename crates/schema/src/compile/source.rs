//! SDL text → [`Draft`]: parsing, merging of files and extensions, definitions that
//! have no meaning here, and the GraphQL specification's own validation.

use crate::catalog::Span;
use crate::compile::directive::{self, Place, directives_sdl};
use crate::compile::draft::{Application, Draft, EnumDraft, FieldDraft, MemberDraft, TypeDraft};
use crate::compile::usage::Usage;
use crate::compile::{Owner, SourceFile};
use crate::diagnostic::{Diagnostics, codes};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::{FileId, Parser, SourceSpan};
use apollo_compiler::schema::SchemaBuilder;
use apollo_compiler::validation::DiagnosticList;
use apollo_compiler::{Name, Node, Schema, ast};

/// Largest schema file, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;
/// Most tokens of a schema file.
const MAX_FILE_TOKENS: usize = 200_000;
/// Deepest nesting that the SDL parser follows.
const MAX_NESTING: usize = 64;

/// The parser's names of tokens, and what a person types.
const TOKENS: [(&str, &str); 10] = [
    ("R_CURLY", "`}`"),
    ("L_CURLY", "`{`"),
    ("R_PAREN", "`)`"),
    ("L_PAREN", "`(`"),
    ("R_BRACK", "`]`"),
    ("L_BRACK", "`[`"),
    ("COLON", "`:`"),
    ("StringValue", "a string"),
    ("OperationDefinition", "a definition"),
    ("EOF", "the end of the file"),
];

/// What GraphQL itself has to say, asked when nothing else is wrong.
pub struct Validation {
    builder: SchemaBuilder,
    documents: Vec<(FileId, u16)>,
}

/// Reads all files into one draft.
pub fn read(files: &[SourceFile], diagnostics: &mut Diagnostics) -> (Draft, Validation) {
    let mut reader = Reader {
        files,
        file: 0,
        owner: Owner::Project,
        draft: Draft::default(),
        extensions: Vec::new(),
        diagnostics,
    };
    let mut documents: Vec<(FileId, u16)> = Vec::new();
    let mut builder = Schema::builder().adopt_orphan_extensions();
    Parser::new().parse_into_schema_builder(directives_sdl(), "directives.graphql", &mut builder);
    for (index, file) in files.iter().enumerate() {
        let Ok(number) = u16::try_from(index) else { break };
        reader.file = number;
        reader.owner = file.owner;
        if let Some(document) = reader.parse(file) {
            documents.extend(document.sources.keys().map(|id| (*id, number)));
            builder = builder.add_ast(&document);
            for definition in &document.definitions {
                reader.definition(definition);
            }
        }
    }
    reader.merge_extensions();
    (reader.draft, Validation { builder, documents })
}

/// The validation of the GraphQL specification, for what our own checks do not name better.
pub fn validate(Validation { builder, documents }: Validation, diagnostics: &mut Diagnostics) {
    let errors = match builder.build().map_err(|failed| failed.errors).map(Schema::validate) {
        Ok(Ok(_)) => return,
        Ok(Err(failed)) => failed.errors,
        Err(errors) => errors,
    };
    for found in errors.iter() {
        // a schema here has no query root: it is data, not an API
        if found.error.unstable_error_name() == Some("QueryRootOperationType") {
            continue;
        }
        let place = found.error.location();
        let file = place.and_then(|at| documents.iter().find(|(id, _)| *id == at.file_id()));
        let span = place.zip(file).map_or_else(Span::default, |(at, (_, file))| to_span(at, *file));
        diagnostics.report(codes::VALIDATION, span, found.error.to_string());
    }
}

pub(super) fn to_span(place: SourceSpan, file: u16) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: offset(place.offset()), end: offset(place.end_offset()) }
}

struct Reader<'a> {
    files: &'a [SourceFile],
    file: u16,
    owner: Owner,
    draft: Draft,
    extensions: Vec<(String, Span, Vec<Application>, Vec<FieldDraft>)>,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn parse(&mut self, file: &SourceFile) -> Option<ast::Document> {
        if file.text.len() > MAX_FILE_BYTES {
            let span = Span { file: self.file, start: 0, end: 0 };
            let message = format!("the file has more than {MAX_FILE_BYTES} bytes");
            self.diagnostics.report(codes::TOO_LARGE, span, message);
            return None;
        }
        let mut parser = Parser::new().recursion_limit(MAX_NESTING).token_limit(MAX_FILE_TOKENS);
        match parser.parse_ast(file.text.as_str(), file.name.as_str()) {
            Ok(document) => Some(document),
            Err(failed) => {
                self.syntax_error(&failed.errors);
                None
            }
        }
    }

    /// The first mistake of a file; what follows it is guesswork.
    fn syntax_error(&mut self, errors: &DiagnosticList) {
        let Some(found) = errors.iter().next() else { return };
        let start = Span { file: self.file, start: 0, end: 0 };
        let span = found.error.location().map_or(start, |at| to_span(at, self.file));
        let text = found.error.to_string();
        let mut message =
            text.strip_prefix("syntax error: ").unwrap_or(&text).trim_end_matches('.').to_owned();
        for (token, symbol) in TOKENS {
            message = message.replace(token, symbol);
        }
        self.diagnostics.report(codes::SYNTAX, span, message);
    }

    fn name_span(&self, name: &Name) -> Span {
        name.location().map_or(Span { file: self.file, start: 0, end: 0 }, |at| to_span(at, self.file))
    }

    fn node_span<T>(&self, node: &Node<T>) -> Span {
        node.location().map_or(Span { file: self.file, start: 0, end: 0 }, |at| to_span(at, self.file))
    }

    fn directives(&mut self, list: &ast::DirectiveList, place: Place) -> Vec<Application> {
        let source = self.files.get(usize::from(self.file)).map_or("", |file| file.text.as_str());
        Usage { source, file: self.file, diagnostics: self.diagnostics }.read(list, place)
    }

    fn definition(&mut self, definition: &ast::Definition) {
        use ast::Definition as D;
        match definition {
            D::ObjectTypeDefinition(node) => self.object(node),
            D::ObjectTypeExtension(node) => {
                let span = self.name_span(&node.name);
                if self.refuse_root(&node.name, span) {
                    return;
                }
                let directives = self.directives(&node.directives, Place::Object);
                let fields = node.fields.iter().map(|field| self.field(field)).collect();
                self.extensions.push((node.name.to_string(), span, directives, fields));
            }
            D::EnumTypeDefinition(node) => self.enumeration(node),
            D::SchemaExtension(node) => {
                let span = self.node_span(node);
                self.schema(&node.directives, !node.root_operations.is_empty(), span);
            }
            D::SchemaDefinition(node) => {
                let span = self.node_span(node);
                self.schema(&node.directives, !node.root_operations.is_empty(), span);
            }
            D::DirectiveDefinition(node) => self.refuse("directive definitions", self.node_span(node)),
            D::ScalarTypeDefinition(node) => self.refuse("scalar definitions", self.node_span(node)),
            D::InterfaceTypeDefinition(node) => self.refuse("interfaces", self.node_span(node)),
            D::UnionTypeDefinition(node) => self.refuse("unions", self.node_span(node)),
            D::InputObjectTypeDefinition(node) => self.refuse("input types", self.node_span(node)),
            D::ScalarTypeExtension(node) => self.refuse("scalar extensions", self.node_span(node)),
            D::InterfaceTypeExtension(node) => self.refuse("interfaces", self.node_span(node)),
            D::UnionTypeExtension(node) => self.refuse("unions", self.node_span(node)),
            D::EnumTypeExtension(node) => self.refuse("enum extensions", self.node_span(node)),
            D::InputObjectTypeExtension(node) => self.refuse("input types", self.node_span(node)),
            D::OperationDefinition(node) => self.refuse("operations", self.node_span(node)),
            D::FragmentDefinition(node) => self.refuse("fragments", self.node_span(node)),
        }
    }

    fn refuse(&mut self, what: &str, span: Span) {
        self.diagnostics.report_with_help(
            codes::UNSUPPORTED_DEFINITION,
            span,
            format!("{what} are not part of the schema language"),
            "a schema consists of types, enums and `extend schema` with rules",
        );
    }

    fn refuse_root(&mut self, name: &str, span: Span) -> bool {
        let root = matches!(name, "Query" | "Mutation" | "Subscription");
        if root {
            let message = format!("functions (`type {name}`) are not available yet");
            self.diagnostics.report(codes::UNAVAILABLE, span, message);
        }
        root
    }

    fn schema(&mut self, directives: &ast::DirectiveList, roots: bool, span: Span) {
        if roots {
            self.diagnostics.report(codes::UNAVAILABLE, span, "root operations are not available yet");
        }
        let rules = self.directives(directives, Place::Schema);
        self.draft.rules.extend(rules);
    }

    fn object(&mut self, node: &Node<ast::ObjectTypeDefinition>) {
        let span = self.name_span(&node.name);
        if self.refuse_root(&node.name, span) {
            return;
        }
        if let Some(interface) = node.implements_interfaces.first() {
            self.refuse("interfaces", self.name_span(interface));
        }
        let ty = TypeDraft {
            name: node.name.to_string(),
            owner: self.owner,
            span,
            doc: node.description.as_ref().map(ToString::to_string),
            directives: self.directives(&node.directives, Place::Object),
            fields: node.fields.iter().map(|field| self.field(field)).collect(),
        };
        self.draft.types.push(ty);
    }

    fn field(&mut self, node: &Node<ast::FieldDefinition>) -> FieldDraft {
        if let Some(argument) = node.arguments.first() {
            let message = format!(
                "field \"{}\" takes arguments; only functions do, and they are not available yet",
                node.name
            );
            self.diagnostics.report(codes::UNAVAILABLE, self.node_span(argument), message);
        }
        let named = node.ty.inner_named_type();
        let nested = node.ty.is_list() && node.ty.item_type().is_list();
        if nested {
            let message = format!("field \"{}\" is a list of lists, which no table can hold", node.name);
            self.diagnostics.report(codes::UNFIT_DIRECTIVE, self.name_span(named), message);
        }
        FieldDraft {
            name: node.name.to_string(),
            span: self.name_span(&node.name),
            doc: node.description.as_ref().map(ToString::to_string),
            ty: named.to_string(),
            ty_span: self.name_span(named),
            list: node.ty.is_list(),
            nulls: node.ty.is_list() && !node.ty.item_type().is_non_null(),
            required: node.ty.is_non_null(),
            directives: self.directives(&node.directives, Place::Field),
        }
    }

    fn enumeration(&mut self, node: &Node<ast::EnumTypeDefinition>) {
        let _ = self.directives(&node.directives, Place::Enum);
        let members = node
            .values
            .iter()
            .map(|member| MemberDraft {
                name: member.value.to_string(),
                span: self.name_span(&member.value),
                doc: member.description.as_ref().map(ToString::to_string),
                directives: self.directives(&member.directives, Place::EnumValue),
            })
            .collect();
        self.draft.enums.push(EnumDraft {
            name: node.name.to_string(),
            owner: self.owner,
            span: self.name_span(&node.name),
            doc: node.description.as_ref().map(ToString::to_string),
            members,
        });
    }

    fn merge_extensions(&mut self) {
        for (name, span, directives, fields) in std::mem::take(&mut self.extensions) {
            match self.draft.types.iter_mut().find(|ty| ty.name == name) {
                Some(ty) => {
                    for directive in &directives {
                        let repeatable =
                            directive::find(&directive.name).is_some_and(|entry| entry.repeatable);
                        if !repeatable && ty.directives.iter().any(|earlier| earlier.name == directive.name) {
                            let message = format!("`@{}` may stand on \"{name}\" only once", directive.name);
                            self.diagnostics.report(codes::MISPLACED_DIRECTIVE, directive.span, message);
                        }
                    }
                    ty.directives.extend(directives);
                    ty.fields.extend(fields);
                }
                None => {
                    let names = self.draft.types.iter().map(|ty| ty.name.as_str());
                    let near = backstay_base::suggest::nearest(&name, names)
                        .map(|near| format!("did you mean \"{near}\"?"));
                    let message = format!("there is no type \"{name}\" to extend");
                    match near {
                        Some(help) => {
                            self.diagnostics.report_with_help(codes::UNKNOWN_TYPE, span, message, help)
                        }
                        None => self.diagnostics.report(codes::UNKNOWN_TYPE, span, message),
                    }
                }
            }
        }
    }
}
