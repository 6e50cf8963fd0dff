//! [`Draft`] → tables, columns, relations and constraints: the shape of the catalog.
//! Rules come afterwards, when every name has its id.

use crate::catalog::{
    Access, Catalog, ColumnId, ComputedId, EmbeddedId, EnumId, Fill, Member, Origin, RelationId, Span, Table,
    TableId,
};
use crate::compile::Owner;
use crate::compile::draft::{Draft, FieldDraft, TypeDraft, every, one};
use crate::compile::implied::tenant;
use crate::compile::key::KeyPart;
use crate::compile::relation::Plan;
use crate::diagnostic::codes::Code;
use crate::diagnostic::{Diagnostics, codes};
use crate::expr::{AuthField, Expr, ExprKind, Ty};
use crate::name::{MAX_IDENTIFIER_BYTES, object_name, snake_case};
use crate::scalar::SCALARS;
use backstay_base::suggest;
use std::collections::{HashMap, HashSet};

/// Most tables of one schema, junctions included.
pub const MAX_TABLES: usize = 1_000;
/// Most fields of one type.
pub const MAX_FIELDS: usize = 500;

/// The shape of a schema, and where each field of the draft went.
pub(super) struct Built {
    /// Tables without rules.
    pub catalog: Catalog,
    /// Table of each type of the draft.
    pub tables: Vec<Option<TableId>>,
    /// Per type of the draft, where each field went.
    pub placed: Vec<Vec<Placed>>,
}

/// Where a field went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placed {
    /// A stored column.
    Column(ColumnId),
    /// A to-one relation with its columns here.
    Reference(RelationId, Vec<ColumnId>),
    /// A list, or the single reverse of a unique reference.
    Far(RelationId),
    /// A computed field.
    Computed(ComputedId),
    /// A computed field that the database keeps.
    Stored(ColumnId, ComputedId),
    /// Nowhere; reported.
    Dropped,
}

/// What a type name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A type, by its place in the draft.
    Type(usize),
    /// An enum.
    Enum(EnumId),
    /// An `@embedded` type.
    Embedded(EmbeddedId),
}

/// The state of building.
pub(super) struct Builder<'a> {
    pub draft: &'a Draft,
    pub diagnostics: &'a mut Diagnostics,
    pub catalog: Catalog,
    pub names: HashMap<String, Named>,
    pub tables: Vec<Option<TableId>>,
    pub keys: Vec<Option<Vec<KeyPart>>>,
    pub plans: Vec<Vec<Plan>>,
    pub placed: Vec<Vec<Placed>>,
    /// Names of tables, keys and indexes: databases keep them in one space.
    pub index_names: HashSet<String>,
}

/// Builds the shape.
pub(super) fn build(draft: &Draft, diagnostics: &mut Diagnostics) -> Built {
    let mut builder = Builder {
        draft,
        diagnostics,
        catalog: Catalog::default(),
        names: HashMap::new(),
        tables: vec![None; draft.types.len()],
        keys: vec![None; draft.types.len()],
        plans: Vec::new(),
        placed: Vec::new(),
        index_names: HashSet::new(),
    };
    builder.enums();
    builder.register_types();
    builder.embedded_members();
    builder.resolve_keys();
    builder.plan_relations();
    builder.fill_tables();
    for table in &mut builder.catalog.tables {
        let soft = table.columns.iter().find(|column| column.fill == Fill::DeletedAt);
        table.soft_delete = soft.map(|column| column.id);
    }
    builder.extras();
    builder.tenants();
    // junctions take the earlier names of their ends over
    builder.marks();
    builder.junctions();
    builder.far_sides();
    builder.constraints();
    builder.audits();
    Built { catalog: builder.catalog, tables: builder.tables, placed: builder.placed }
}

