//! Fields → columns, to-one relations and computed fields of their table, in order of
//! declaration, with the conventions of `id`, `created_at`, `updated_at` and `@user`.

use crate::catalog::{
    Access, Column, ColumnId, Computed, ComputedId, Fill, Member, OnDelete, Relation, RelationId,
    RelationKind, Span,
};
use crate::compile::build::{Builder, Placed};
use crate::compile::draft::{FieldDraft, TypeDraft, deprecated, every, one};
use crate::compile::implied::{DELETED_AT, is_soft};
use crate::compile::key::{KeyPart, column_name};
use crate::compile::relation::Plan;
use crate::diagnostic::codes;
use crate::expr::{Expr, ExprKind, Ty};
use crate::name::object_name;
use crate::scalar::ScalarType;
use crate::value::Value;

impl Builder<'_> {
    pub fn fill_tables(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            let mut placed = Vec::with_capacity(ty.fields.len());
            if self.tables.get(index).copied().flatten().is_some() {
                let keyed = one(&ty.directives, "table").is_some_and(|table| table.names("key").is_some());
                if !keyed && !ty.fields.iter().any(|field| field.name == "id") {
                    self.implicit_id(index, ty);
                }
                for (position, field) in ty.fields.iter().enumerate() {
                    let place = self.place(index, position, ty, field);
                    placed.push(place);
                }
            } else {
                placed.resize(ty.fields.len(), Placed::Dropped);
            }
            self.placed.push(placed);
            self.primary_key(index);
        }
    }

    fn implicit_id(&mut self, index: usize, ty: &TypeDraft) {
        let fill = self.id_fill(ty, ScalarType::Uuid);
        let column = blank_column("id", "id", ScalarType::Uuid, false, fill, ty.span);
        self.push_column(index, column, None);
    }

    fn id_fill(&self, ty: &TypeDraft, id: ScalarType) -> Fill {
        match id {
            _ if one(&ty.directives, "user").is_some() => Fill::Account,
            ScalarType::Int | ScalarType::BigInt => Fill::AutoIncrement,
            ScalarType::String => Fill::Client,
            _ => Fill::RowId,
        }
    }

    fn primary_key(&mut self, index: usize) {
        let key = self.keys.get(index).cloned().flatten().unwrap_or_default();
        if let Some(table) = self.table_of(index) {
            table.key = key
                .iter()
                .filter_map(|part| table.columns.iter().find(|column| column.name == part.name))
                .map(|column| column.id)
                .collect();
        }
    }

    /// Adds a column with its names; none when a name or number is taken.
    pub fn push_column(
        &mut self,
        index: usize,
        mut column: Column,
        relation: Option<RelationId>,
    ) -> Option<ColumnId> {
        let table = self.table_of(index)?;
        let id = ColumnId(u16::try_from(table.columns.len()).ok()?);
        column.id = id;
        column.relation = relation;
        let (name, field, span) = (column.name.clone(), column.field.clone(), column.span);
        self.refuse_long(&name, span);
        if !self.add_member(index, &name, Member::Column(id), span) {
            return None;
        }
        // a mapped scalar column answers to its field name too
        if relation.is_none() && field.eq_ignore_ascii_case(&name) {
            self.table_of(index)?.members.insert(field, Member::Column(id));
        } else if relation.is_none() && !self.add_member(index, &field, Member::Column(id), span) {
            return None;
        }
        self.table_of(index)?.columns.push(column);
        Some(id)
    }

    fn place(&mut self, index: usize, position: usize, ty: &TypeDraft, field: &FieldDraft) -> Placed {
        if ty.fields.iter().take(position).any(|earlier| earlier.name == field.name) {
            let message = format!("field \"{}\" is defined twice on \"{}\"", field.name, ty.name);
            self.error(codes::DUPLICATE, field.span, message);
            return Placed::Dropped;
        }
        if self.refuse_reserved(&field.name, ty.owner, field.span) {
            return Placed::Dropped;
        }
        let plan = self.plan(index, position);
        if plan == Plan::Column && crate::extras::RESERVED.contains(&field.name.as_str()) {
            let message =
                format!("field \"{}\" has the name of a query parameter of the REST dialect", field.name);
            self.error(codes::REST_NAME, field.span, message);
        }
        self.refuse_unfit(field, plan);
        match plan {
            Plan::Column => self.place_column(index, ty, field),
            Plan::Computed => self.place_computed(index, ty, field),
            Plan::Reference { target } => self.place_reference(index, field, target),
            Plan::Reverse { target, .. } | Plan::Many { target, .. } | Plan::Through { target, .. } => {
                self.place_far(index, field, target)
            }
            Plan::Dropped => Placed::Dropped,
        }
    }

    /// Directives that mean nothing on a field of this kind.
    fn refuse_unfit(&mut self, field: &FieldDraft, plan: Plan) {
        let (kind, fitting): (&str, &[&str]) = match plan {
            Plan::Column => {
                let fitting: &[&str] = &[
                    "access",
                    "deny",
                    "unique",
                    "index",
                    "default",
                    "set",
                    "valid",
                    "column",
                    "was",
                    "deprecated",
                ];
                ("column", fitting)
            }
            Plan::Computed if is_stored(field) => (
                "stored computed field",
                &["access", "deny", "computed", "deprecated", "unique", "index", "column", "was"],
            ),
            Plan::Computed => ("computed field", &["access", "deny", "computed", "deprecated"]),
            Plan::Reference { .. } => (
                "reference",
                &[
                    "access",
                    "deny",
                    "unique",
                    "index",
                    "set",
                    "default",
                    "relation",
                    "column",
                    "was",
                    "deprecated",
                ],
            ),
            Plan::Reverse { .. } | Plan::Many { .. } | Plan::Through { .. } => {
                ("list of rows", &["access", "deny", "relation", "deprecated"])
            }
            Plan::Dropped => return,
        };
        for directive in &field.directives {
            if !fitting.contains(&directive.name.as_str()) {
                let message = format!("`@{}` does not apply to \"{}\", a {kind}", directive.name, field.name);
                self.error(codes::UNFIT_DIRECTIVE, directive.span, message);
            }
        }
    }

    fn place_column(&mut self, index: usize, ty: &TypeDraft, field: &FieldDraft) -> Placed {
        let Some(scalar) = self.scalar_of(field) else { return Placed::Dropped };
        let name = column_name(field);
        self.check_mapping(field);
        let fill = self.fill(index, ty, field, &name, scalar);
        let mut column = blank_column(&name, &field.name, scalar, !field.required, fill, field.span);
        column.doc.clone_from(&field.doc);
        column.deprecated = deprecated(&field.directives);
        column.was = self.was(ty, field);
        column.shape = self.shape_of(field);
        self.validations(field, scalar, &mut column);
        self.default_value(field, scalar, &mut column);
        match self.push_column(index, column, None) {
            Some(id) => Placed::Column(id),
            None => Placed::Dropped,
        }
    }

    fn was(&mut self, ty: &TypeDraft, field: &FieldDraft) -> Option<String> {
        let earlier: Vec<_> = every(&field.directives, "was").filter_map(|was| was.text("name")).collect();
        for name in &earlier {
            if ty.fields.iter().any(|other| other.name == name.text) {
                let message = format!("`@was` names \"{}\", which is a field now", name.text);
                self.error(codes::WAS, name.span, message);
            }
        }
        earlier.last().map(|name| name.text.clone())
    }

    fn check_mapping(&mut self, field: &FieldDraft) {
        let Some(column) = one(&field.directives, "column") else { return };
        if let Some(name) = column.text("name")
            && self.valid_identifier(&name.text, name.span)
        {
            self.refuse_reserved(&name.text, crate::compile::Owner::Project, name.span);
        }
        let given = |name: &str| column.count(name);
        if given("digits").is_some() || given("scale").is_some() {
            let digits = given("digits").unwrap_or(18);
            let scale = given("scale").unwrap_or(4.min(digits));
            if field.ty != "Decimal" {
                let message =
                    format!("`digits` and `scale` apply to Decimal; \"{}\" is {}", field.name, field.ty);
                self.error(codes::UNFIT_DIRECTIVE, column.span, message);
            } else if !(1..=18).contains(&digits) || scale > digits {
                let message = "a Decimal has 1 to 18 digits, at most all of them after the point";
                self.error(codes::ARGUMENT_VALUE, column.span, message);
            }
        }
    }

    /// What the server puts into a column by convention.
    fn fill(
        &mut self,
        index: usize,
        ty: &TypeDraft,
        field: &FieldDraft,
        column: &str,
        scalar: ScalarType,
    ) -> Fill {
        let key = self.keys.get(index).cloned().flatten().unwrap_or_default();
        let in_key = key.iter().any(|part| part.name == column);
        let composite = one(&ty.directives, "table").is_some_and(|table| table.names("key").is_some());
        match field.name.as_str() {
            "id" if !composite => {
                let possible =
                    !field.list && matches!(field.ty.as_str(), "ID" | "UUID" | "Int" | "BigInt" | "String");
                let user = one(&ty.directives, "user").is_some();
                if !possible || !field.required || (user && scalar != ScalarType::Uuid) {
                    let message = format!("the id of \"{}\" cannot be {}", ty.name, shown_type(field));
                    let help = if user {
                        "the id of the account type is `ID!`"
                    } else {
                        "an id is `ID!`, `UUID!`, `Int!`, `BigInt!` or `String!`"
                    };
                    self.error_with_help(codes::ID, field.ty_span, message, help);
                }
                for unfit in ["default", "set", "unique"] {
                    if let Some(directive) = one(&field.directives, unfit) {
                        self.error(codes::ID, directive.span, format!("`@{unfit}` does not go with the id"));
                    }
                }
                self.id_fill(ty, scalar)
            }
            "created_at" | "updated_at" => {
                if scalar != ScalarType::Timestamp || !field.required {
                    let message = format!("\"{}\" is set by the server and is `Timestamp!`", field.name);
                    self.error_with_help(
                        codes::RESERVED_NAME,
                        field.ty_span,
                        message,
                        "write `Timestamp!`, or choose another name",
                    );
                }
                if field.name == "created_at" { Fill::CreatedAt } else { Fill::UpdatedAt }
            }
            DELETED_AT if is_soft(ty) => {
                let set = field.directives.iter().find(|d| matches!(d.name.as_str(), "set" | "default"));
                if field.ty != "Timestamp" || field.required || field.list || set.is_some() {
                    let message = "\"deleted_at\" is set by the server when a row is deleted";
                    let help = "write `deleted_at: Timestamp`, or leave it out";
                    self.error_with_help(codes::RESERVED_NAME, field.ty_span, message, help);
                }
                Fill::DeletedAt
            }
            "email" | "phone" | "role" if one(&ty.directives, "user").is_some() => {
                if !matches!(scalar, ScalarType::String | ScalarType::Enum(_)) {
                    let message =
                        format!("\"{}\" of the account type mirrors the account and is text", field.name);
                    self.error(codes::USER, field.ty_span, message);
                }
                // the role may be written at data doors where a field rule says who may
                let has =
                    |name: &str| every(&field.directives, "access").any(|access| access.text(name).is_some());
                let own_rule = has("all") || has("write") || (has("create") && has("update"));
                if field.name == "role" && !own_rule && (has("create") || has("update")) {
                    let message =
                        "the role is written by `write`: with `update` alone, sign-up data could fill it";
                    self.error(codes::USER, field.span, message);
                }
                if field.name == "role" && own_rule { Fill::None } else { Fill::Account }
            }
            _ if in_key => Fill::Client,
            _ => Fill::None,
        }
    }

    fn place_reference(&mut self, index: usize, field: &FieldDraft, target: usize) -> Placed {
        let Some(target_id) = self.tables.get(target).copied().flatten() else { return Placed::Dropped };
        let target_key = self.keys.get(target).cloned().flatten().unwrap_or_default();
        if let Some(name) = one(&field.directives, "column").and_then(|column| column.text("name")) {
            self.valid_identifier(&name.text, name.span);
        }
        let parts = self.reference_columns(field, &target_key);
        let key = self.keys.get(index).cloned().flatten().unwrap_or_default();
        let Some(ty) = self.type_at(index) else { return Placed::Dropped };
        let was = self.was(ty, field);
        let Some(table) = self.table_of(index) else { return Placed::Dropped };
        let table_name = table.name.clone();
        let Ok(number) = u16::try_from(table.relations.len()) else { return Placed::Dropped };
        let id = RelationId(number);
        if !self.add_member(index, &field.name, Member::Relation(id), field.span) {
            return Placed::Dropped;
        }
        let mut columns = Vec::new();
        for part in &parts {
            let fill = if key.iter().any(|own| own.name == part.name) { Fill::Client } else { Fill::None };
            let mut column =
                blank_column(&part.name, &field.name, part.ty, !field.required, fill, field.span);
            column.doc.clone_from(&field.doc);
            column.deprecated = deprecated(&field.directives);
            let suffix = part.name.strip_prefix(field.name.as_str());
            column.was = was.as_ref().zip(suffix).map(|(was, suffix)| format!("{was}{suffix}"));
            match self.push_column(index, column, Some(id)) {
                Some(column) => columns.push(column),
                None => return Placed::Dropped,
            }
        }
        let on_delete = self.on_delete(field);
        let joined = parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join("_");
        let kind = RelationKind::ToOne {
            columns: columns.clone(),
            nullable: !field.required,
            on_delete,
            refer: None,
            constraint: object_name(&table_name, &joined, "fkey"),
        };
        self.push_relation(index, field, id, target_id, kind);
        Placed::Reference(id, columns)
    }

    fn on_delete(&mut self, field: &FieldDraft) -> OnDelete {
        let given = one(&field.directives, "relation").and_then(|relation| relation.word("onDelete"));
        match given {
            Some("CASCADE") => OnDelete::Cascade,
            Some("RESTRICT") => OnDelete::Restrict,
            Some("SET_NULL") if field.required => {
                let message =
                    format!("\"{}\" is required, so deleting its target cannot set it to null", field.name);
                self.error(codes::RELATION, field.span, message);
                OnDelete::Restrict
            }
            Some(_) => OnDelete::SetNull,
            None if field.required => OnDelete::Restrict,
            None => OnDelete::SetNull,
        }
    }

    pub fn push_relation(
        &mut self,
        index: usize,
        field: &FieldDraft,
        id: RelationId,
        target: crate::catalog::TableId,
        kind: RelationKind,
    ) {
        if let Some(table) = self.table_of(index) {
            table.relations.push(Relation {
                id,
                name: field.name.clone(),
                doc: field.doc.clone(),
                deprecated: deprecated(&field.directives),
                target,
                kind,
                access: Access::default(),
                span: field.span,
            });
        }
    }

    fn place_far(&mut self, index: usize, field: &FieldDraft, target: usize) -> Placed {
        let Some(target) = self.tables.get(target).copied().flatten() else { return Placed::Dropped };
        let Some(table) = self.table_of(index) else { return Placed::Dropped };
        let Ok(number) = u16::try_from(table.relations.len()) else { return Placed::Dropped };
        let id = RelationId(number);
        if !self.add_member(index, &field.name, Member::Relation(id), field.span) {
            return Placed::Dropped;
        }
        // the columns are known when all tables have theirs: `far_sides` and `junctions`
        let kind = RelationKind::ToMany { columns: Vec::new(), inverse: RelationId(0), single: false };
        self.push_relation(index, field, id, target, kind);
        Placed::Far(id)
    }

    fn place_computed(&mut self, index: usize, ty: &TypeDraft, field: &FieldDraft) -> Placed {
        let Some(scalar) = self.scalar_of(field) else { return Placed::Dropped };
        let sees_all =
            one(&field.directives, "computed").and_then(|computed| computed.word("sees")) == Some("ALL");
        let Some(table) = self.table_of(index) else { return Placed::Dropped };
        let Ok(number) = u16::try_from(table.computed.len()) else { return Placed::Dropped };
        let id = ComputedId(number);
        let stored = is_stored(field);
        if !stored && !self.add_member(index, &field.name, Member::Computed(id), field.span) {
            return Placed::Dropped;
        }
        if let Some(table) = self.table_of(index) {
            table.computed.push(Computed {
                id,
                name: field.name.clone(),
                doc: field.doc.clone(),
                deprecated: deprecated(&field.directives),
                expr: Expr { kind: ExprKind::Const(Value::Null), ty: Ty::Null, span: field.span },
                ty: scalar,
                nullable: !field.required,
                sees_all,
                access: Access::default(),
                span: field.span,
            });
        }
        if !stored {
            return Placed::Computed(id);
        }
        self.check_mapping(field);
        // a calculation that leaves its range has no value
        let fill = Fill::Stored(id);
        let mut column = blank_column(&column_name(field), &field.name, scalar, true, fill, field.span);
        column.doc.clone_from(&field.doc);
        column.deprecated = deprecated(&field.directives);
        column.was = self.was(ty, field);
        match self.push_column(index, column, None) {
            Some(column) => Placed::Stored(column, id),
            None => Placed::Dropped,
        }
    }
}

/// Whether the database computes the field.
fn is_stored(field: &FieldDraft) -> bool {
    one(&field.directives, "computed").and_then(|computed| computed.flag("stored")) == Some(true)
}

/// A column with nothing but its name and type.
pub(super) fn blank_column(
    name: &str,
    field: &str,
    ty: ScalarType,
    nullable: bool,
    fill: Fill,
    span: Span,
) -> Column {
    Column {
        id: ColumnId(0),
        name: name.to_owned(),
        field: field.to_owned(),
        doc: None,
        deprecated: None,
        ty,
        shape: None,
        nullable,
        default: None,
        fill,
        set_create: None,
        set_update: None,
        valid: Vec::new(),
        valid_message: None,
        access: Access::default(),
        relation: None,
        was: None,
        span,
    }
}

fn shown_type(field: &FieldDraft) -> String {
    format!("{}{}", field.ty, if field.required { "!" } else { "" })
}

/// The names of key columns joined as in constraint names.
pub(super) fn joined(parts: &[KeyPart]) -> String {
    parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join("_")
}
