//! The checked data model. Everything below the schema compiler works on ids
//! that this catalog gave out; names are resolved once.

use crate::expr::Expr;
use crate::scalar::ScalarType;
use crate::value::Value;
use std::collections::HashMap;

/// Index of a table in [`Catalog::tables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u16);
/// Index of a column in [`Table::columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u16);
/// Index of a relation in [`Table::relations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationId(pub u16);
/// Index of a computed field in [`Table::computed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComputedId(pub u16);
/// Index of an enum in [`Catalog::enums`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub u16);

/// Index of an embedded type in [`Catalog::embedded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmbeddedId(pub u16);

/// A place in a source file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Index into [`Catalog::files`].
    pub file: u16,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// The whole model of one project folder, with Backstay's own tables.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Names of the source files that spans point into, relative to the project.
    pub files: Vec<String>,
    /// All tables: declared, junctions and Backstay's own.
    pub tables: Vec<Table>,
    /// All enums.
    pub enums: Vec<EnumType>,
    /// All `@embedded` types.
    pub embedded: Vec<EmbeddedType>,
    /// The `@user` type.
    pub user: Option<TableId>,
    /// Role names that rules may use: the built-in ones and those of `backstay.toml`.
    pub roles: Vec<String>,
    /// Hash of the compiled sources; part of every statement cache key.
    pub generation: u64,
    /// SQL/REST name of a table to its id, Backstay's own included.
    pub by_name: HashMap<String, TableId>,
}

/// Where a table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A `type` of the project.
    Declared,
    /// Made for an n-n relation.
    Junction,
    /// What was written to the rows of a type with `@table(audit: true)`; only Backstay writes it.
    Audit,
    /// One of Backstay's own: name begins with `_backstay_`, no door shows it.
    System,
}

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its index.
    pub id: TableId,
    /// Name of the SDL type; for a junction the `PascalCase` of the table name.
    pub type_name: String,
    /// Name in SQL and REST.
    pub name: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// Columns in order of declaration.
    pub columns: Vec<Column>,
    /// Relations in order of declaration.
    pub relations: Vec<Relation>,
    /// Expressions of computed fields, stored ones among them.
    pub computed: Vec<Computed>,
    /// Primary key, in key order.
    pub key: Vec<ColumnId>,
    /// Unique constraints besides the primary key.
    pub uniques: Vec<Unique>,
    /// Plain indexes.
    pub indexes: Vec<Index>,
    /// Unique and plain indexes of a part of the rows.
    pub partials: Vec<PartialIndex>,
    /// Indexes of the words of texts.
    pub full_texts: Vec<FullText>,
    /// `@check` of the type.
    pub checks: Vec<Check>,
    /// Rules of the type.
    pub access: Access,
    /// `@table(softDelete: true)`: the column that says since when a row is deleted.
    pub soft_delete: Option<ColumnId>,
    /// `@table(strict: false)`: the column that keeps what has no field. No request and no rule names it.
    pub extras: Option<ColumnId>,
    /// `@table(tenant:)`: the column that says whose the row is; it is compared with `auth.org`.
    pub tenant: Option<ColumnId>,
    /// `@table(view:)`: a view of the database that migrations make by hand; it is only read.
    pub is_view: bool,
    /// `@table(audit: true)`: the table that says who wrote what.
    pub audit: Option<TableId>,
    /// Whether deleting a row is told: in its own audit, or in that of rows that refer to it and are
    /// deleted or changed with it.
    pub deletes_audited: bool,
    /// `@limit`, in order.
    pub limits: Vec<RateLimit>,
    /// Earlier name, from `@was`.
    pub was: Option<String>,
    /// Where it is declared.
    pub span: Span,
    /// Every name a request or rule may use on a row: SDL fields, and columns of references.
    pub members: HashMap<String, Member>,
}

/// `@limit`: a bucket per key that holds so many tokens and fills within the period; rows cost a token each.
#[derive(Debug, Clone)]
pub struct RateLimit {
    /// What the bucket holds.
    pub tokens: u32,
    /// How long an empty one takes to fill, in seconds.
    pub period_s: u32,
    /// What has a bucket of its own, else the account; the client's address where it is null.
    pub by: Option<Expr>,
    /// What is counted.
    pub on: Vec<Operation>,
}

/// What a name on a table means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Member {
    /// A stored column.
    Column(ColumnId),
    /// A relation (embeds and rule paths).
    Relation(RelationId),
    /// A virtual computed field.
    Computed(ComputedId),
}

