//! Checked expressions as text, so that tests compare whole trees.

use backstay_schema::catalog::{Catalog, TableId};
use backstay_schema::expr::{
    AuthField, End, Expr, ExprKind, Over, Path, RelationPath, RequestField, Root, Ty, VarId,
};
use backstay_schema::scalar::ScalarType;

/// Shows expressions of one table.
pub struct Shown<'a> {
    pub catalog: &'a Catalog,
    pub this: TableId,
    pub vars: Vec<(VarId, TableId)>,
}

pub fn expr(catalog: &Catalog, this: TableId, expr: &Expr) -> String {
    let mut shown = Shown { catalog, this, vars: Vec::new() };
    shown.expr(expr)
}

impl Shown<'_> {
    fn ty(&self, ty: &Ty) -> String {
        match ty {
            Ty::Scalar(ScalarType::Decimal { digits, scale }) => format!("Decimal({digits},{scale})"),
            Ty::Scalar(scalar) => scalar.schema_name(self.catalog).into_owned(),
            other => format!("{other:?}"),
        }
    }

    fn path(&mut self, path: &Path) -> String {
        let (mut out, start) = match path.root {
            Root::This => ("this".to_owned(), self.this),
            Root::Old => ("old".to_owned(), self.this),
            Root::New => ("new".to_owned(), self.this),
            Root::AuthUser => ("auth.user".to_owned(), self.catalog.user.unwrap()),
            Root::Var(var) => {
                (format!("v{}", var.0), self.vars.iter().rev().find(|(known, _)| *known == var).unwrap().1)
            }
        };
        let mut table = start;
        for hop in &path.hops {
            assert_eq!(hop.table, table, "hops follow each other");
            out.push_str(&format!(".{}", self.catalog.table(table).relation(hop.relation).name));
            table = hop.target;
        }
        let table = self.catalog.table(table);
        match &path.end {
            End::Row => {}
            End::Column(id) => out.push_str(&format!(".{}", table.column(*id).name)),
            End::Computed(id) => out.push_str(&format!(".{}()", table.computed_field(*id).name)),
            End::Json { column, members } => {
                out.push_str(&format!(".{}->{}", table.column(*column).name, members.join("->")));
            }
        }
        out
    }

    fn rows(&mut self, path: &RelationPath) -> String {
        let row = self.path(&path.row);
        format!("{row}.{}", self.catalog.table(path.hop.table).relation(path.hop.relation).name)
    }

    fn list(&mut self, items: &[Expr]) -> String {
        items.iter().map(|item| self.expr(item)).collect::<Vec<_>>().join(", ")
    }

    pub fn expr(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Const(value) => match &expr.ty {
                Ty::Scalar(ScalarType::String) => format!("'{}'", value.to_text()),
                Ty::Scalar(ScalarType::Int | ScalarType::Boolean) | Ty::Null => value.to_text(),
                ty => format!("{}'{}'", self.ty(ty), value.to_text()),
            },
            ExprKind::List(items) => format!("[{}]", self.list(items)),
            ExprKind::Path(path) => self.path(path),
            ExprKind::Auth(AuthField::Claim(path)) => format!("auth.claims.{}", path.join(".")),
            ExprKind::Auth(field) => format!("auth.{field:?}").to_lowercase(),
            ExprKind::Request(RequestField::Header(name)) => format!("request.headers[{name}]"),
            ExprKind::Request(field) => format!("request.{field:?}").to_lowercase(),
            ExprKind::Var(var) => format!("v{}", var.0),
            ExprKind::Not(a) => format!("!({})", self.expr(a)),
            ExprKind::Negate(a) => format!("-({})", self.expr(a)),
            ExprKind::And(a, b) => format!("({} && {})", self.expr(a), self.expr(b)),
            ExprKind::Or(a, b) => format!("({} || {})", self.expr(a), self.expr(b)),
            ExprKind::Compare(op, a, b) => format!("{} {op:?} {}", self.expr(a), self.expr(b)),
            ExprKind::Arithmetic(op, a, b) => {
                let ty = self.ty(&expr.ty);
                format!("({} {op:?} {}):{ty}", self.expr(a), self.expr(b))
            }
            ExprKind::Concat(a, b) => format!("({} ++ {})", self.expr(a), self.expr(b)),
            ExprKind::If(c, a, b) => format!("({} ? {} : {})", self.expr(c), self.expr(a), self.expr(b)),
            ExprKind::In(a, b) => format!("{} in {}", self.expr(a), self.expr(b)),
            ExprKind::Call(function, args) => format!("{function:?}({})", self.list(args)),
            ExprKind::Quantifier { quantifier, over, var, body } => {
                let over = match over {
                    Over::Relation(path) => {
                        self.vars.push((*var, path.hop.target));
                        self.rows(path)
                    }
                    Over::List(list) => self.expr(list),
                };
                format!("{quantifier:?}(v{} of {over}: {})", var.0, self.expr(body))
            }
            ExprKind::Aggregate { function, over, var, filter, value } => {
                self.vars.push((*var, over.hop.target));
                let mut out = format!("{function:?}(v{} of {}", var.0, self.rows(over));
                if let Some(filter) = filter {
                    out.push_str(&format!(" where {}", self.expr(filter)));
                }
                if let Some(value) = value {
                    out.push_str(&format!(": {}", self.expr(value)));
                }
                format!("{out}):{}", self.ty(&expr.ty))
            }
            ExprKind::Allowed { row, operation } => format!("Allowed({}, {operation:?})", self.path(row)),
            ExprKind::Has(path) => format!("Has({})", self.path(path)),
            ExprKind::Rule { name, body } => format!("{name}{{{}}}", self.expr(body)),
            ExprKind::Cast(a) => format!("{}({})", self.ty(&expr.ty), self.expr(a)),
        }
    }
}
