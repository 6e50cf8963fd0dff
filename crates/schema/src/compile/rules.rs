//! The rules of a schema: every CEL text of the draft checked against the finished
//! shape and put into its place in the catalog.

use crate::catalog::{
    Access, Arm, Catalog, Check, ColumnId, DefaultValue, Operation, Permit, RateLimit, RelationKind, Span,
    Table, TableId,
};
use crate::cel::check::{
    Environment, NamedRule, NamedRules, Reported, This, check, check_rule, check_value, parse_reported,
};
use crate::compile::build::{Built, Placed};
use crate::compile::draft::{Application, Draft, FieldDraft, TypeDraft, every, one};
use crate::compile::literal::Literal;
use crate::diagnostic::{Diagnostics, codes};
use crate::expr::plain::{is_plain, words};
use crate::expr::{End, Expr, ExprKind, Path, Ty};
use crate::name::object_name;
use backstay_base::suggest;
use std::cell::Cell;

/// Arguments of `@access` and `@deny`, the operations they govern, and whether `old` and `new` are there.
const ARGUMENTS: [(&str, &[Operation], bool); 6] = [
    ("all", &[Operation::Read, Operation::Create, Operation::Update, Operation::Delete], false),
    ("write", &[Operation::Create, Operation::Update, Operation::Delete], false),
    ("read", &[Operation::Read], false),
    ("create", &[Operation::Create], false),
    ("update", &[Operation::Update], true),
    ("delete", &[Operation::Delete], false),
];

/// Where a checked expression goes.
pub(super) enum Slot {
    Type(TableId, Operation, bool, Arm),
    Column(TableId, ColumnId, Operation, bool, Arm),
    Relation(TableId, usize, Operation, bool, Arm),
    Computed(TableId, usize, Operation, bool, Arm),
    Default(TableId, ColumnId, Expr),
    Set(TableId, ColumnId, bool, bool, Expr),
    Compute(TableId, usize, Expr),
    Refer(TableId, usize, Expr),
    Check(TableId, Check),
    Partial(TableId, usize, String, Expr),
    Limit(TableId, RateLimit),
}

/// Checks every rule of a schema.
pub(super) fn fill(draft: &Draft, built: &mut Built, diagnostics: &mut Diagnostics) -> NamedRules {
    let rules = named_rules(draft, diagnostics);
    let mut filler = Filler { catalog: &built.catalog, rules: &rules, diagnostics, slots: Vec::new() };
    for (index, ty) in draft.types.iter().enumerate() {
        let Some(table) = built.tables.get(index).copied().flatten() else { continue };
        let placed = built.placed.get(index).map(Vec::as_slice).unwrap_or_default();
        filler.type_rules(table, ty, placed);
        for (field, place) in ty.fields.iter().zip(placed) {
            filler.field_rules(table, ty, field, place);
        }
    }
    let slots = filler.slots;
    for slot in slots {
        place(&mut built.catalog, slot);
    }
    rules
}

fn named_rules(draft: &Draft, diagnostics: &mut Diagnostics) -> NamedRules {
    const TAKEN: [&str; 11] =
        ["size", "has", "allowed", "timestamp", "duration", "this", "old", "new", "auth", "request", "now"];
    let mut rules = NamedRules::new();
    for rule in every(&draft.rules, "rule") {
        let (Some(name), Some(expr)) = (rule.text("name"), rule.text("expr")) else { continue };
        let params = rule.names("params").unwrap_or_default();
        let identifier = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        for (word, span) in params.iter().map(|(word, span)| (word, *span)).chain([(&name.text, name.span)]) {
            if !identifier(word) || TAKEN.contains(&word.as_str()) {
                diagnostics.report(
                    codes::RESERVED_NAME,
                    span,
                    format!("a rule or parameter cannot be named \"{word}\""),
                );
            }
        }
        for (index, (param, span)) in params.iter().enumerate() {
            if params.iter().take(index).any(|(other, _)| other == param) {
                diagnostics.report(
                    codes::DUPLICATE,
                    *span,
                    format!("the parameter \"{param}\" is named twice"),
                );
            }
        }
        let syntax = parse_reported(expr, diagnostics).ok();
        let params = params.iter().map(|(param, _)| param.clone()).collect();
        let entry =
            NamedRule { params, literal: expr.clone(), syntax, span: name.span, used: Cell::new(false) };
        if rules.insert(name.text.clone(), entry).is_some() {
            diagnostics.report(
                codes::DUPLICATE,
                name.span,
                format!("the rule \"{}\" is defined twice", name.text),
            );
        }
    }
    rules
}