/// A stored column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its index.
    pub id: ColumnId,
    /// Name in SQL and REST.
    pub name: String,
    /// The SDL field it belongs to (`seller` for column `seller_id`).
    pub field: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// `@deprecated(reason:)`.
    pub deprecated: Option<String>,
    /// Type.
    pub ty: ScalarType,
    /// The shape of its documents, for a JSON column of an `@embedded` type.
    pub shape: Option<Shape>,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// `@default`, used where the client names nothing.
    pub default: Option<DefaultValue>,
    /// What the server itself puts here.
    pub fill: Fill,
    /// `@set(create:)` or `@set(always:)`.
    pub set_create: Option<Expr>,
    /// `@set(update:)` or `@set(always:)`.
    pub set_update: Option<Expr>,
    /// `@valid` in order of its arguments.
    pub valid: Vec<Valid>,
    /// `@valid(message:)`.
    pub valid_message: Option<String>,
    /// Field rules.
    pub access: Access,
    /// The to-one relation whose key this column holds (a part of).
    pub relation: Option<RelationId>,
    /// Earlier name, from `@was`.
    pub was: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

impl Column {
    /// Whether a read rule of its own guards it, beside that of the row.
    #[must_use]
    pub const fn has_read_rule(&self) -> bool {
        !self.access.read.is_open()
    }
}

/// A default for a column.
#[derive(Debug, Clone)]
pub enum DefaultValue {
    /// `@default(value:)`.
    Value(Value),
    /// `@default(expr:)`: reads `auth`, `request`, `now`; no rows.
    Expr(Expr),
}

/// A value that the server makes where the client gives none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Nothing.
    None,
    /// `UUIDv7` on insert (`id: ID!`).
    RowId,
    /// Counted by the engine (`id: Int!` / `id: BigInt!`).
    AutoIncrement,
    /// The id comes from the client (`id: String!`, `@table(key:)` columns).
    Client,
    /// Comes with the account (`@user`), never from a data door: its id, `email`, `phone`, and
    /// `role` where no `@access(write:)` of its own says who may set it.
    Account,
    /// Now, on insert (`created_at`).
    CreatedAt,
    /// Now, on insert and update (`updated_at`).
    UpdatedAt,
    /// Now, on deletion (`deleted_at` of a type with `softDelete`).
    DeletedAt,
    /// The database computes it: `@computed(stored: true)`. Rules read the expression instead.
    Stored(ComputedId),
}

/// One condition of `@valid`.
#[derive(Debug, Clone, PartialEq)]
pub enum Valid {
    /// Smallest value.
    Min(Value),
    /// Largest value.
    Max(Value),
    /// Fewest characters, bytes or elements.
    MinLength(u64),
    /// Most characters, bytes or elements.
    MaxLength(u64),
    /// Regular expression that must match somewhere (anchors are the author's).
    Pattern(String),
    /// A named form.
    Format(Format),
}

/// Named forms of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An e-mail address.
    Email,
    /// An absolute http or https URL.
    Url,
    /// Lower-case letters, digits and single hyphens.
    Slug,
    /// A UUID.
    Uuid,
    /// A telephone number in E.164 form.
    Phone,
}

/// A relation to another table.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its index.
    pub id: RelationId,
    /// Field name; the embed name.
    pub name: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// `@deprecated(reason:)`.
    pub deprecated: Option<String>,
    /// The other table.
    pub target: TableId,
    /// How the rows are joined.
    pub kind: RelationKind,
    /// Field rules (`write` of an n-n list field guards link and unlink).
    pub access: Access,
    /// Where it is declared.
    pub span: Span,
}

/// How the rows of a relation are joined.
#[derive(Debug, Clone)]
pub enum RelationKind {
    /// This row holds the key of the target.
    ToOne {
        /// Columns here, parallel to the target's key.
        columns: Vec<ColumnId>,
        /// Whether the reference may be null.
        nullable: bool,
        /// What deleting the target does.
        on_delete: OnDelete,
        /// `@relation(refer:)`; reads `this` as the *target* row.
        refer: Option<Expr>,
        /// Name of the foreign key constraint.
        constraint: String,
    },
    /// Rows of the target hold this row's key; at most one when `single`.
    ToMany {
        /// Columns of the target, parallel to this table's key.
        columns: Vec<ColumnId>,
        /// The to-one relation of the target that this is the reverse of.
        inverse: RelationId,
        /// The foreign key is unique: an object or null instead of a list.
        single: bool,
    },
    /// Through a table that references both sides.
    ManyToMany {
        /// The table between.
        junction: TableId,
        /// To-one relation of the junction to this table.
        near: RelationId,
        /// To-one relation of the junction to the target.
        far: RelationId,
    },
}

