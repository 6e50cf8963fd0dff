//! Rules of junctions: a link is visible if both ends are; linking and unlinking need
//! the `write` rules of the list fields that have them, else the update rules of both
//! rows (SEMANTICS 20). Nobody changes a link.

use crate::catalog::{Access, Arm, Catalog, Operation, Permit, RelationId, RelationKind, Span, TableId};
use crate::cel::check::{Environment, NamedRules, This, check_rule};
use crate::compile::build::{Built, Placed};
use crate::compile::draft::{Draft, FieldDraft};
use crate::diagnostic::Diagnostics;
use crate::expr::{End, Expr, ExprKind, Hop, Path, Root, Ty};
use crate::scalar::ScalarType;

const BOOLEAN: Ty = Ty::Scalar(ScalarType::Boolean);

/// One list field and the way from the junction to its row.
struct Half<'d> {
    field: &'d FieldDraft,
    hop: Hop,
}

/// Makes the rules of every junction.
pub(super) fn fill(draft: &Draft, built: &mut Built, rules: &NamedRules, diagnostics: &mut Diagnostics) {
    let junctions: Vec<TableId> = junction_ids(draft, built);
    for id in junctions {
        let halves = halves(draft, built, id);
        let access = access(&built.catalog, id, &halves, rules, diagnostics);
        if let Some(table) = built.catalog.tables.get_mut(usize::from(id.0)) {
            table.access = access;
        }
    }
}

fn list_fields<'a>(
    draft: &'a Draft,
    built: &'a Built,
) -> impl Iterator<Item = (&'a FieldDraft, TableId, RelationId)> {
    draft.types.iter().zip(&built.placed).zip(&built.tables).flat_map(|((ty, placed), table)| {
        ty.fields.iter().zip(placed).filter_map(move |(field, place)| match (place, table) {
            (Placed::Far(id), Some(table)) => Some((field, *table, *id)),
            _ => None,
        })
    })
}

/// Hidden junctions, not declared join types.
fn junction_ids(draft: &Draft, built: &Built) -> Vec<TableId> {
    let mut out: Vec<TableId> = Vec::new();
    let declared: Vec<TableId> = built.tables.iter().copied().flatten().collect();
    for (_, table, relation) in list_fields(draft, built) {
        if let RelationKind::ManyToMany { junction, .. } = built.catalog.table(table).relation(relation).kind
        {
            if !declared.contains(&junction) && !out.contains(&junction) {
                out.push(junction);
            }
        }
    }
    out
}

fn halves<'d>(draft: &'d Draft, built: &'d Built, id: TableId) -> Vec<Half<'d>> {
    let mut out = Vec::new();
    for (field, table, relation) in list_fields(draft, built) {
        if let RelationKind::ManyToMany { junction, near, .. } =
            built.catalog.table(table).relation(relation).kind
        {
            if junction == id {
                out.push(Half { field, hop: Hop { table: id, relation: near, target: table } });
            }
        }
    }
    out
}

fn access(
    catalog: &Catalog,
    id: TableId,
    halves: &[Half<'_>],
    rules: &NamedRules,
    diagnostics: &mut Diagnostics,
) -> Access {
    let table = catalog.table(id);
    let both = |operation: Operation, word: &str| {
        let ends: Vec<(Expr, String)> = table
            .relations
            .iter()
            .map(|relation| {
                let hop = Hop { table: id, relation: relation.id, target: relation.target };
                let row = Path { root: Root::This, hops: vec![hop], end: End::Row };
                let kind = ExprKind::Allowed { row, operation };
                let text = format!("allowed(this.{}, \"{word}\")", relation.name);
                (Expr { kind, ty: BOOLEAN, span: table.span }, text)
            })
            .collect();
        joined(ends, "&&", table.span)
    };
    let mut ruled: Vec<(Expr, String)> = Vec::new();
    let mut deny: Vec<Expr> = Vec::new();
    let mut messages: Vec<(String, Option<String>)> = Vec::new();
    for half in halves {
        let mut any: Vec<(Expr, String)> = Vec::new();
        for directive in half.field.directives.iter().filter(|d| matches!(d.name.as_str(), "access" | "deny"))
        {
            for argument in ["all", "write"] {
                let Some(literal) = directive.text(argument) else { continue };
                let this = This { table: half.hop.target, hops: vec![half.hop] };
                let environment = Environment {
                    catalog,
                    rules,
                    this: Some(this),
                    update: false,
                    caller: true,
                    place: "a rule",
                };
                // mistakes were reported where the rule stands on its field
                let Ok(expr) = check_rule(&environment, literal, diagnostics) else { continue };
                if directive.name == "deny" {
                    deny.push(expr);
                    messages.push((
                        literal.text.clone(),
                        directive.text("message").map(|text| text.text.clone()),
                    ));
                } else {
                    any.push((expr, literal.text.clone()));
                }
            }
        }
        ruled.extend(joined(any, "||", half.field.span));
    }
    let write =
        if ruled.is_empty() { both(Operation::Update, "update") } else { joined(ruled, "&&", table.span) };
    let permit = |word: &str, rule: Option<&(Expr, String)>| Permit {
        allow: rule
            .map(|(expr, text)| link_arm(format!("{}.{word}#1", table.type_name), expr, text, None))
            .into_iter()
            .collect(),
        deny: Vec::new(),
    };
    let denied = |word: &str| -> Vec<Arm> {
        deny.iter()
            .zip(&messages)
            .enumerate()
            .map(|(index, (expr, (text, message)))| {
                link_arm(
                    format!("{}.{word}.deny#{}", table.type_name, index + 1),
                    expr,
                    text,
                    message.clone(),
                )
            })
            .collect()
    };
    let read = both(Operation::Read, "read");
    Access {
        read: permit("read", read.as_ref()),
        create: Permit { deny: denied("create"), ..permit("create", write.as_ref()) },
        update: Permit::default(),
        delete: Permit { deny: denied("delete"), ..permit("delete", write.as_ref()) },
    }
}

fn link_arm(id: String, expr: &Expr, text: &str, message: Option<String>) -> Arm {
    Arm { id, expr: expr.clone(), text: text.to_owned(), message, span: expr.span }
}

/// All parts by one operator.
fn joined(parts: Vec<(Expr, String)>, operator: &str, span: Span) -> Option<(Expr, String)> {
    let wrap = parts.len() > 1;
    parts.into_iter().map(|(expr, text)| (expr, if wrap { format!("({text})") } else { text })).reduce(
        |(a, x), (b, y)| {
            let (a, b) = (Box::new(a), Box::new(b));
            let kind = if operator == "&&" { ExprKind::And(a, b) } else { ExprKind::Or(a, b) };
            (Expr { kind, ty: BOOLEAN, span }, format!("{x} {operator} {y}"))
        },
    )
}
