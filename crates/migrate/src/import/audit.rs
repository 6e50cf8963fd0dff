//! Tables that are the audits of others, by the convention: `@table(audit: true)` says it all.

use super::Source;
use backstay_engine::live::LiveTable;
use backstay_schema::audit::{ACCOUNT, AFTER, AT, BEFORE, FIELDS, ID, OPERATION, ROLE, key_column};
use backstay_schema::name::object_name;

/// Marks audits as hidden and what they tell of as audited.
pub(super) fn find(known: &mut [Source<'_>]) {
    let pairs: Vec<(usize, usize)> = (0..known.len())
        .flat_map(|of| (0..known.len()).map(move |audit| (of, audit)))
        .filter(|(of, audit)| match (known.get(*of), known.get(*audit)) {
            (Some(of), Some(audit)) => is_audit(of.table, audit.table),
            _ => false,
        })
        .collect();
    for (of, audit) in pairs {
        if let Some(source) = known.get_mut(of) {
            source.audited = true;
        }
        if let Some(source) = known.get_mut(audit) {
            source.hidden = true;
        }
    }
}

fn is_audit(of: &LiveTable, audit: &LiveTable) -> bool {
    if audit.name != object_name(&of.name, "", "audit") || !audit.references.is_empty() {
        return false;
    }
    let names: Vec<&str> = audit.columns.iter().map(|column| column.name.as_str()).collect();
    let head = [ID, AT, OPERATION, ACCOUNT, ROLE];
    let tail = [FIELDS, BEFORE, AFTER];
    let Some(middle) = names.strip_prefix(&head).and_then(|rest| rest.strip_suffix(&tail)) else {
        return false;
    };
    let columns: Vec<String> = of.columns.iter().map(|column| key_column(&column.name)).collect();
    let key = of.key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default();
    let kept: Vec<String> = key.iter().map(|column| key_column(column)).collect();
    // behind the key stands the tenant, which an import cannot know: then it is a type like others
    middle == kept && kept.iter().all(|column| columns.contains(column))
}
