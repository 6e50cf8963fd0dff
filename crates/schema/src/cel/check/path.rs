//! Names and members: roots of rows, the caller, the request, columns, relations and
//! members of JSON.

use super::{Checked, Checker, RowTerm, RowsTerm, Term, root_path};
use crate::catalog::{Column, EmbeddedId, Fill, Member, MemberType, RelationKind, Shape};
use crate::cel::MAX_RELATION_HOPS;
use crate::cel::syntax::{Syntax, SyntaxKind, Word};
use crate::diagnostic::codes;
use crate::expr::{AuthField, End, Expr, ExprKind, Hop, Path, RelationPath, RequestField, Root, Ty};
use crate::scalar::ScalarType;

pub(super) const AUTH_MEMBERS: [&str; 6] = ["user", "uid", "role", "email", "aal", "claims"];
pub(super) const REQUEST_MEMBERS: [&str; 6] = ["time", "op", "method", "ip", "changed", "headers"];

impl Checker<'_, '_> {
    pub(super) fn name(&mut self, name: &str, syntax: &Syntax) -> Checked<Term> {
        if let Some((_, term)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            let mut term = term.clone();
            match &mut term {
                // each use of a list ranges over it anew
                Term::Rows(rows) => rows.var = self.new_var(),
                Term::Value(expr) => self.bound_copy(expr, syntax)?,
                Term::Row(_) | Term::Auth | Term::Request | Term::Headers => {}
            }
            return Ok(term);
        }
        let span = self.span_of(syntax);
        match name {
            "this" => match self.environment.this.clone() {
                Some(this) => {
                    let path = Path { root: Root::This, hops: this.hops, end: End::Row };
                    Ok(Term::Row(RowTerm { path, table: this.table, hops: 0 }))
                }
                None => {
                    let message = format!("there is no row in {}", self.environment.place);
                    self.fail(codes::NOT_HERE, span, message)
                }
            },
            "old" | "new" => match self.environment.this.clone().filter(|_| self.environment.update) {
                Some(this) => {
                    let root = if name == "old" { Root::Old } else { Root::New };
                    let path = Path { root, hops: this.hops, end: End::Row };
                    Ok(Term::Row(RowTerm { path, table: this.table, hops: 0 }))
                }
                None => {
                    let message = format!("`{name}` exists only in update rules");
                    self.fail_with(
                        codes::NOT_AN_UPDATE,
                        span,
                        message,
                        "use `this`, or move the condition to `update:`",
                    )
                }
            },
            "auth" | "request" | "now" if !self.environment.caller => {
                let message = format!("`{name}` is not available in {}", self.environment.place);
                self.fail(codes::NOT_HERE, span, message)
            }
            "auth" => Ok(Term::Auth),
            "request" => Ok(Term::Request),
            "now" => Ok(request(RequestField::Time, Ty::Scalar(ScalarType::Timestamp), span)),
            _ => self.unknown_name(name, syntax),
        }
    }

    fn unknown_name(&mut self, name: &str, syntax: &Syntax) -> Checked<Term> {
        let span = self.span_of(syntax);
        let message = format!("there is no `{name}` in this rule");
        let this = self.environment.this.as_ref().map(|this| this.table);
        if this.is_some_and(|table| self.catalog().table(table).members.contains_key(name)) {
            return self.fail_with(
                codes::UNKNOWN_NAME,
                span,
                message,
                format!("did you mean `this.{name}`?"),
            );
        }
        if self.environment.rules.contains_key(name) {
            return self.fail_with(
                codes::UNKNOWN_NAME,
                span,
                message,
                format!("named rules are called: `{name}()`"),
            );
        }
        let member = self.catalog().enums.iter().find(|e| e.members.iter().any(|member| member.name == name));
        if member.is_some() {
            let help = format!("enum members are strings in rules: '{name}'");
            return self.fail_with(codes::UNKNOWN_NAME, span, message, help);
        }
        let scope: Vec<String> = self.scope.iter().map(|(name, _)| name.clone()).collect();
        let mut known: Vec<&str> = scope.iter().map(String::as_str).collect();
        known.extend(["this", "auth", "request", "now"]);
        if self.environment.update {
            known.extend(["old", "new"]);
        }
        self.fail_near(codes::UNKNOWN_NAME, span, message, name, &known)
    }

