//! What a schema says and a database cannot: told when the schema is loaded, with file and
//! line, not when a request meets it.

use crate::dialect::Dialect;
use backstay_schema::catalog::Catalog;
use backstay_schema::diagnostic::codes::UNSUPPORTED_BY_ENGINE;
use backstay_schema::diagnostic::{Diagnostic, Diagnostics};
use backstay_schema::expr::{ExprKind, Function};
use backstay_schema::value::Value;

/// Everything that this database cannot do.
#[must_use]
pub fn refusals(catalog: &Catalog, dialect: &'static Dialect) -> Vec<Diagnostic> {
    let mut found = Diagnostics::default();
    let Some(translate) = dialect.pattern else { return Vec::new() };
    for expr in catalog.rules() {
        expr.visit(&mut |part| {
            let ExprKind::Call(Function::Matches, arguments) = &part.kind else { return };
            let Some(ExprKind::Const(Value::Text(pattern))) = arguments.get(1).map(|pattern| &pattern.kind)
            else {
                return;
            };
            if translate(pattern).is_none() {
                let message = format!("{} cannot say the pattern \"{pattern}\"", dialect.name);
                let help = "repeat at most 255 times, without (?-u:…) beyond ASCII";
                found.report_with_help(UNSUPPORTED_BY_ENGINE, part.span, message, help);
            }
        });
    }
    found.into_sorted()
}
