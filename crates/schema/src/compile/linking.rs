//! Rules of junctions: a link is visible if both ends are; linking and unlinking need
//! the `write` rules of the list fields that have them, else the update rules of both
//! rows (SEMANTICS 20). Nobody changes a link.

use crate::catalog::{
    Access, Arm, Catalog, Operation, Permit, RelationId, RelationKind, Span, Table, TableId,
};
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
            && !declared.contains(&junction)
            && !out.contains(&junction)
        {
            out.push(junction);
        }
    }
    out
}

fn halves<'d>(draft: &'d Draft, built: &'d Built, id: TableId) -> Vec<Half<'d>> {
    let mut out = Vec::new();
    for (field, table, relation) in list_fields(draft, built) {
        if let RelationKind::ManyToMany { junction, near, .. } =
            built.catalog.table(table).relation(relation).kind
            && junction == id
        {
            out.push(Half { field, hop: Hop { table: id, relation: near, target: table } });
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
    let (ruled, denials) = list_rules(catalog, table, halves, rules, diagnostics);
    let write = match ruled {
        Some(ruled) => Some(ruled),
        None => both_ends(table, Operation::Update, "update"),
    };
    let read = both_ends(table, Operation::Read, "read");
    let permit = |word: &str, rule: &Option<Part>, denials: &[(Part, Option<String>)]| {
        let name = &table.type_name;
        let allow = rule.iter().map(|part| link_arm(format!("{name}.{word}#1"), part, None));
        let deny = denials.iter().enumerate().map(|(index, (part, message))| {
            link_arm(format!("{name}.{word}.deny#{}", index + 1), part, message.clone())
        });
        Permit { allow: allow.collect(), deny: deny.collect() }
    };
    Access {
        read: permit("read", &read, &[]),
        create: permit("create", &write, &denials),
        update: Permit::default(),
        delete: permit("delete", &write, &denials),
    }
}

/// A condition and its text.
type Part = (Expr, String);

/// `allowed` of the rows at both ends.
fn both_ends(table: &Table, operation: Operation, word: &str) -> Option<Part> {
    let ends: Vec<Part> = table
        .relations
        .iter()
        .map(|relation| {
            let hop = Hop { table: table.id, relation: relation.id, target: relation.target };
            let row = Path { root: Root::This, hops: vec![hop], end: End::Row };
            let kind = ExprKind::Allowed { row, operation };
            let text = format!("allowed(this.{}, \"{word}\")", relation.name);
            (Expr { kind, ty: BOOLEAN, span: table.span }, text)
        })
        .collect();
    joined(ends, "&&", table.span)
}

/// The rules of the list fields, seen from the junction: what must hold, and what denies.
fn list_rules(
    catalog: &Catalog,
    table: &Table,
    halves: &[Half<'_>],
    rules: &NamedRules,
    diagnostics: &mut Diagnostics,
) -> (Option<Part>, Vec<(Part, Option<String>)>) {
    let mut ruled: Vec<Part> = Vec::new();
    let mut denials: Vec<(Part, Option<String>)> = Vec::new();
    for half in halves {
        let mut any: Vec<Part> = Vec::new();
        for directive in half.field.directives.iter().filter(|d| matches!(d.name.as_str(), "access" | "deny"))
        {
            for literal in ["all", "write"].into_iter().filter_map(|argument| directive.text(argument)) {
                let this = Some(This { table: half.hop.target, hops: vec![half.hop] });
                let environment =
                    Environment { catalog, rules, this, update: false, caller: true, place: "a rule" };
                // mistakes were reported where the rule stands on its field
                let Ok(expr) = check_rule(&environment, literal, diagnostics) else { continue };
                let part = (expr, literal.text.clone());
                if directive.name == "deny" {
                    denials.push((part, directive.text("message").map(|text| text.text.clone())));
                } else {
                    any.push(part);
                }
            }
        }
        ruled.extend(joined(any, "||", half.field.span));
    }
    (joined(ruled, "&&", table.span), denials)
}

fn link_arm(id: String, (expr, text): &Part, message: Option<String>) -> Arm {
    Arm { id, expr: expr.clone(), text: text.clone(), fields: None, message, span: expr.span }
}

/// All parts by one operator.
fn joined(parts: Vec<Part>, operator: &str, span: Span) -> Option<Part> {
    let wrap = parts.len() > 1;
    parts.into_iter().map(|(expr, text)| (expr, if wrap { format!("({text})") } else { text })).reduce(
        |(a, x), (b, y)| {
            let (a, b) = (Box::new(a), Box::new(b));
            let kind = if operator == "&&" { ExprKind::And(a, b) } else { ExprKind::Or(a, b) };
            (Expr { kind, ty: BOOLEAN, span }, format!("{x} {operator} {y}"))
        },
    )
}
