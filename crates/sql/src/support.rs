//! What a schema says and a database cannot: told when the schema is loaded, with file and
//! line, not when a request meets it.

use crate::ddl::check::of_row;
use crate::ddl::column::is_counted;
use crate::ddl::stored::expression;
use crate::dialect::Dialect;
use backstay_schema::catalog::{Catalog, Table};
use backstay_schema::diagnostic::codes::UNSUPPORTED_BY_ENGINE;
use backstay_schema::diagnostic::{Diagnostic, Diagnostics};
use backstay_schema::expr::plain::own_column;
use backstay_schema::expr::{ExprKind, Function};
use backstay_schema::value::Value;

/// Everything that this database cannot do.
#[must_use]
pub fn refusals(catalog: &Catalog, dialect: &'static Dialect) -> Vec<Diagnostic> {
    let mut found = Diagnostics::default();
    patterns(catalog, dialect, &mut found);
    if !dialect.definition.reads_counted {
        catalog.tables.iter().for_each(|table| counted(table, dialect, &mut found));
    }
    found.into_sorted()
}

fn patterns(catalog: &Catalog, dialect: &'static Dialect, found: &mut Diagnostics) {
    let Some(translate) = dialect.pattern else { return };
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
}

/// What a definition reads has to be there before the database counts.
fn counted(table: &Table, dialect: &'static Dialect, found: &mut Diagnostics) {
    let Some(key) = table.columns.iter().find(|column| is_counted(table, column)) else { return };
    let stored = table.columns.iter().filter_map(|column| {
        expression(table, column).map(|expr| (expr, format!("compute {} from", column.name)))
    });
    let checks = table.checks.iter().filter(|check| of_row(check).is_some());
    let checks = checks.map(|check| (&check.expr, format!("hold {} against", check.name)));
    let partials = table.partials.iter();
    let partials = partials.map(|partial| (&partial.condition, format!("keep {} by", partial.name)));
    for (expr, does) in stored.chain(checks).chain(partials) {
        expr.visit(&mut |part| {
            if own_column(part) == Some(key.id) && matches!(part.kind, ExprKind::Path(_)) {
                let message = format!("{} cannot {does} {}, which it counts itself", dialect.name, key.name);
                let help =
                    format!("let the client or the server give the key: {}: ID!, or String!", key.name);
                found.report_with_help(UNSUPPORTED_BY_ENGINE, part.span, message, help);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{DIALECTS, named};
    use backstay_schema::compile::{Owner, Settings, SourceFile, compile};

    fn told(engine: &str, text: &str) -> Vec<(usize, String)> {
        let file = SourceFile { name: "schema.graphql".into(), text: text.into(), owner: Owner::Project };
        let catalog = match compile(&[file], &Settings::default()) {
            Ok(compiled) => compiled.catalog,
            Err(diagnostics) => panic!("{diagnostics:#?}"),
        };
        let found = refusals(&catalog, named(engine).expect("a dialect"));
        found
            .into_iter()
            .map(|one| {
                let before = text.get(..one.span.start as usize).expect("a place of the text");
                (before.matches('\n').count() + 1, one.message)
            })
            .collect()
    }

    #[test]
    fn a_counted_key_is_read_by_no_definition_of_mysql() {
        let text = r#"
type Entry @access(all: "true")
  @check(expr: "this.id != this.a", message: "no")
  @index(fields: ["a"], where: "this.id > 5")
{ id: Int!  a: Int!
  twice: Int @computed(expr: "this.id + this.id", stored: true)
  fine: Int @computed(expr: "this.a + 1", stored: true)
}
type Given @access(all: "true") @check(expr: "this.id != 'a'", message: "no") { id: String! }
"#;
        let expected = [
            (3, "mysql cannot hold entry_check against id, which it counts itself"),
            (4, "mysql cannot keep entry_a_idx_3ee70e11 by id, which it counts itself"),
            (6, "mysql cannot compute twice from id, which it counts itself"),
            (6, "mysql cannot compute twice from id, which it counts itself"),
        ];
        let found = told("mysql", text);
        let found: Vec<(usize, &str)> =
            found.iter().map(|(line, message)| (*line, message.as_str())).collect();
        assert_eq!(found, expected);
        for dialect in DIALECTS.iter().filter(|dialect| dialect.definition.reads_counted) {
            assert_eq!(told(dialect.name, text), []);
        }
    }
}