    pub(super) fn member(&mut self, of: &Syntax, word: &Word, syntax: &Syntax) -> Checked<Term> {
        let term = self.term(of)?;
        let span = self.span(word.start, word.end);
        match term {
            Term::Row(row) => self.row_member(row, word, syntax),
            Term::Auth => self.auth_member(word, syntax),
            Term::Request => self.request_member(word, syntax),
            Term::Headers => {
                let whole = self.span_of(syntax);
                Ok(request(
                    RequestField::Header(word.text.to_ascii_lowercase()),
                    Ty::Scalar(ScalarType::String),
                    whole,
                ))
            }
            Term::Rows(_) => {
                let message = format!("`{}` is a member of each row, not of the list", word.text);
                let help = format!(
                    "ask it: `list.exists(x, x.{} == …)` or `list.map(x, x.{}).sum()`",
                    word.text, word.text
                );
                self.fail_with(codes::UNSUPPORTED, span, message, help)
            }
            Term::Value(expr) => self.value_member(expr, &word.text, span, syntax),
        }
    }

    /// A member inside JSON.
    fn value_member(
        &mut self,
        expr: Expr,
        name: &str,
        span: crate::catalog::Span,
        syntax: &Syntax,
    ) -> Checked<Term> {
        let whole = self.span_of(syntax);
        let ty = match &expr.ty {
            Ty::Embedded(id) => self.embedded_member(*id, name, span)?,
            _ => Ty::Dynamic,
        };
        match (expr.kind, &expr.ty) {
            (
                ExprKind::Path(Path { root, hops, end: End::Json { column, mut members } }),
                Ty::Dynamic | Ty::Scalar(ScalarType::Json) | Ty::Embedded(_),
            ) => {
                members.push(name.to_owned());
                let path = Path { root, hops, end: End::Json { column, members } };
                Ok(Term::Value(Expr { kind: ExprKind::Path(path), ty, span: whole }))
            }
            (
                ExprKind::Path(Path { root, hops, end: End::Column(column) }),
                Ty::Scalar(ScalarType::Json) | Ty::Embedded(_),
            ) => {
                let path = Path { root, hops, end: End::Json { column, members: vec![name.to_owned()] } };
                Ok(Term::Value(Expr { kind: ExprKind::Path(path), ty, span: whole }))
            }
            (ExprKind::Auth(AuthField::Claim(mut path)), _) => {
                if name == "user_metadata" {
                    let help = "clients write it themselves; use `auth.role`, app_metadata or a field of the `@user` type";
                    return self.fail_with(
                        codes::USER_METADATA,
                        span,
                        "rules may not read user_metadata",
                        help,
                    );
                }
                path.push(name.to_owned());
                Ok(Term::Value(Expr {
                    kind: ExprKind::Auth(AuthField::Claim(path)),
                    ty: Ty::Dynamic,
                    span: whole,
                }))
            }
            (_, ty) => {
                let message = format!("{} has no member `{name}`", self.shown(ty));
                self.fail(codes::UNKNOWN_MEMBER, span, message)
            }
        }
    }

    /// The type of a member of a document. What has no stored form of its own in JSON, and lists, are
    /// known only at run time.
    fn embedded_member(&mut self, id: EmbeddedId, name: &str, span: crate::catalog::Span) -> Checked<Ty> {
        let ty = self.catalog().embedded_type(id);
        let Some(member) = ty.member(name) else {
            let message = format!("type \"{}\" has no member \"{name}\"", ty.name);
            let known: Vec<&str> = ty.members.iter().map(|member| member.name.as_str()).collect();
            return self.fail_near(codes::UNKNOWN_MEMBER, span, message, name, &known);
        };
        Ok(match (member.ty, member.list) {
            (_, Some(_)) => Ty::Scalar(ScalarType::Json),
            (MemberType::Embedded(id), None) => Ty::Embedded(id),
            (MemberType::Scalar(ScalarType::Duration | ScalarType::Bytes), None) => Ty::Dynamic,
            (MemberType::Scalar(scalar), None) => Ty::Scalar(scalar),
        })
    }