pub(super) struct Filler<'a> {
    pub(super) catalog: &'a Catalog,
    rules: &'a NamedRules,
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) slots: Vec<Slot>,
}

impl<'a> Filler<'a> {
    pub(super) fn environment(
        &self,
        this: Option<TableId>,
        update: bool,
        place: &'static str,
    ) -> Environment<'a> {
        Environment {
            catalog: self.catalog,
            rules: self.rules,
            this: this.map(|table| This { table, hops: Vec::new() }),
            update,
            caller: true,
            place,
        }
    }

    fn type_rules(&mut self, table: TableId, ty: &TypeDraft, placed: &[Placed]) {
        let mut numbers = Numbers::default();
        for directive in ty.directives.iter().filter(|d| matches!(d.name.as_str(), "access" | "deny")) {
            self.refuse_empty(directive);
            self.refuse_silent(directive);
            let fields = self.limited_to(table, ty, placed, directive);
            for (name, operations, update) in ARGUMENTS {
                let Some((expr, literal)) = self.rule(directive, name, table, update) else { continue };
                for operation in operations {
                    let deny = directive.name == "deny";
                    let id = numbers.id(&ty.name, *operation, deny);
                    let mut arm = arm(id, &expr, literal, directive);
                    arm.fields.clone_from(&fields);
                    self.slots.push(Slot::Type(table, *operation, deny, arm));
                }
            }
        }
        self.limits(table, ty);
        let checks: Vec<&Application> = every(&ty.directives, "check").collect();
        for (index, directive) in checks.iter().enumerate() {
            self.check(table, directive, index);
        }
        let of_fields = ty.fields.iter().flat_map(|field| &field.directives);
        for directive in ty.directives.iter().chain(of_fields) {
            if matches!(directive.name.as_str(), "unique" | "index") {
                self.partial(table, directive);
            }
        }
    }

    /// The condition of a partial index.
    fn partial(&mut self, table: TableId, directive: &Application) {
        let Some(literal) = directive.text("where") else { return };
        let mut partials = self.catalog.table(table).partials.iter();
        let Some(index) = partials.position(|partial| partial.span == directive.span) else { return };
        let mut environment = self.environment(Some(table), false, "an index");
        environment.caller = false;
        let Ok(expr) = check_rule(&environment, literal, self.diagnostics) else { return };
        if !is_plain(self.catalog.table(table), &expr) {
            let help = "compare columns of the row with each other, with literals and with null; \
                        join with `&&`, `||` and `!`";
            let message = "a database cannot keep an index by this condition";
            self.diagnostics.report_with_help(codes::PARTIAL, literal.span, message, help);
            return;
        }
        let name = partial_name(self.catalog.table(table), index, &expr);
        let taken = |slot: &Slot| matches!(slot, Slot::Partial(_, _, other, _) if *other == name);
        if self.slots.iter().any(taken) {
            let message = format!("`@{}` repeats an index of the type", directive.name);
            self.diagnostics.report(codes::DUPLICATE, directive.span, message);
            return;
        }
        self.slots.push(Slot::Partial(table, index, name, expr));
    }

    fn refuse_empty(&mut self, directive: &Application) {
        let named = |name: &str| !matches!(name, "message" | "fields");
        if directive.complete && !directive.arguments.iter().any(|argument| named(&argument.name)) {
            let message = format!("`@{}` names no operation", directive.name);
            self.diagnostics.report(codes::MISSING_ARGUMENT, directive.span, message);
        }
    }

    /// A row that may not be seen is not there: nobody is told why.
    fn refuse_silent(&mut self, directive: &Application) {
        let reads = |name: &str| matches!(name, "message" | "read");
        let silent = directive.arguments.iter().all(|argument| reads(&argument.name));
        if let (true, Some(message)) = (silent && directive.complete, directive.text("message"))
            && directive.text("read").is_some()
        {
            let help = "a hidden row is as if it were not there; leave the message out";
            let text = "nobody hears the message of a denied read";
            self.diagnostics.report_with_help(codes::UNFIT_DIRECTIVE, message.span, text, help);
        }
    }

    /// The columns that `@access(fields:)` limits its update rule to.
    fn limited_to(
        &mut self,
        table: TableId,
        ty: &TypeDraft,
        placed: &[Placed],
        directive: &Application,
    ) -> Option<Vec<ColumnId>> {
        let names = directive.names("fields")?;
        let span = directive.span_of("fields");
        for argument in directive.arguments.iter().filter(|a| !matches!(a.name.as_str(), "update" | "fields"))
        {
            let message = format!("`fields` limits an update, not `{}`", argument.name);
            let help = "write another `@access` for the other operations";
            self.diagnostics.report_with_help(codes::UNFIT_DIRECTIVE, argument.span, message, help);
        }
        if names.is_empty() {
            self.diagnostics.report(codes::ARGUMENT_VALUE, span, "`fields` names no fields");
        }
        let mut columns = Vec::new();
        for (name, span) in names {
            let place = ty.fields.iter().position(|field| &field.name == name);
            let place = place.and_then(|position| placed.get(position));
            let found: &[ColumnId] = match place {
                Some(Placed::Column(id) | Placed::Stored(id, _)) => std::slice::from_ref(id),
                Some(Placed::Reference(_, columns)) => columns,
                Some(Placed::Far(_) | Placed::Computed(_)) => {
                    let message = format!("\"{name}\" is not stored in \"{}\"", ty.name);
                    let help = "name columns or references of the type";
                    self.diagnostics.report_with_help(codes::UNKNOWN_FIELD, *span, message, help);
                    continue;
                }
                Some(Placed::Dropped) => continue,
                None => {
                    let near = suggest::nearest(name, ty.fields.iter().map(|field| field.name.as_str()));
                    let message = format!("type \"{}\" has no field \"{name}\"", ty.name);
                    let help = near.map_or_else(
                        || "name columns or references of the type".to_owned(),
                        |near| format!("did you mean \"{near}\"?"),
                    );
                    self.diagnostics.report_with_help(codes::UNKNOWN_FIELD, *span, message, help);
                    continue;
                }
            };
            self.refuse_unwritable(table, name, *span, found);
            columns.extend_from_slice(found);
        }
        Some(columns)
    }

    /// A field that no client names in an update has no place among `fields`.
    fn refuse_unwritable(&mut self, table: TableId, name: &str, span: Span, columns: &[ColumnId]) {
        let server = columns.iter().any(|id| {
            let fill = self.catalog.table(table).column(*id).fill;
            !matches!(fill, crate::catalog::Fill::None | crate::catalog::Fill::Client)
        });
        if server {
            let message = format!("\"{name}\" is set by the server: no client writes it");
            self.diagnostics.report(codes::UNFIT_DIRECTIVE, span, message);
        }
    }

    fn rule<'d>(
        &mut self,
        directive: &'d Application,
        argument: &str,
        table: TableId,
        update: bool,
    ) -> Option<(Expr, &'d Literal)> {
        let literal = directive.text(argument)?;
        let environment = self.environment(Some(table), update, "a rule");
        let expr = check_rule(&environment, literal, self.diagnostics).ok()?;
        Some((expr, literal))
    }

    fn check(&mut self, table: TableId, directive: &Application, index: usize) {
        let (Some(literal), Some(message)) = (directive.text("expr"), directive.text("message")) else {
            return;
        };
        let mut environment = self.environment(Some(table), false, "`@check`");
        environment.caller = false;
        let Ok(expr) = check_rule(&environment, literal, self.diagnostics) else { return };
        if expr.reads_relations() || expr.paths().iter().any(|path| !path.hops.is_empty()) {
            let help = "a check reads columns of its own row; put conditions on other rows into `@access`";
            self.diagnostics.report_with_help(codes::CHECK, literal.span, "the check leaves its row", help);
            return;
        }
        let number = if index == 0 { String::new() } else { index.to_string() };
        let name = object_name(&self.catalog.table(table).name, "", &format!("check{number}"));
        let check = Check { name, expr, message: message.text.clone(), span: literal.span };
        self.slots.push(Slot::Check(table, check));
    }

    fn field_rules(&mut self, table: TableId, ty: &TypeDraft, field: &FieldDraft, place: &Placed) {
        if *place == Placed::Dropped {
            return;
        }
        self.field_access(table, ty, field, place);
        if let Placed::Computed(id) | Placed::Stored(_, id) = place {
            let wanted = Ty::Scalar(self.catalog.table(table).computed_field(*id).ty);
            if let Some(literal) =
                one(&field.directives, "computed").and_then(|computed| computed.text("expr"))
            {
                let environment = self.environment(Some(table), false, "`@computed`");
                if let Ok(expr) = check_value(&environment, literal, &wanted, self.diagnostics) {
                    self.slots.push(Slot::Compute(table, usize::from(id.0), expr));
                }
            }
        }
        let columns = match place {
            Placed::Column(id) => std::slice::from_ref(id),
            Placed::Reference(_, columns) => columns.as_slice(),
            Placed::Far(_) | Placed::Computed(_) | Placed::Stored(..) | Placed::Dropped => return,
        };
        self.set(table, field, place, columns);
        self.default(table, field, place, columns);
        if let (Placed::Reference(id, _), Some(literal)) =
            (place, one(&field.directives, "relation").and_then(|relation| relation.text("refer")))
        {
            let target = self.catalog.table(table).relation(*id).target;
            let environment = self.environment(Some(target), false, "`@relation(refer:)`");
            if let Ok(expr) = check_rule(&environment, literal, self.diagnostics) {
                self.slots.push(Slot::Refer(table, usize::from(id.0), expr));
            }
        }
    }

    fn field_access(&mut self, table: TableId, ty: &TypeDraft, field: &FieldDraft, place: &Placed) {
        let mut numbers = Numbers::default();
        let name = format!("{}.{}", ty.name, field.name);
        for directive in field.directives.iter().filter(|d| matches!(d.name.as_str(), "access" | "deny")) {
            self.refuse_empty(directive);
            if directive.names("fields").is_some() {
                let help = "the rule of a field is about that field; `fields` belongs to rules of the type";
                let message = "`fields` has no meaning on a field";
                let span = directive.span_of("fields");
                self.diagnostics.report_with_help(codes::UNFIT_DIRECTIVE, span, message, help);
            }
            self.refuse_operations(table, field, place, directive);
            for (argument, operations, update) in ARGUMENTS {
                let Some((expr, literal)) = self.rule(directive, argument, table, update) else { continue };
                for operation in operations.iter().filter(|operation| **operation != Operation::Delete) {
                    let deny = directive.name == "deny";
                    let arm = arm(numbers.id(&name, *operation, deny), &expr, literal, directive);
                    self.place_field_arm(table, place, *operation, deny, &arm);
                }
            }
        }
    }

    fn place_field_arm(
        &mut self,
        table: TableId,
        place: &Placed,
        operation: Operation,
        deny: bool,
        arm: &Arm,
    ) {
        match place {
            Placed::Column(id) | Placed::Stored(id, _) => {
                self.slots.push(Slot::Column(table, *id, operation, deny, arm.clone()));
            }
            Placed::Reference(id, columns) => {
                self.slots.push(Slot::Relation(table, usize::from(id.0), operation, deny, arm.clone()));
                for column in columns {
                    self.slots.push(Slot::Column(table, *column, operation, deny, arm.clone()));
                }
            }
            Placed::Far(id) => {
                self.slots.push(Slot::Relation(table, usize::from(id.0), operation, deny, arm.clone()))
            }
            Placed::Computed(id) => {
                self.slots.push(Slot::Computed(table, usize::from(id.0), operation, deny, arm.clone()));
            }
            Placed::Dropped => {}
        }
    }

    /// Operations that mean nothing on this kind of field.
    fn refuse_operations(
        &mut self,
        table: TableId,
        field: &FieldDraft,
        place: &Placed,
        directive: &Application,
    ) {
        let junction = match place {
            Placed::Far(id) => {
                matches!(self.catalog.table(table).relation(*id).kind, RelationKind::ManyToMany { .. })
            }
            _ => false,
        };
        let (refused, help): (&[&str], &str) = match place {
            Placed::Far(_) if junction => (
                &["all", "read", "create", "update", "delete"],
                "linking and unlinking are governed by `write`; which rows are seen, by the rules of their types",
            ),
            Placed::Far(_) => (
                &["all", "read", "write", "create", "update", "delete"],
                "seeing and writing the rows of the list is governed by their own type",
            ),
            Placed::Column(id) if self.catalog.table(table).key.contains(id) => (
                &["all", "read", "delete"],
                "a key is what a row is known by: hide the row with a rule of the type",
            ),
            Placed::Computed(_) | Placed::Stored(..) => {
                (&["write", "create", "update", "delete"], "a computed field is only read")
            }
            Placed::Column(_) | Placed::Reference(..) => (&["delete"], "rows are deleted, not fields"),
            Placed::Dropped => (&[], ""),
        };
        for argument in
            directive.arguments.iter().filter(|argument| refused.contains(&argument.name.as_str()))
        {
            let message = format!("`{}` has no meaning on \"{}\"", argument.name, field.name);
            self.diagnostics.report_with_help(codes::UNFIT_DIRECTIVE, argument.span, message, help);
        }
    }

    /// The type that a value for a field has: a scalar, or a row for a reference.
    fn wanted(&self, table: TableId, place: &Placed) -> Option<Ty> {
        match place {
            Placed::Column(id) => Some(Ty::Scalar(self.catalog.table(table).column(*id).ty)),
            Placed::Reference(id, _) => Some(Ty::Row(self.catalog.table(table).relation(*id).target)),
            Placed::Far(_) | Placed::Computed(_) | Placed::Stored(..) | Placed::Dropped => None,
        }
    }

    /// A checked value for a field, one expression per column.
    fn value(
        &mut self,
        environment: &Environment<'_>,
        literal: &Literal,
        table: TableId,
        place: &Placed,
    ) -> Option<Vec<Expr>> {
        let wanted = self.wanted(table, place)?;
        let Ty::Row(target) = wanted else {
            return check_value(environment, literal, &wanted, self.diagnostics).ok().map(|expr| vec![expr]);
        };
        let Placed::Reference(_, columns) = place else { return None };
        let expr = check(environment, literal, self.diagnostics).ok()?;
        match key_exprs(self.catalog, &expr, target, columns.len()) {
            Ok(exprs) => Some(exprs),
            Err(Reported) => {
                let name = &self.catalog.table(target).type_name;
                let message = format!("expected a row of {name}");
                let help = "write a path that ends in one: `auth.user`, `this.order.customer`";
                self.diagnostics.report_with_help(codes::TYPES, literal.span, message, help);
                None
            }
        }
    }

    fn set(&mut self, table: TableId, field: &FieldDraft, place: &Placed, columns: &[ColumnId]) {
        let Some(set) = one(&field.directives, "set") else { return };
        let (always, create, update) = (set.text("always"), set.text("create"), set.text("update"));
        if (always.is_some() && (create.is_some() || update.is_some()))
            || (set.complete && set.arguments.is_empty())
        {
            let message = "`@set` takes `always`, or `create` and `update`";
            self.diagnostics.report(codes::SET, set.span, message);
        }
        if one(&field.directives, "default").is_some() && (always.is_some() || create.is_some()) {
            let message = format!("\"{}\" is set by the server and has no default", field.name);
            self.diagnostics.report(codes::SET, set.span, message);
        }
        let filled = columns.iter().any(|id| {
            let fill = self.catalog.table(table).column(*id).fill;
            !matches!(fill, crate::catalog::Fill::None | crate::catalog::Fill::Client)
        });
        if filled {
            let message = format!("\"{}\" is set by the server by itself", field.name);
            self.diagnostics.report(codes::SET, set.span, message);
        }
        for (literal, on_create, on_update) in
            [(always, true, true), (create, true, false), (update, false, true)]
        {
            let Some(literal) = literal else { continue };
            let environment = self.environment(Some(table), false, "`@set`");
            let Some(exprs) = self.value(&environment, literal, table, place) else { continue };
            for (column, expr) in columns.iter().zip(exprs) {
                self.slots.push(Slot::Set(table, *column, on_create, on_update, expr));
            }
        }
    }

    fn default(&mut self, table: TableId, field: &FieldDraft, place: &Placed, columns: &[ColumnId]) {
        let Some(default) = one(&field.directives, "default") else { return };
        if let (Placed::Reference(..), Some(_)) = (place, default.literal("value")) {
            let message = format!("\"{}\" is a reference; its default is an expression", field.name);
            let help = "write `@default(expr: \"auth.user\")`";
            self.diagnostics.report_with_help(codes::DEFAULT, default.span, message, help);
        }
        let filled = columns.iter().any(|id| {
            let fill = self.catalog.table(table).column(*id).fill;
            !matches!(fill, crate::catalog::Fill::None | crate::catalog::Fill::Client)
        });
        if filled && field.name != "id" {
            let message = format!("\"{}\" is set by the server by itself", field.name);
            self.diagnostics.report(codes::DEFAULT, default.span, message);
        }
        let Some(literal) = default.text("expr") else { return };
        let environment = self.environment(None, false, "`@default`");
        let Some(exprs) = self.value(&environment, literal, table, place) else { return };
        // the caller's own key is no read: `auth.user` as a reference
        let key = |path: &Path| {
            let user = self.catalog.user.map(|id| &self.catalog.table(id).key);
            path.hops.is_empty()
                && match &path.end {
                    End::Row => true,
                    End::Column(id) => user.is_some_and(|key| key.contains(id)),
                    End::Computed(_) | End::Json { .. } => false,
                }
        };
        let reads_rows = exprs
            .iter()
            .any(|expr| expr.reads_relations() || expr.paths().into_iter().any(|path| !key(path)));
        if reads_rows {
            let help = "use `@set(create:)` for values that read rows";
            self.diagnostics.report_with_help(codes::DEFAULT, literal.span, "a default reads no rows", help);
        }
        for (column, expr) in columns.iter().zip(exprs) {
            self.slots.push(Slot::Default(table, *column, expr));
        }
    }
}

