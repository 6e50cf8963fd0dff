//! Walking checked expressions: every part, every path, and a fold over what is
//! known when the schema is loaded.

use crate::expr::{CompareOp, End, Expr, ExprKind, Over, Path};
use crate::value::Value;

impl Expr {
    /// The parts directly below this one.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Path(_)
            | ExprKind::Auth(_)
            | ExprKind::Request(_)
            | ExprKind::Var(_)
            | ExprKind::Allowed { .. }
            | ExprKind::Has(_) => Vec::new(),
            ExprKind::List(items) | ExprKind::Call(_, items) => items.iter().collect(),
            ExprKind::Not(a) | ExprKind::Negate(a) | ExprKind::Cast(a) => vec![a],
            ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::Compare(_, a, b)
            | ExprKind::Arithmetic(_, a, b)
            | ExprKind::Concat(a, b)
            | ExprKind::In(a, b) => vec![a, b],
            ExprKind::If(a, b, c) => vec![a, b, c],
            ExprKind::Quantifier { over: Over::List(list), body, .. } => vec![list, body],
            ExprKind::Quantifier { over: Over::Relation(_), body, .. } | ExprKind::Rule { body, .. } => {
                vec![body]
            }
            ExprKind::Aggregate { filter, value, .. } => {
                filter.iter().chain(value).map(|part| &**part).collect()
            }
        }
    }

    /// How many parts it has, and how many levels.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        let below = self.children().into_iter().map(Self::extent);
        let (size, height) = below.fold((0, 0), |(size, height), (s, h)| (size + s, height.max(h)));
        (size + 1, height + 1)
    }

    /// Calls `see` for this part and every part below it, outermost first.
    pub fn visit<'e>(&'e self, see: &mut dyn FnMut(&'e Self)) {
        see(self);
        for child in self.children() {
            child.visit(see);
        }
    }

    /// Every path that the expression reads, those to the rows of lists included.
    #[must_use]
    pub fn paths(&self) -> Vec<&Path> {
        let mut out = Vec::new();
        self.visit(&mut |part| match &part.kind {
            ExprKind::Path(path) | ExprKind::Has(path) | ExprKind::Allowed { row: path, .. } => {
                out.push(path)
            }
            ExprKind::Quantifier { over: Over::Relation(relation), .. }
            | ExprKind::Aggregate { over: relation, .. } => {
                out.push(&relation.row);
            }
            ExprKind::Const(_)
            | ExprKind::List(_)
            | ExprKind::Auth(_)
            | ExprKind::Request(_)
            | ExprKind::Var(_)
            | ExprKind::Not(_)
            | ExprKind::Negate(_)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Compare(..)
            | ExprKind::Arithmetic(..)
            | ExprKind::Concat(..)
            | ExprKind::If(..)
            | ExprKind::In(..)
            | ExprKind::Call(..)
            | ExprKind::Quantifier { over: Over::List(_), .. }
            | ExprKind::Rule { .. }
            | ExprKind::Cast(_) => {}
        });
        out
    }

    /// Whether it reads other rows than those it starts from: relations, lists, computed
    /// fields, rules of other types. A reference compared by its key does not.
    #[must_use]
    pub fn reads_relations(&self) -> bool {
        let mut found = false;
        self.visit(&mut |part| {
            found |= match &part.kind {
                ExprKind::Path(path) | ExprKind::Has(path) => leaves_row(path),
                ExprKind::Quantifier { over: Over::Relation(_), .. }
                | ExprKind::Aggregate { .. }
                | ExprKind::Allowed { .. } => true,
                _ => false,
            };
        });
        found
    }

    /// What it is for every row and caller, where that is known: literals folded through
    /// logic, comparisons of literals, named rules.
    #[must_use]
    pub fn constant(&self) -> Option<bool> {
        self.fold(&|_| None)
    }

    /// As [`Expr::constant`], with an oracle for parts that it knows.
    pub fn fold(&self, known: &dyn Fn(&Self) -> Option<bool>) -> Option<bool> {
        if let Some(answer) = known(self) {
            return Some(answer);
        }
        match &self.kind {
            ExprKind::Const(Value::Bool(value)) => Some(*value),
            ExprKind::Not(a) => a.fold(known).map(|value| !value),
            ExprKind::And(a, b) => match (a.fold(known), b.fold(known)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            ExprKind::Or(a, b) => match (a.fold(known), b.fold(known)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            ExprKind::If(c, a, b) => match c.fold(known) {
                Some(true) => a.fold(known),
                Some(false) => b.fold(known),
                None => None,
            },
            ExprKind::Rule { body, .. } => body.fold(known),
            ExprKind::Compare(op, a, b) => match (&a.kind, &b.kind) {
                (ExprKind::Const(a), ExprKind::Const(b)) => compare(*op, a, b),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether a path reads a row that it does not start from.
fn leaves_row(path: &Path) -> bool {
    match path.end {
        End::Computed(_) => true,
        End::Row => path.hops.len() > 1,
        End::Column(_) | End::Json { .. } => !path.hops.is_empty(),
    }
}

fn compare(op: CompareOp, a: &Value, b: &Value) -> Option<bool> {
    let order = a.compare(b)?;
    Some(match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    })
}
