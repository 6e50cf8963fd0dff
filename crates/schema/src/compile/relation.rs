//! What each field is: a column, a reference, the other side of one, half of an n-n
//! relation. Lists find their counterpart by type; where that is ambiguous or
//! one-sided, `@relation` must say it (SEMANTICS 20).

use crate::catalog::{Relation, RelationId, RelationKind};
use crate::compile::build::{Builder, Named, Placed};
use crate::compile::draft::{Application, FieldDraft, TypeDraft, one};
use crate::diagnostic::codes;
use crate::scalar::SCALARS;
use backstay_base::suggest;

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// A stored scalar.
    Column,
    /// A computed scalar.
    Computed,
    /// A reference to a type.
    Reference { target: usize },
    /// The other side of the reference `field` of `target`.
    Reverse { target: usize, field: usize, single: bool },
    /// Half of an n-n relation with the list `field` of `target`.
    Many { target: usize, field: usize },
    /// n-n through a declared type with references `near` here and `far` to the target.
    Through { target: usize, join: usize, near: usize, far: usize },
    /// Nothing; reported.
    Dropped,
}

impl Builder<'_> {
    pub fn plan_relations(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            let plans = ty.fields.iter().map(|field| self.first_plan(index, ty, field)).collect();
            self.plans.push(plans);
        }
        for (index, ty) in self.draft.types.iter().enumerate() {
            for (position, field) in ty.fields.iter().enumerate() {
                if let Plan::Reference { target } = self.plan(index, position) {
                    let plan = if field.list {
                        self.plan_list(index, position, target)
                    } else {
                        self.plan_single(index, position, target)
                    };
                    self.set_plan(index, position, plan);
                }
            }
        }
        self.check_pairs();
    }

    pub fn plan(&self, ty: usize, field: usize) -> Plan {
        self.plans.get(ty).and_then(|plans| plans.get(field)).copied().unwrap_or(Plan::Dropped)
    }

    fn set_plan(&mut self, ty: usize, field: usize, plan: Plan) {
        if let Some(slot) = self.plans.get_mut(ty).and_then(|plans| plans.get_mut(field)) {
            *slot = plan;
        }
    }

    fn first_plan(&mut self, index: usize, ty: &TypeDraft, field: &FieldDraft) -> Plan {
        if self.tables.get(index).copied().flatten().is_none() {
            return Plan::Dropped;
        }
        let scalar = SCALARS.iter().find(|scalar| scalar.name == field.ty);
        if let Some(scalar) = scalar
            && scalar.ty.is_none()
        {
            let message = format!("the scalar {} is not available yet", scalar.name);
            self.error(codes::UNAVAILABLE, field.ty_span, message);
            return Plan::Dropped;
        }
        let named = if scalar.is_some() { None } else { Some(self.named(ty.owner, field)) };
        let computed = one(&field.directives, "computed").is_some();
        match named {
            Some(None) => Plan::Dropped,
            Some(Some(Named::Embedded(_))) if computed => {
                let message = format!("computed field \"{}\" is not a scalar", field.name);
                self.error(codes::COMPUTED, field.ty_span, message);
                Plan::Dropped
            }
            Some(Some(Named::Embedded(_))) => Plan::Column,
            Some(Some(Named::Type(target))) if computed => {
                let _ = target;
                self.error(
                    codes::COMPUTED,
                    field.ty_span,
                    format!("computed field \"{}\" is not a scalar", field.name),
                );
                Plan::Dropped
            }
            Some(Some(Named::Type(target))) => {
                if self.tables.get(target).copied().flatten().is_some() {
                    Plan::Reference { target }
                } else {
                    Plan::Dropped
                }
            }
            None if field.list && field.ty == "JSON" => {
                let message = format!("\"{}\" is a list of JSON documents", field.name);
                let help = "write `JSON`: a document may be a list itself";
                self.error_with_help(codes::UNFIT_DIRECTIVE, field.ty_span, message, help);
                Plan::Dropped
            }
            Some(Some(Named::Enum(_))) | None if field.list && computed => {
                let message = format!("computed field \"{}\" is a list", field.name);
                self.error(codes::COMPUTED, field.ty_span, message);
                Plan::Dropped
            }
            Some(Some(Named::Enum(_))) | None if computed => Plan::Computed,
            Some(Some(Named::Enum(_))) | None => Plan::Column,
        }
    }

    /// Positions of the fields of `on` whose type is `of`, lists or not.
    fn fields_of_type(&self, on: usize, of: usize, list: bool) -> Vec<usize> {
        let Some(target) = self.type_at(of) else { return Vec::new() };
        let fields = self.type_at(on).map(|ty| ty.fields.as_slice()).unwrap_or_default();
        fields
            .iter()
            .enumerate()
            .filter(|(_, field)| {
                field.ty == target.name && field.list == list && one(&field.directives, "computed").is_none()
            })
            .map(|(position, _)| position)
            .collect()
    }

    fn plan_single(&mut self, ty: usize, position: usize, target: usize) -> Plan {
        let Some(field) = self.field_at(ty, position) else { return Plan::Dropped };
        let relation = one(&field.directives, "relation");
        if let Some(name) = relation.and_then(|relation| relation.text("field")) {
            return match self.counterpart(target, &name.text) {
                Some(other) if self.is_unique_reference(target, other, ty) => {
                    self.single_reverse(field, target, other)
                }
                _ => {
                    let message = format!("\"{}\" is not a `@unique` reference to this type", name.text);
                    self.error(codes::RELATION, name.span, message);
                    Plan::Dropped
                }
            };
        }
        if let Some(through) = relation.and_then(|relation| relation.text("through")) {
            self.error(codes::RELATION, through.span, "`through` stands on a list of rows");
            return Plan::Dropped;
        }
        let owns_column = field.required
            || ty == target
            || one(&field.directives, "unique").is_some()
            || relation.is_some()
            || one(&field.directives, "column").is_some()
            || !self.fields_of_type(target, ty, true).is_empty();
        let backs: Vec<usize> = self
            .fields_of_type(target, ty, false)
            .into_iter()
            .filter(|other| self.is_unique_reference(target, *other, ty))
            .collect();
        match backs.as_slice() {
            [other] if !owns_column => self.single_reverse(field, target, *other),
            [] | [_] => Plan::Reference { target },
            [_, _, ..] if owns_column => Plan::Reference { target },
            [_, _, ..] => {
                let message = format!("\"{}\" could be the other side of several references", field.name);
                let help = "name it: `@relation(field: \"…\")`";
                self.error_with_help(codes::AMBIGUOUS_LIST, field.span, message, help);
                Plan::Dropped
            }
        }
    }

    fn single_reverse(&mut self, field: &FieldDraft, target: usize, other: usize) -> Plan {
        if field.required {
            let message =
                format!("\"{}\" cannot be required: the row that refers here may be absent", field.name);
            self.error(codes::RELATION, field.ty_span, message);
        }
        Plan::Reverse { target, field: other, single: true }
    }

    fn is_unique_reference(&self, on: usize, position: usize, to: usize) -> bool {
        let target = self.type_at(to).map(|ty| ty.name.as_str());
        self.field_at(on, position).is_some_and(|field| {
            !field.list && Some(field.ty.as_str()) == target && one(&field.directives, "unique").is_some()
        })
    }

    /// The position of a field by its name.
    fn counterpart(&self, ty: usize, name: &str) -> Option<usize> {
        self.type_at(ty)?.fields.iter().position(|field| field.name == name)
    }

    fn plan_list(&mut self, ty: usize, position: usize, target: usize) -> Plan {
        let Some(field) = self.field_at(ty, position) else { return Plan::Dropped };
        let relation = one(&field.directives, "relation");
        if let Some(relation) = relation {
            self.refuse_list_arguments(relation);
            if relation.text("through").is_some() {
                return self.plan_through(ty, target, relation);
            }
            if let Some(name) = relation.text("field") {
                return self.plan_named(ty, position, target, &name.text, relation);
            }
        }
        let singles: Vec<usize> = self
            .fields_of_type(target, ty, false)
            .into_iter()
            .filter(|single| !self.claimed(ty, target, *single))
            .filter(|single| !matches!(self.plan(target, *single), Plan::Reverse { .. } | Plan::Dropped))
            .collect();
        let lists: Vec<usize> = self
            .fields_of_type(target, ty, true)
            .into_iter()
            .filter(|list| !(ty == target && *list == position))
            .filter(|list| !self.names_another(target, *list, &field.name))
            .collect();
        // a list next to a reference of the other type is its reverse side, never n-n with itself
        let lists = if ty == target { Vec::new() } else { lists };
        match (singles.as_slice(), lists.as_slice()) {
            ([single], []) => Plan::Reverse { target, field: *single, single: false },
            ([], [list]) => Plan::Many { target, field: *list },
            ([], []) => {
                let other = self.type_at(target).map_or("", |ty| ty.name.as_str());
                let here = self.type_at(ty).map_or("", |ty| ty.name.as_str());
                let message = format!("nothing on \"{other}\" leads back to the list \"{}\"", field.name);
                let help = format!(
                    "add a reference of type {here} or a list [{here}!]! to \"{other}\", or name the counterpart with `@relation(field: \"…\")`"
                );
                self.error_with_help(codes::ONE_SIDED_LIST, field.span, message, help);
                Plan::Dropped
            }
            (singles, lists) => {
                let names: Vec<String> = singles
                    .iter()
                    .chain(lists)
                    .filter_map(|at| self.field_at(target, *at))
                    .map(|field| format!("`@relation(field: \"{}\")`", field.name))
                    .collect();
                let message = format!("the list \"{}\" could be several relations", field.name);
                let help = format!("say which: {}", names.join(" or "));
                self.error_with_help(codes::AMBIGUOUS_LIST, field.span, message, help);
                Plan::Dropped
            }
        }
    }

    fn refuse_list_arguments(&mut self, relation: &Application) {
        for name in ["onDelete", "refer"] {
            if relation.arguments.iter().any(|argument| argument.name == name) {
                let message = format!("`{name}` stands on a reference, not on a list");
                self.error(codes::RELATION, relation.span_of(name), message);
            }
        }
    }

    /// Whether another list of `ty` names this reference of `target` as its counterpart.
    fn claimed(&self, ty: usize, target: usize, single: usize) -> bool {
        let name = self.field_at(target, single).map(|field| field.name.as_str());
        self.fields_of_type(ty, target, true).into_iter().any(|list| {
            let relation = self.field_at(ty, list).and_then(|field| one(&field.directives, "relation"));
            relation
                .filter(|relation| relation.text("through").is_none())
                .and_then(|relation| relation.text("field"))
                .is_some_and(|field| Some(field.text.as_str()) == name)
        })
    }

    /// Whether a list names a counterpart other than `field`.
    fn names_another(&self, ty: usize, list: usize, field: &str) -> bool {
        let relation = self.field_at(ty, list).and_then(|list| one(&list.directives, "relation"));
        let through = relation.is_some_and(|relation| relation.text("through").is_some());
        through
            || relation.and_then(|relation| relation.text("field")).is_some_and(|named| named.text != field)
    }

    fn plan_named(
        &mut self,
        ty: usize,
        position: usize,
        target: usize,
        name: &str,
        relation: &Application,
    ) -> Plan {
        let span = relation.span_of("field");
        let here = self.type_at(ty).map_or("", |ty| ty.name.as_str());
        let Some(other) = self.counterpart(target, name) else {
            let fields = self.type_at(target).map(|ty| ty.fields.as_slice()).unwrap_or_default();
            let near = suggest::nearest(name, fields.iter().map(|field| field.name.as_str()));
            let message = format!(
                "type \"{}\" has no field \"{name}\"",
                self.type_at(target).map_or("", |ty| &ty.name)
            );
            let help = near.map_or_else(
                || format!("name a field of type {here}"),
                |near| format!("did you mean \"{near}\"?"),
            );
            self.error_with_help(codes::UNKNOWN_FIELD, span, message, help);
            return Plan::Dropped;
        };
        let fits = self.field_at(target, other).is_some_and(|field| field.ty == here);
        let list = self.field_at(target, other).is_some_and(|field| field.list);
        if !fits {
            self.error(codes::RELATION, span, format!("\"{name}\" does not lead back to \"{here}\""));
            return Plan::Dropped;
        }
        if !list {
            return Plan::Reverse { target, field: other, single: false };
        }
        if ty == target && other == position {
            let message = "a list cannot be its own counterpart";
            let help = "declare two lists that name each other, or a join type with `@relation(through:)`";
            self.error_with_help(codes::RELATION, span, message, help);
            return Plan::Dropped;
        }
        Plan::Many { target, field: other }
    }

    fn plan_through(&mut self, ty: usize, target: usize, relation: &Application) -> Plan {
        let (Some(through), span) = (relation.text("through"), relation.span_of("through")) else {
            return Plan::Dropped;
        };
        let Some(Named::Type(join)) = self.names.get(&through.text).copied() else {
            let types =
                self.draft.types.iter().map(|ty| ty.name.as_str()).filter(|name| !name.starts_with('_'));
            let near = suggest::nearest(&through.text, types);
            let help = near.map_or_else(
                || "name a type with a reference to each side".to_owned(),
                |near| format!("did you mean \"{near}\"?"),
            );
            self.error_with_help(
                codes::UNKNOWN_TYPE,
                span,
                format!("there is no type \"{}\"", through.text),
                help,
            );
            return Plan::Dropped;
        };
        let mut nears = self.fields_of_type(join, ty, false);
        if let Some(named) = relation.text("field") {
            let name = &named.text;
            nears.retain(|at| self.field_at(join, *at).is_some_and(|field| &field.name == name));
        }
        let [near] = nears.as_slice() else {
            let message = format!("\"{}\" has {} references that could lead here", through.text, nears.len());
            let help = "say which of its fields leads here: `@relation(through: \"…\", field: \"…\")`";
            self.error_with_help(codes::RELATION, relation.span, message, help);
            return Plan::Dropped;
        };
        let fars: Vec<usize> =
            self.fields_of_type(join, target, false).into_iter().filter(|at| at != near).collect();
        let [far] = fars.as_slice() else {
            let message = format!(
                "\"{}\" has {} references that could lead to the other side",
                through.text,
                fars.len()
            );
            self.error(codes::RELATION, relation.span, message);
            return Plan::Dropped;
        };
        Plan::Through { target, join, near: *near, far: *far }
    }

    /// n-n halves must name each other, one pair per two types; a reference has one reverse list.
    fn check_pairs(&mut self) {
        let mut pairs: Vec<(usize, usize, usize, usize)> = Vec::new();
        let mut reversed: Vec<(usize, usize)> = Vec::new();
        for (index, ty) in self.draft.types.iter().enumerate() {
            for (position, field) in ty.fields.iter().enumerate() {
                match self.plan(index, position) {
                    Plan::Many { target, field: other } => {
                        if self.plan(target, other) != (Plan::Many { target: index, field: position }) {
                            if self.plan(target, other) != Plan::Dropped {
                                let message = format!(
                                    "the counterpart of the list \"{}\" is another relation",
                                    field.name
                                );
                                self.error(codes::AMBIGUOUS_LIST, field.span, message);
                            }
                            self.set_plan(index, position, Plan::Dropped);
                            continue;
                        }
                        let pair = (index.min(target), index.max(target), position, other);
                        let second = pairs.iter().any(|(a, b, here, there)| {
                            (*a, *b) == (pair.0, pair.1) && !(*here == other && *there == position)
                        });
                        if second {
                            let message =
                                format!("\"{}\" is a second n-n relation between the same types", field.name);
                            let help =
                                "declare a join type with a reference to each side and `@relation(through:)`";
                            self.error_with_help(codes::RELATION, field.span, message, help);
                            self.set_plan(index, position, Plan::Dropped);
                        }
                        pairs.push(pair);
                    }
                    Plan::Reverse { target, field: other, .. } => {
                        if !matches!(self.plan(target, other), Plan::Reference { .. }) {
                            self.set_plan(index, position, Plan::Dropped);
                        } else if reversed.contains(&(target, other)) {
                            let message =
                                format!("\"{}\" is a second reverse side of the same reference", field.name);
                            self.error(codes::AMBIGUOUS_LIST, field.span, message);
                        }
                        reversed.push((target, other));
                    }
                    Plan::Column
                    | Plan::Computed
                    | Plan::Reference { .. }
                    | Plan::Through { .. }
                    | Plan::Dropped => {}
                }
            }
        }
    }

    /// Completes the relations whose columns lie in other tables.
    pub fn far_sides(&mut self) {
        for index in 0..self.draft.types.len() {
            let fields = self.type_at(index).map_or(0, |ty| ty.fields.len());
            for position in 0..fields {
                let kind = match self.plan(index, position) {
                    Plan::Reverse { target, field, single } => self.reverse_kind(target, field, single),
                    Plan::Through { join, near, far, .. } => self.through_kind(join, near, far),
                    Plan::Column
                    | Plan::Computed
                    | Plan::Reference { .. }
                    | Plan::Many { .. }
                    | Plan::Dropped => None,
                };
                let placed = self.placed.get(index).and_then(|placed| placed.get(position)).cloned();
                if let (Some(kind), Some(Placed::Far(id))) = (kind, placed)
                    && let Some(relation) = self.relation_mut(index, id)
                {
                    relation.kind = kind;
                }
            }
        }
    }

    pub fn relation_mut(&mut self, ty: usize, id: RelationId) -> Option<&mut Relation> {
        self.table_of(ty)?.relations.get_mut(usize::from(id.0))
    }

    /// The to-one relation that a field of the draft became.
    pub fn reference(&self, ty: usize, field: usize) -> Option<(RelationId, Vec<crate::catalog::ColumnId>)> {
        match self.placed.get(ty)?.get(field)? {
            Placed::Reference(id, columns) => Some((*id, columns.clone())),
            Placed::Column(_)
            | Placed::Far(_)
            | Placed::Computed(_)
            | Placed::Stored(..)
            | Placed::Dropped => None,
        }
    }

    fn reverse_kind(&self, target: usize, field: usize, single: bool) -> Option<RelationKind> {
        let (inverse, columns) = self.reference(target, field)?;
        let unique =
            self.field_at(target, field).is_some_and(|field| one(&field.directives, "unique").is_some());
        Some(RelationKind::ToMany { columns, inverse, single: single && unique })
    }

    fn through_kind(&self, join: usize, near: usize, far: usize) -> Option<RelationKind> {
        let junction = self.tables.get(join).copied().flatten()?;
        let (near, _) = self.reference(join, near)?;
        let (far, _) = self.reference(join, far)?;
        Some(RelationKind::ManyToMany { junction, near, far })
    }
}