/// A row as the values of its key.
fn key_exprs(catalog: &Catalog, expr: &Expr, target: TableId, count: usize) -> Result<Vec<Expr>, Reported> {
    if expr.ty == Ty::Null {
        return Ok(vec![expr.clone(); count]);
    }
    let (ExprKind::Path(path), Ty::Row(found)) = (&expr.kind, &expr.ty) else { return Err(Reported) };
    if *found != target {
        return Err(Reported);
    }
    let table = catalog.table(target);
    let column = |id: &ColumnId| Expr {
        kind: ExprKind::Path(Path { root: path.root, hops: path.hops.clone(), end: End::Column(*id) }),
        ty: Ty::Scalar(table.column(*id).ty),
        span: expr.span,
    };
    Ok(table.key.iter().map(column).collect())
}

/// `booking_room_id_key_5f2c01ab`: the hash (FNV-1a) of the condition tells a migration that it changed,
/// whatever words a database keeps of it.
fn partial_name(table: &Table, index: usize, condition: &Expr) -> String {
    let Some(partial) = table.partials.get(index) else { return String::new() };
    let columns: Vec<&str> = partial.columns.iter().map(|id| table.column(*id).name.as_str()).collect();
    let words = words(table, condition);
    let hash =
        words.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let label = if partial.unique { "key" } else { "idx" };
    object_name(&table.name, &columns.join("_"), &format!("{label}_{hash:08x}"))
}

