//! The commands, one file each, and how their errors are told.

pub mod backup;
pub mod check;
pub mod data;
pub mod dev;
pub mod keys;
pub mod lint;
pub mod migrate;
pub mod new;
pub mod schema;
pub mod serve;
pub mod user;

use crate::Context;
use crate::output::Colour;
use backstay_base::fault::Fault;

/// Tells an error: text to standard error, or one JSON value to standard output.
pub fn report(context: &Context, error: &anyhow::Error) {
    if context.output.json {
        context.output.value(&as_json(error));
        return;
    }
    let fault = error.downcast_ref::<Fault>();
    let mark = context.output.paint(Colour::Red, "error");
    match fault {
        Some(fault) => {
            context.output.remark(&format!("{mark}: {}", fault.message));
            if let Some(source) = &fault.source {
                context.output.remark(&format!("  because {source}"));
            }
            if let Some(hint) = &fault.hint {
                context.output.remark(&format!("  {hint}"));
            }
        }
        None => context.output.remark(&format!("{mark}: {error:#}")),
    }
}

/// `{error, code, hint}`.
fn as_json(error: &anyhow::Error) -> serde_json::Value {
    let fault = error.downcast_ref::<Fault>();
    serde_json::json!({
        "error": fault.map_or_else(|| format!("{error:#}"), |fault| fault.message.clone()),
        "code": fault.map(|fault| fault.code.text),
        "hint": fault.and_then(|fault| fault.hint.clone()),
    })
}