    fn row_member(&mut self, row: RowTerm, word: &Word, syntax: &Syntax) -> Checked<Term> {
        let table = self.catalog().table(row.table);
        let whole = self.span_of(syntax);
        let RowTerm { path: Path { root, hops, .. }, .. } = &row;
        let ended = |end: End| Path { root: *root, hops: hops.clone(), end };
        match table.members.get(&word.text) {
            // a rule reads what would be stored, also before it is
            Some(Member::Column(id)) if let Fill::Stored(id) = table.column(*id).fill => {
                let ty = Ty::Scalar(table.computed_field(id).ty);
                Ok(Term::Value(Expr { kind: ExprKind::Path(ended(End::Computed(id))), ty, span: whole }))
            }
            Some(Member::Column(id)) => {
                let ty = column_type(table.column(*id));
                Ok(Term::Value(Expr { kind: ExprKind::Path(ended(End::Column(*id))), ty, span: whole }))
            }
            Some(Member::Computed(id)) => {
                let ty = Ty::Scalar(table.computed_field(*id).ty);
                Ok(Term::Value(Expr { kind: ExprKind::Path(ended(End::Computed(*id))), ty, span: whole }))
            }
            Some(Member::Relation(id)) => self.follow(row, *id, word),
            None => {
                let message = format!("type \"{}\" has no field \"{}\"", table.type_name, word.text);
                let mut known: Vec<&str> = table.members.keys().map(String::as_str).collect();
                known.sort_unstable();
                let span = self.span(word.start, word.end);
                let near = backstay_base::suggest::nearest(&word.text, known);
                match near {
                    Some(near) => self.fail_with(
                        codes::UNKNOWN_MEMBER,
                        span,
                        message,
                        format!("did you mean \"{near}\"?"),
                    ),
                    None => self.fail(codes::UNKNOWN_MEMBER, span, message),
                }
            }
        }
    }

    fn follow(&mut self, row: RowTerm, relation: crate::catalog::RelationId, word: &Word) -> Checked<Term> {
        let found = self.catalog().table(row.table).relation(relation);
        let hop = Hop { table: row.table, relation, target: found.target };
        let hops = row.hops + 1;
        if hops > MAX_RELATION_HOPS {
            let message = format!(
                "the rule follows more than {MAX_RELATION_HOPS} relations to reach \"{}\"",
                word.text
            );
            let span = self.span(word.start, word.end);
            let help = "store what the rule needs nearer, or delegate: `allowed(this.order, \"read\")`";
            return self.fail_with(codes::TOO_DEEP, span, message, help);
        }
        let to_one = match &found.kind {
            RelationKind::ToOne { .. } => true,
            RelationKind::ToMany { single, .. } => *single,
            RelationKind::ManyToMany { .. } => false,
        };
        if to_one {
            let mut path = row.path;
            path.hops.push(hop);
            return Ok(Term::Row(RowTerm { path, table: hop.target, hops }));
        }
        let var = self.new_var();
        let path = RelationPath { row: row.path, hop };
        Ok(Term::Rows(Box::new(RowsTerm { path, target: hop.target, hops, var, filter: None, value: None })))
    }