/// Counts the rules of one type or field for their ids.
#[derive(Default)]
struct Numbers([[usize; 2]; 4]);

impl Numbers {
    fn id(&mut self, owner: &str, operation: Operation, deny: bool) -> String {
        let (index, word) = match operation {
            Operation::Read => (0, "read"),
            Operation::Create => (1, "create"),
            Operation::Update => (2, "update"),
            Operation::Delete => (3, "delete"),
        };
        let count = self.0.get_mut(index).and_then(|counts| counts.get_mut(usize::from(deny)));
        let number = count.map_or(0, |count| {
            *count += 1;
            *count
        });
        if deny { format!("{owner}.{word}.deny#{number}") } else { format!("{owner}.{word}#{number}") }
    }
}

fn arm(id: String, expr: &Expr, literal: &Literal, directive: &Application) -> Arm {
    Arm {
        id,
        expr: expr.clone(),
        text: literal.text.clone(),
        fields: None,
        message: directive.text("message").map(|message| message.text.clone()),
        span: literal.locate(0, literal.text.len()),
    }
}

/// The rules for one operation, to change.
pub(super) const fn permit_mut(access: &mut Access, operation: Operation) -> &mut Permit {
    match operation {
        Operation::Read => &mut access.read,
        Operation::Create => &mut access.create,
        Operation::Update => &mut access.update,
        Operation::Delete => &mut access.delete,
    }
}