/// What deleting the referenced row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// Refuse with 23503.
    Restrict,
    /// Delete this row too.
    Cascade,
    /// Set the reference to null.
    SetNull,
}

/// A virtual computed field.
#[derive(Debug, Clone)]
pub struct Computed {
    /// Its index.
    pub id: ComputedId,
    /// Field name.
    pub name: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// `@deprecated(reason:)`.
    pub deprecated: Option<String>,
    /// Its expression over `this`.
    pub expr: Expr,
    /// Type of the value.
    pub ty: ScalarType,
    /// Whether it may be null.
    pub nullable: bool,
    /// `@computed(sees: ALL)`: reads related rows as System.
    pub sees_all: bool,
    /// Field rules (read only).
    pub access: Access,
    /// Where it is declared.
    pub span: Span,
}

/// A unique constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// Constraint name, for example `product_slug_key`.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnId>,
}

/// A plain index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Index name, for example `product_published_idx`.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnId>,
}

/// An index of the rows for which a condition is definitely true.
#[derive(Debug, Clone)]
pub struct PartialIndex {
    /// Its name, for example `member_email_key_5f2c01ab`.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnId>,
    /// Whether two such rows may not have equal values.
    pub unique: bool,
    /// Over columns of the row; [`crate::expr::plain`].
    pub condition: Expr,
    /// Where it is declared.
    pub span: Span,
}

/// `@index(kind: FULLTEXT)`: an index of the words of text columns.
#[derive(Debug, Clone)]
pub struct FullText {
    /// Its name, for example `product_description_title_fts`.
    pub name: String,
    /// Its columns, in the order of their names.
    pub columns: Vec<ColumnId>,
    /// Where it is declared.
    pub span: Span,
}

/// `@check` of a type: reads columns of the row only.
#[derive(Debug, Clone)]
pub struct Check {
    /// Constraint name, for example `booking_check`.
    pub name: String,
    /// Must not be definitely false.
    pub expr: Expr,
    /// For the person who broke it.
    pub message: String,
    /// Where it is declared.
    pub span: Span,
}

/// An `@embedded` type: the shape of documents in JSON columns.
#[derive(Debug, Clone)]
pub struct EmbeddedType {
    /// Its index.
    pub id: EmbeddedId,
    /// SDL name.
    pub name: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// Members in order of declaration, which is the order in documents.
    pub members: Vec<EmbeddedMember>,
    /// Where it is declared.
    pub span: Span,
}

impl EmbeddedType {
    /// The member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&EmbeddedMember> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// A member of an embedded type.
#[derive(Debug, Clone)]
pub struct EmbeddedMember {
    /// Its name.
    pub name: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// `@deprecated(reason:)`.
    pub deprecated: Option<String>,
    /// The type of its value, or of an element.
    pub ty: MemberType,
    /// Whether it is a list, and whether an element may be null.
    pub list: Option<bool>,
    /// Whether it may be null or missing.
    pub nullable: bool,
}

/// The type of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberType {
    /// A scalar or enum.
    Scalar(ScalarType),
    /// Another document.
    Embedded(EmbeddedId),
}

/// What a JSON column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The type of its documents.
    pub of: EmbeddedId,
    /// Whether it is a list of them.
    pub list: bool,
    /// Whether an element of the list may be null.
    pub nulls: bool,
}

/// An enum.
#[derive(Debug, Clone)]
pub struct EnumType {
    /// Its index.
    pub id: EnumId,
    /// SDL name.
    pub name: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// Members in order of declaration.
    pub members: Vec<EnumMember>,
    /// Whether any member has `@next`: then every change must follow an edge.
    pub transitions: bool,
    /// Where it is declared.
    pub span: Span,
}

/// A member of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumMember {
    /// Name, as stored and as on the wire.
    pub name: String,
    /// Documentation string.
    pub doc: Option<String>,
    /// `@deprecated(reason:)`.
    pub deprecated: Option<String>,
    /// `@next(to:)`: indexes of the members that may follow.
    pub next: Vec<usize>,
    /// Earlier name, from `@was`.
    pub was: Option<String>,
}