    fn auth_member(&mut self, word: &Word, syntax: &Syntax) -> Checked<Term> {
        let span = self.span_of(syntax);
        let value =
            |field: AuthField, ty: Ty| Ok(Term::Value(Expr { kind: ExprKind::Auth(field), ty, span }));
        match word.text.as_str() {
            "uid" => value(AuthField::Uid, Ty::Scalar(ScalarType::Uuid)),
            "role" => value(AuthField::Role, Ty::Scalar(ScalarType::String)),
            "email" => value(AuthField::Email, Ty::Scalar(ScalarType::String)),
            "aal" => value(AuthField::Aal, Ty::Scalar(ScalarType::String)),
            "org" => value(AuthField::Org, Ty::Dynamic),
            "claims" => value(AuthField::Claim(Vec::new()), Ty::Dynamic),
            "user" => match self.catalog().user {
                Some(table) => Ok(Term::Row(RowTerm { path: root_path(Root::AuthUser), table, hops: 0 })),
                None => {
                    let help = "mark the type that has a row per account with `@user`, or use `auth.uid`";
                    self.fail_with(codes::UNKNOWN_MEMBER, span, "no type is marked `@user`", help)
                }
            },
            "has" => {
                let message = format!("`auth.{}` is not available yet", word.text);
                self.fail(codes::UNAVAILABLE, span, message)
            }
            "user_metadata" => {
                let help = "clients write it themselves; use `auth.role`, app_metadata or a field of the `@user` type";
                self.fail_with(codes::USER_METADATA, span, "rules may not read user_metadata", help)
            }
            "app_metadata" => {
                let help = "write `auth.claims.app_metadata`";
                self.fail_with(codes::UNKNOWN_MEMBER, span, "`auth` has no member `app_metadata`", help)
            }
            name => {
                let message = format!("`auth` has no member `{name}`");
                let at = self.span(word.start, word.end);
                if name == "id" {
                    return self.fail_with(codes::UNKNOWN_MEMBER, at, message, "write `auth.uid`");
                }
                self.fail_near(codes::UNKNOWN_MEMBER, at, message, name, &AUTH_MEMBERS)
            }
        }
    }

    fn request_member(&mut self, word: &Word, syntax: &Syntax) -> Checked<Term> {
        let span = self.span_of(syntax);
        let text = Ty::Scalar(ScalarType::String);
        match word.text.as_str() {
            "time" => Ok(request(RequestField::Time, Ty::Scalar(ScalarType::Timestamp), span)),
            "op" => Ok(request(RequestField::Op, text, span)),
            "method" => Ok(request(RequestField::Method, text, span)),
            "ip" => Ok(request(RequestField::Ip, text, span)),
            "changed" => Ok(request(RequestField::Changed, Ty::List(Box::new(text)), span)),
            "headers" => Ok(Term::Headers),
            "dialect" => self.fail(codes::UNAVAILABLE, span, "`request.dialect` is not available yet"),
            name => {
                let message = format!("`request` has no member `{name}`");
                let at = self.span(word.start, word.end);
                self.fail_near(codes::UNKNOWN_MEMBER, at, message, name, &REQUEST_MEMBERS)
            }
        }
    }

    pub(super) fn index(&mut self, of: &Syntax, index: &Syntax, syntax: &Syntax) -> Checked<Term> {
        let term = self.term(of)?;
        let span = self.span_of(syntax);
        let name = match &index.kind {
            SyntaxKind::Text(name) => Some(name.clone()),
            _ => None,
        };
        match (term, name) {
            (Term::Headers, Some(name)) => Ok(request(
                RequestField::Header(name.to_ascii_lowercase()),
                Ty::Scalar(ScalarType::String),
                span,
            )),
            (Term::Value(expr), Some(name)) => {
                let at = self.span_of(index);
                self.value_member(expr, &name, at, syntax)
            }
            (Term::Rows(_), _) => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "rows of a relation have no order, so none is the first",
                "ask all of them: `list.exists(x, …)` or `list.all(x, …)`",
            ),
            (Term::Value(_), None) => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "elements are not taken by number in rules",
                "ask all of them: `list.exists(x, …)`; members of JSON are named: `this.meta.plan`",
            ),
            (Term::Row(_), Some(name)) => {
                let message = "fields of a row are written with a point";
                self.fail_with(codes::UNSUPPORTED, span, message, format!("write `.{name}`"))
            }
            (Term::Row(_) | Term::Auth | Term::Request | Term::Headers, _) => {
                self.fail(codes::UNSUPPORTED, span, "members are named in the rule itself")
            }
        }
    }
}

/// The type of a column in rules. A list whose elements may be null is only counted and tested for null:
/// what a null in it says would differ from what a reader expects.
fn column_type(column: &Column) -> Ty {
    match column.ty {
        ScalarType::Json if let Some(Shape { of, list: false, .. }) = column.shape => Ty::Embedded(of),
        ScalarType::List(list) if !list.nulls => Ty::List(Box::new(Ty::Scalar(list.element.scalar()))),
        other => Ty::Scalar(other),
    }
}

fn request(field: RequestField, ty: Ty, span: crate::catalog::Span) -> Term {
    Term::Value(Expr { kind: ExprKind::Request(field), ty, span })
}