fn add_arm(access: &mut Access, operation: Operation, deny: bool, arm: Arm) {
    let permit = permit_mut(access, operation);
    if deny { permit.deny.push(arm) } else { permit.allow.push(arm) }
}

fn place(catalog: &mut Catalog, slot: Slot) {
    let table_id = match &slot {
        Slot::Type(table, ..)
        | Slot::Column(table, ..)
        | Slot::Relation(table, ..)
        | Slot::Computed(table, ..)
        | Slot::Default(table, ..)
        | Slot::Set(table, ..)
        | Slot::Compute(table, ..)
        | Slot::Refer(table, ..)
        | Slot::Check(table, ..)
        | Slot::Partial(table, ..)
        | Slot::Limit(table, ..) => *table,
    };
    let Some(table) = catalog.tables.get_mut(usize::from(table_id.0)) else { return };
    match slot {
        Slot::Type(_, operation, deny, arm) => add_arm(&mut table.access, operation, deny, arm),
        Slot::Column(_, id, operation, deny, arm) => {
            if let Some(column) = table.columns.get_mut(usize::from(id.0)) {
                add_arm(&mut column.access, operation, deny, arm);
            }
        }
        Slot::Relation(_, index, operation, deny, arm) => {
            if let Some(relation) = table.relations.get_mut(index) {
                add_arm(&mut relation.access, operation, deny, arm);
            }
        }
        Slot::Computed(_, index, operation, deny, arm) => {
            if let Some(computed) = table.computed.get_mut(index) {
                add_arm(&mut computed.access, operation, deny, arm);
            }
        }
        Slot::Default(_, id, expr) => {
            if let Some(column) = table.columns.get_mut(usize::from(id.0)) {
                column.default = Some(DefaultValue::Expr(expr));
            }
        }
        Slot::Set(_, id, on_create, on_update, expr) => {
            if let Some(column) = table.columns.get_mut(usize::from(id.0)) {
                if on_create {
                    column.set_create = Some(expr.clone());
                }
                if on_update {
                    column.set_update = Some(expr);
                }
            }
        }
        Slot::Compute(_, index, expr) => {
            if let Some(computed) = table.computed.get_mut(index) {
                computed.expr = expr;
            }
        }
        Slot::Refer(_, index, expr) => {
            if let Some(relation) = table.relations.get_mut(index)
                && let RelationKind::ToOne { refer, .. } = &mut relation.kind
            {
                *refer = Some(expr);
            }
        }
        Slot::Check(_, check) => table.checks.push(check),
        Slot::Limit(_, limit) => table.limits.push(limit),
        Slot::Partial(_, index, name, expr) => {
            if let Some(partial) = table.partials.get_mut(index) {
                partial.name = name;
                partial.condition = expr;
            }
        }
    }
}