/// Who may do what. On a type an operation without arms is denied; on a field it adds nothing.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Seeing a row or value.
    pub read: Permit,
    /// Making a row, or giving the field a value then.
    pub create: Permit,
    /// Changing a row or the field.
    pub update: Permit,
    /// Deleting a row; unused on fields.
    pub delete: Permit,
}

/// The rules for one operation: allowed = T(any arm of `allow`) and F(every arm of `deny`).
#[derive(Debug, Clone, Default)]
pub struct Permit {
    /// `all`, `write` and the specific argument of `@access`, OR-ed.
    pub allow: Vec<Arm>,
    /// `@deny`; each must be definitely false.
    pub deny: Vec<Arm>,
}

impl Permit {
    /// Whether it says nothing: no rule allows, and none denies.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }
}

/// One argument of one `@access` or `@deny`.
#[derive(Debug, Clone)]
pub struct Arm {
    /// Stable id, for example `Order.update#1` or `Order.status.update#1`.
    pub id: String,
    /// The checked rule.
    pub expr: Expr,
    /// The rule as written.
    pub text: String,
    /// `@access(fields:)`: an update rule that holds only where no other column is named. It
    /// speaks of writes of the row itself: `allowed(…)` and links do not count on it.
    pub fields: Option<Vec<ColumnId>>,
    /// `@deny(message:)`.
    pub message: Option<String>,
    /// Where the CEL text stands.
    pub span: Span,
}

/// What a rule decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Seeing.
    Read,
    /// Making.
    Create,
    /// Changing.
    Update,
    /// Deleting.
    Delete,
}

impl Arm {
    /// Whether the rule covers a write that names these columns.
    #[must_use]
    pub fn covers(&self, named: &[ColumnId]) -> bool {
        self.fields.as_ref().is_none_or(|fields| named.iter().all(|column| fields.contains(column)))
    }
}

impl Access {
    /// The rules for one operation.
    #[must_use]
    pub const fn permit(&self, operation: Operation) -> &Permit {
        match operation {
            Operation::Read => &self.read,
            Operation::Create => &self.create,
            Operation::Update => &self.update,
            Operation::Delete => &self.delete,
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "ids are only made by the compiler of the same catalog")]
impl Catalog {
    /// The table with this id.
    #[must_use]
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[usize::from(id.0)]
    }

    /// The enum with this id.
    #[must_use]
    pub fn enum_type(&self, id: EnumId) -> &EnumType {
        &self.enums[usize::from(id.0)]
    }

    /// The embedded type with this id.
    #[must_use]
    pub fn embedded_type(&self, id: EmbeddedId) -> &EmbeddedType {
        &self.embedded[usize::from(id.0)]
    }

    /// A table that doors may name; never one of Backstay's own.
    #[must_use]
    pub fn public_table(&self, name: &str) -> Option<&Table> {
        let table = self.table(*self.by_name.get(name)?);
        (table.origin != Origin::System).then_some(table)
    }

    /// Any table by name; for Backstay's own services.
    #[must_use]
    pub fn any_table(&self, name: &str) -> Option<&Table> {
        Some(self.table(*self.by_name.get(name)?))
    }
}

#[expect(clippy::indexing_slicing, reason = "ids are only made by the compiler of the same catalog")]
impl Table {
    /// The column with this id.
    #[must_use]
    pub fn column(&self, id: ColumnId) -> &Column {
        &self.columns[usize::from(id.0)]
    }

    /// The relation with this id.
    #[must_use]
    pub fn relation(&self, id: RelationId) -> &Relation {
        &self.relations[usize::from(id.0)]
    }

    /// The computed field with this id.
    #[must_use]
    pub fn computed_field(&self, id: ComputedId) -> &Computed {
        &self.computed[usize::from(id.0)]
    }

    /// Whether the database computes one of the columns.
    #[must_use]
    pub fn has_stored(&self, columns: &[ColumnId]) -> bool {
        columns.iter().any(|id| matches!(self.column(*id).fill, Fill::Stored(_)))
    }

    /// Whether the database keeps the values of a computed field.
    #[must_use]
    pub fn is_stored(&self, id: ComputedId) -> bool {
        self.columns.iter().any(|column| column.fill == Fill::Stored(id))
    }

    /// The column of this name.
    #[must_use]
    pub fn column_named(&self, name: &str) -> Option<&Column> {
        match self.members.get(name)? {
            Member::Column(id) => Some(self.column(*id)),
            Member::Relation(_) | Member::Computed(_) => None,
        }
    }
}