impl<'a> Builder<'a> {
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics.report(code, span, message);
    }

    pub fn error_with_help(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.report_with_help(code, span, message, help);
    }

    pub fn type_at(&self, index: usize) -> Option<&'a TypeDraft> {
        self.draft.types.get(index)
    }

    pub fn field_at(&self, ty: usize, field: usize) -> Option<&'a FieldDraft> {
        self.draft.types.get(ty)?.fields.get(field)
    }

    pub fn table_of(&mut self, ty: usize) -> Option<&mut Table> {
        let id = (*self.tables.get(ty)?)?;
        self.catalog.tables.get_mut(usize::from(id.0))
    }

    /// Reports names that only Backstay or a database may use. Says whether it was one.
    pub fn refuse_reserved(&mut self, name: &str, owner: Owner, span: Span) -> bool {
        let lower = name.to_ascii_lowercase();
        let own = lower.starts_with("_backstay") || lower.starts_with("_backstay_");
        let database = lower.starts_with("sqlite_") || lower.starts_with("pg_") || lower.starts_with("__");
        let refused = (own && owner == Owner::Project) || database;
        if refused {
            self.error(codes::RESERVED_NAME, span, format!("the name \"{name}\" is reserved"));
        }
        refused
    }

    fn register_types(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            if self.refuse_reserved(&ty.name, ty.owner, ty.span) {
                continue;
            }
            if ty.owner == Owner::System && !ty.name.starts_with("_Backstay") {
                let message = format!("system type \"{}\" does not begin with _Backstay", ty.name);
                self.error(codes::RESERVED_NAME, ty.span, message);
                continue;
            }
            if SCALARS.iter().any(|scalar| scalar.name == ty.name) {
                self.error(codes::RESERVED_NAME, ty.span, format!("\"{}\" is a scalar", ty.name));
                continue;
            }
            if self.names.contains_key(&ty.name) {
                self.error(codes::DUPLICATE, ty.span, format!("\"{}\" is defined twice", ty.name));
                continue;
            }
            if ty.fields.len() > MAX_FIELDS || self.catalog.tables.len() >= MAX_TABLES {
                let message = format!(
                    "type \"{}\" passes the limit of {MAX_FIELDS} fields or {MAX_TABLES} tables",
                    ty.name
                );
                self.error(codes::TOO_LARGE, ty.span, message);
                continue;
            }
            if self.register_embedded(ty) {
                continue;
            }
            self.names.insert(ty.name.clone(), Named::Type(index));
            self.register_table(index, ty);
        }
    }

    fn register_table(&mut self, index: usize, ty: &TypeDraft) {
        let table = one(&ty.directives, "table");
        let view = table.and_then(|table| table.text("view"));
        let given = table.and_then(|table| table.text("name")).or(view);
        let name = given.map_or_else(|| snake_case(&ty.name), |name| name.text.clone());
        let span = given.map_or(ty.span, |name| name.span);
        if given.is_some() && !self.valid_identifier(&name, span) {
            return;
        }
        if ty.owner == Owner::System && !name.starts_with("_backstay_") {
            self.error(
                codes::RESERVED_NAME,
                span,
                format!("system table \"{name}\" does not begin with _backstay_"),
            );
        }
        if given.is_some() && self.refuse_reserved(&name, ty.owner, span) {
            return;
        }
        let origin = if ty.owner == Owner::System { Origin::System } else { Origin::Declared };
        let table = self.new_table(&ty.name, &name, origin, span);
        let Some(id) = table else { return };
        if let Some(slot) = self.tables.get_mut(index) {
            *slot = Some(id);
        }
        if let Some(table) = self.table_of(index) {
            table.doc.clone_from(&ty.doc);
            table.span = ty.span;
            table.is_view = view.is_some();
        }
    }

    /// Adds an empty table; none when the name is taken.
    pub fn new_table(&mut self, type_name: &str, name: &str, origin: Origin, span: Span) -> Option<TableId> {
        let taken = self.catalog.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
        if let Some(other) = taken {
            let message =
                format!("\"{type_name}\" and \"{}\" would both be table \"{name}\"", other.type_name);
            self.error_with_help(codes::COLLISION, span, message, "map one of them with `@table(name:)`");
            return None;
        }
        if self.catalog.tables.len() >= 2 * MAX_TABLES {
            self.error(codes::TOO_LARGE, span, format!("the schema has more than {} tables", 2 * MAX_TABLES));
            return None;
        }
        self.refuse_long(name, span);
        self.index_names
            .extend([name.to_ascii_lowercase(), object_name(name, "", "pkey").to_ascii_lowercase()]);
        let id = TableId(u16::try_from(self.catalog.tables.len()).ok()?);
        self.catalog.by_name.insert(name.to_owned(), id);
        self.catalog.tables.push(Table {
            id,
            type_name: type_name.to_owned(),
            name: name.to_owned(),
            doc: None,
            origin,
            columns: Vec::new(),
            relations: Vec::new(),
            computed: Vec::new(),
            key: Vec::new(),
            uniques: Vec::new(),
            indexes: Vec::new(),
            partials: Vec::new(),
            full_texts: Vec::new(),
            checks: Vec::new(),
            access: Access::default(),
            soft_delete: None,
            extras: None,
            tenant: None,
            is_view: false,
            audit: None,
            deletes_audited: false,
            limits: Vec::new(),
            was: None,
            span,
            members: HashMap::new(),
        });
        Some(id)
    }

    /// Names that a database would cut.
    pub fn refuse_long(&mut self, name: &str, span: Span) {
        if name.len() > MAX_IDENTIFIER_BYTES {
            let message = format!("the name \"{name}\" has more than {MAX_IDENTIFIER_BYTES} bytes");
            self.error(codes::TOO_LARGE, span, message);
        }
    }

    /// Whether a name mapped by hand can be an identifier of a database.
    pub fn valid_identifier(&mut self, name: &str, span: Span) -> bool {
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ' | '$'));
        let valid = letters
            && !name.is_empty()
            && name.len() <= crate::name::MAX_IDENTIFIER_BYTES
            && !name.starts_with(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '$'))
            && !name.ends_with(' ');
        if !valid {
            let message = format!("\"{name}\" cannot be the name of a table or column");
            self.error(codes::ARGUMENT_VALUE, span, message);
        }
        valid
    }

    /// The meaning of a field's type, reported when there is none.
    pub fn named(&mut self, owner: Owner, field: &FieldDraft) -> Option<Named> {
        let found = self.names.get(&field.ty).copied();
        let system = match found {
            Some(Named::Type(index)) => self.type_at(index).is_some_and(|ty| ty.owner == Owner::System),
            Some(Named::Enum(_) | Named::Embedded(_)) => field.ty.starts_with("_Backstay"),
            None => false,
        };
        if found.is_some() && !(system && owner == Owner::Project) {
            return found;
        }
        let mut known: Vec<&str> = self
            .names
            .keys()
            .map(String::as_str)
            .chain(SCALARS.iter().map(|scalar| scalar.name))
            .filter(|name| !name.starts_with('_'))
            .collect();
        known.sort_unstable();
        let message = format!("there is no type \"{}\"", field.ty);
        match suggest::nearest(&field.ty, known) {
            Some(near) => {
                let help = format!("did you mean \"{near}\"?");
                self.error_with_help(codes::UNKNOWN_TYPE, field.ty_span, message, help);
            }
            None => self.error(codes::UNKNOWN_TYPE, field.ty_span, message),
        }
        None
    }

    /// Gives a name its meaning on a table; reports a second meaning.
    pub fn add_member(&mut self, ty: usize, name: &str, member: Member, span: Span) -> bool {
        let Some(table) = self.table_of(ty) else { return false };
        let type_name = table.type_name.clone();
        let taken = table.members.keys().any(|other| other.eq_ignore_ascii_case(name));
        if !taken {
            table.members.insert(name.to_owned(), member);
            return true;
        }
        let message = format!("\"{name}\" would name two things on type \"{type_name}\"");
        let help = "a reference `seller` also has the column `seller_id`; rename one of the two";
        self.error_with_help(codes::COLLISION, span, message, help);
        false
    }

    /// The columns of `@table(tenant:)`; the server sets them to `auth.org`.
    fn tenants(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            let Some(name) = tenant(ty) else { continue };
            let position = ty.fields.iter().position(|field| field.name == name.text);
            let Some((position, field)) = position.and_then(|at| Some((at, ty.fields.get(at)?))) else {
                continue;
            };
            let columns = match self.placed.get(index).and_then(|placed| placed.get(position)) {
                Some(Placed::Column(id) | Placed::Stored(id, _)) => vec![*id],
                Some(Placed::Reference(_, columns)) => columns.clone(),
                Some(Placed::Dropped) => continue,
                Some(Placed::Far(_) | Placed::Computed(_)) | None => Vec::new(),
            };
            let given = field.directives.iter().any(|d| matches!(d.name.as_str(), "set" | "default"));
            let ([column], true, false) = (columns.as_slice(), field.required, given) else {
                let message = format!("\"{}\" cannot be the tenant of \"{}\"", name.text, ty.name);
                let help = "it is required, is stored in one column, and is set by the server";
                self.error_with_help(codes::TENANT, name.span, message, help);
                continue;
            };
            let span = name.span;
            let Some(table) = self.table_of(index) else { continue };
            table.tenant = Some(*column);
            if let Some(column) = table.columns.get_mut(usize::from(column.0)) {
                let kind = ExprKind::Auth(AuthField::Org);
                column.set_create = Some(Expr { kind, ty: Ty::Dynamic, span });
            }
        }
    }

    /// `@user` and `@was` of types.
    fn marks(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            if let Some(user) = one(&ty.directives, "user") {
                let id = self.tables.get(index).copied().flatten();
                let keyed = one(&ty.directives, "table").is_some_and(|table| table.names("key").is_some());
                if keyed {
                    self.error(codes::USER, user.span, "the key of the account type is its `id`");
                }
                if ty.owner == Owner::System {
                    self.error(codes::USER, user.span, "a system type cannot be the account type");
                } else if self.catalog.user.is_some() {
                    let message = format!("\"{}\" is a second `@user` type", ty.name);
                    self.error(codes::USER, user.span, message);
                } else {
                    self.catalog.user = id;
                }
            }
            let was: Vec<_> = every(&ty.directives, "was").filter_map(|was| was.text("name")).collect();
            for earlier in &was {
                if self.catalog.by_name.contains_key(&snake_case(&earlier.text)) {
                    let message = format!("`@was` names \"{}\", which is a table now", earlier.text);
                    self.error(codes::WAS, earlier.span, message);
                }
            }
            let name = was.last().map(|literal| snake_case(&literal.text));
            if let Some(table) = self.table_of(index) {
                table.was = name;
            }
        }
    }
}
