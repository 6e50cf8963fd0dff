//! `@limit`: a rate, what it counts by, and what it counts.

use super::draft::{Application, TypeDraft, every};
use super::rules::{Filler, Slot};
use super::unavailable;
use crate::catalog::{Operation, RateLimit, TableId};
use crate::cel::check::check_any;
use crate::diagnostic::codes;
use crate::expr::{End, Expr, Path, Ty};

/// Words of periods, with their seconds.
const PERIODS: &[(&str, u32)] = &[("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];

/// Most tokens of a period.
const MOST: u32 = 1_000_000;

impl Filler<'_> {
    /// The limits of a type.
    pub(super) fn limits(&mut self, table: TableId, ty: &TypeDraft) {
        let directives: Vec<&Application> = every(&ty.directives, "limit").collect();
        for directive in directives {
            let Some(rate) = directive.text("rate") else { continue };
            let Some((tokens, period_s)) = read(&rate.text) else {
                let message = format!("\"{}\" is no rate", rate.text);
                let help = "write a number of rows per period: \"20/hour\"; second, minute, hour or day";
                self.diagnostics.report_with_help(
                    codes::LIMIT,
                    rate.locate(0, rate.text.len()),
                    message,
                    help,
                );
                continue;
            };
            let by = match directive.text("by") {
                None => None,
                Some(literal) => {
                    let environment = self.environment(None, false, "`@limit`");
                    let Ok(expr) = check_any(&environment, literal, self.diagnostics) else { continue };
                    if !self.is_key(&expr) {
                        let help =
                            "count by `auth.uid`, a claim, a header or another single value of the request";
                        let message = "a limit counts by one value of the request, and reads no rows";
                        let span = literal.locate(0, literal.text.len());
                        self.diagnostics.report_with_help(codes::LIMIT, span, message, help);
                        continue;
                    }
                    Some(expr)
                }
            };
            let on = directive.names("on").unwrap_or_default();
            if let Some((_, span)) = on.iter().find(|(word, _)| word == "CALL") {
                unavailable::report(self.diagnostics, *span, "@limit(on: [CALL])");
                continue;
            }
            let named = |word: &str| on.is_empty() || on.iter().any(|(name, _)| name == word);
            let operations = [
                ("READ", Operation::Read),
                ("CREATE", Operation::Create),
                ("UPDATE", Operation::Update),
                ("DELETE", Operation::Delete),
            ];
            let on = operations.into_iter().filter(|(word, _)| named(word)).map(|(_, operation)| operation);
            let limit = RateLimit { tokens, period_s, by, on: on.collect() };
            self.slots.push(Slot::Limit(table, limit));
        }
    }

    /// Whether an expression is one value that stands in the request.
    fn is_key(&self, expr: &Expr) -> bool {
        let user = self.catalog.user.map(|id| &self.catalog.table(id).key);
        let own_key = |path: &Path| {
            path.hops.is_empty()
                && match &path.end {
                    End::Row => true,
                    End::Column(id) => user.is_some_and(|key| key.contains(id)),
                    End::Computed(_) | End::Json { .. } => false,
                }
        };
        let reads_rows = expr.reads_relations() || expr.paths().into_iter().any(|path| !own_key(path));
        !reads_rows && matches!(expr.ty, Ty::Scalar(_) | Ty::Dynamic | Ty::Row(_))
    }
}

/// `20/hour`.
fn read(text: &str) -> Option<(u32, u32)> {
    let (tokens, period) = text.split_once('/')?;
    let digits = tokens.bytes().all(|byte| byte.is_ascii_digit());
    let tokens = tokens.parse().ok().filter(|tokens| digits && (1..=MOST).contains(tokens))?;
    PERIODS.iter().find(|(word, _)| *word == period).map(|(_, seconds)| (tokens, *seconds))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn rates() {
        assert_eq!(read("20/hour"), Some((20, 3600)));
        assert_eq!(read("1/second"), Some((1, 1)));
        assert_eq!(read("1000000/day"), Some((1_000_000, 86_400)));
        for wrong in [
            "",
            "/",
            "20",
            "20/",
            "/hour",
            "0/hour",
            "-1/hour",
            "+1/hour",
            "1.5/hour",
            "20/hours",
            "20 / hour",
            "1000001/day",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
